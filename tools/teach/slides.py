"""A deck for each notebook of Part I: its headings, equations, figures and questions.

What the notebook asks before it shows it comes when the teacher goes on. The notes have the text of
the section, and the misconceptions to expect there. The decks show with reveal.js from the folder
itself; the key S opens the notes.
"""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bs4 import Tag

from stbp_edu.practice.tasks import course_table, tasks
from tools.site import SITE
from tools.site.assets import npm
from tools.teach.handouts import article, question, sections
from tools.templates import filled

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LAST = 12  # the number of the last notebook with a deck
SKIPPED = ("Exercises", "Recap")
WORDS = 55  # of a paragraph that is shown; a longer one is told
ROWS = 17  # of printed text on a slide
ROOM, PARAGRAPH, EQUATION, FIGURE, ROW = 560, 110, 120, 420, 32  # about, in pixels
EXPECTED = 4  # misconceptions in the notes of a section
REVEAL = ("reset.css", "reveal.css", "reveal.js", "plugin/notes.js")
VENDOR = (
    "assets/js/maths.js",
    "assets/css/cases.css",
    "assets/vendor/fonts",
    "assets/vendor/mathjax",
)


OVERFULL = """() => Reveal.getSlides().flatMap((slide, k) => {
    Reveal.slide(k);
    slide.querySelectorAll(".fragment").forEach((part) => part.classList.add("visible"));
    const frame = slide.getBoundingClientRect();
    const parts = [...slide.querySelectorAll(":scope > :not(aside), .fragment > *, .out *")];
    const beyond = parts.map((part) => part.getBoundingClientRect()).filter(
        (box) => box.bottom > frame.bottom + 1 || box.right > frame.right + 1);
    return beyond.length ? [`${k + 1}: ${slide.querySelector("h1, h2").textContent}`] : [];
})"""


@dataclass
class Slide:
    """One slide: its heading, what it shows, what comes when the teacher goes on, and notes."""

    heading: str
    shown: list[str] = field(default_factory=list)
    then: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    height: float = 0.0  # about, in pixels


def deck(stem: str, site: Path = SITE) -> str:
    """Return the deck of a notebook as HTML."""
    found = article(f"notebooks/{stem}", site)
    for link in found.select("a[href]"):
        del link["href"]
        link.name = "span"
    slides = [slide for heading, below in sections(found) for slide in _section(heading, below)]
    slug = stem.partition("_")[2]
    for slide in slides:
        slide.notes += expected(slug, slide.heading)
    title = next(found.stripped_strings)
    return filled("deck.html", title=title, slides=slides)


def expected(slug: str, heading: str) -> list[str]:
    """Return what to expect in a section: the mistakes of the tasks that belong to it."""
    number = list(course_table()).index(slug)
    of_section = [t for t in tasks().values() if (t.notebook, t.section) == (number, heading)]
    named = {m.id: m for task in of_section for m in task.mistakes}
    return [f"Expect: {m.name}. {m.why}" for m in list(named.values())[:EXPECTED]]


def _section(heading: Tag, below: list[Tag]) -> list[Slide]:
    """Return the slides of a section; the first has its notes."""
    name = heading.get_text().strip()
    if name in SKIPPED:
        return []
    lead = Slide(heading.decode_contents())
    slides, before = [lead], ""  # the paragraph before what is shown, which belongs to it
    for element in below:
        kinds = element.get("class", [])
        if element.name == "p":
            lead.notes.append(" ".join(element.get_text().split()))
            before = str(element) if len(element.get_text().split()) <= WORDS else ""
            if not lead.shown and len(lead.notes) == 1:
                before = _show(slides, [before], PARAGRAPH)
        elif element.name == "details":
            lead.notes.append(" ".join(element.get_text().split()))
        elif "equation" in kinds or "arithmatex" in kinds:
            before = _show(slides, [before, str(element)], EQUATION + PARAGRAPH * bool(before))
        elif "cell" in kinds:
            shown, then, height = _cell(element)
            if shown or then:
                height += PARAGRAPH * bool(before)
                before = _show(slides, [before, *shown], height, then)
    return slides


def _show(
    slides: list[Slide], parts: list[str], height: float, then: list[str] | None = None
) -> str:
    """Show parts on the last slide, or on another below it where they do not fit; return ""."""
    last = slides[-1]
    if last.then or (last.shown and last.height + height > ROOM):
        last = Slide(last.heading)
        slides.append(last)
    last.shown += filter(None, parts)
    last.then += then or []
    last.height += height
    return ""


def _cell(cell: Tag) -> tuple[list[str], list[str], float]:
    """Return what a code cell shows at once, what it shows then, and about how high they are."""
    output = cell.select_one(".cell-output")
    assert output is not None
    feedback = output.select_one(".stbp-feedback")
    if feedback and feedback.get("data-choices") and not feedback.get("data-measured"):
        return [str(question(feedback))], [], FIGURE
    if feedback and feedback.has_attr("data-exercise"):
        return [], [], 0.0
    drawn = [str(part) for part in output.select(".out-figure, .out-html")]
    texts = output.select("pre.out") if output.select_one("details.answer") else []
    rows = [len(text.get_text().splitlines()) for text in texts]
    if sum(rows) > ROWS:
        return [], [], 0.0
    parts = drawn + [str(text) for text in texts]
    height = FIGURE * len(drawn) + ROW * sum(rows)
    return ([], parts, height) if output.select_one("details.answer") else (parts, [], height)


def write(stems: list[str], folder: Path, site: Path = SITE) -> list[Path]:
    """Write the decks of these notebooks, with all that they show with, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in VENDOR:
        _copy(site / name, folder / name)
    reveal = npm.modules() / "reveal.js" / "dist"
    for name in REVEAL:
        _copy(reveal / name, folder / "assets/vendor/reveal" / name)
    style = (Path(__file__).parent / "templates" / "deck.css").read_text(encoding="utf-8")
    (folder / "assets/css/deck.css").write_text(style, encoding="utf-8")
    written = []
    for stem in stems:
        written.append(folder / f"{stem}.html")
        text = deck(stem, site).replace((site / "assets").resolve().as_uri(), "assets")
        for name in re.findall(r'src="(assets/figures/[^"]+)"', text):
            _copy(site / name, folder / name)
        written[-1].write_text(text, encoding="utf-8")
    return written


def overfull(running: "Browser", file: Path) -> list[str]:
    """Return the slides of a deck that are higher or wider than the screen."""
    page = running.new_page(viewport={"width": 1280, "height": 720})
    page.goto(file.resolve().as_uri())
    page.wait_for_function("window.Reveal?.isReady()", timeout=120_000)
    found: list[str] = page.evaluate(OVERFULL)
    page.close()
    return found


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)
