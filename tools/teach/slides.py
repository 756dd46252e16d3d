"""A deck for each notebook of Part I: its headings, equations, figures and questions.

What the notebook asks before it shows it comes when the teacher goes on. The notes have the text of
the section, and the misconceptions to expect there. The decks show with reveal.js from the folder
itself; the key S opens the notes.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from bs4 import Tag

from stbp_edu.practice.tasks import course_table, tasks
from tools.site import SITE
from tools.site.assets import npm
from tools.teach.handouts import article, question, sections, tag
from tools.teach.paper import TEMPLATES
from tools.templates import filled

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LAST = 12  # the number of the last notebook with a deck
SKIPPED = ("Exercises", "Recap")
WORDS = 75  # of a paragraph that is shown; a longer one is told
ROWS, COLUMNS = 15, 88  # of printed text on a slide
ROOM = 590  # pixels below the heading
LONG = 150  # characters of a formula that takes two lines
EXPECTED = 4  # misconceptions in the notes of a section
REVEAL = ("reset.css", "reveal.css", "reveal.js", "plugin/notes.js")
VENDOR = (
    "assets/js/maths.js",
    "assets/css/cases.css",
    "assets/vendor/fonts",
    "assets/vendor/mathjax",
)


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
    slides = [s for heading, below in _taught(found) for s in _section(heading, below)]
    slug = stem.partition("_")[2]
    for slide in slides:
        slide.notes += expected(slug, slide.heading)
    title = next(found.stripped_strings)
    return filled("deck.html", title=title, slides=slides)


def _taught(found: Tag) -> Iterator[tuple[Tag, list[Tag]]]:
    """Yield the sections of an article but for the exercises and the recap."""
    skipped = False
    for heading, below in sections(found):
        if heading.name != "h3":
            skipped = heading.get_text().strip() in SKIPPED
        if not skipped:
            yield heading, below


def expected(slug: str, heading: str) -> list[str]:
    """Return what to expect in a section: the mistakes of the tasks that belong to it."""
    number = list(course_table()).index(slug)
    of_section = [t for t in tasks().values() if (t.notebook, t.section) == (number, heading)]
    named = {m.id: m for task in of_section for m in task.mistakes}
    return [f"Expect: {m.name}. {m.why}" for m in list(named.values())[:EXPECTED]]


def _section(heading: Tag, below: list[Tag]) -> list[Slide]:
    """Return the slides of a section; the first has its notes."""
    lead = Slide(heading.decode_contents())
    slides, before = [lead], []  # the paragraph before what is shown, which belongs to it
    for element in below:
        kinds = element.get("class", [])
        if element.name in ("p", "ul", "ol", "details"):
            lead.notes.append(" ".join(element.get_text().split()))
        if element.name == "p":
            before = [element] if len(lead.notes[-1].split()) <= WORDS else []
            if not lead.shown and len(lead.notes) == 1:
                before = _show(slides, before)
        elif "cell" in kinds:
            shown, then = _cell(element)
            if any(part.select_one(".stbp-poster") for part in (*shown, *then)):
                before = _show(slides, before)  # a poster fills a slide
            if shown or then:
                before = _show(slides, [*before, *shown], then)
        elif {"equation", "arithmatex"} & set(kinds) or (
            element.name in ("ul", "ol") and len(lead.notes[-1].split()) <= WORDS
        ):
            before = _show(slides, [*before, element])
    if before and not lead.shown:
        _show(slides, before)
    return [slide for slide in slides if slide.shown or slide.then]


def _show(slides: list[Slide], parts: list[Tag], then: Sequence[Tag] = ()) -> list[Tag]:
    """Show parts on the last slide, or on another below it where they do not fit; return none."""
    last, height = slides[-1], sum(map(_height, (*parts, *then)))
    joins = bool(then) and not parts  # a second answer to one question
    if (last.then and not joins) or (last.height and last.height + height > ROOM):
        last = Slide(last.heading)
        slides.append(last)
    last.shown += map(str, parts)
    last.then += map(str, then)
    last.height += height
    return []


def _height(part: Tag) -> float:
    """Return about how many pixels of a slide a part takes."""
    text = part.get_text()
    if part.name == "pre":
        return 40 + 30 * _rows(part)
    if part.select_one("svg, img, .choices, .stbp-poster"):
        return ROOM if part.select_one(".stbp-poster") else 420
    if "equation" in part.get("class", []) or "arithmatex" in part.get("class", []):
        return 230 if re.search(r"\\begin|underbrace|\\int", text) or len(text) > LONG else 130
    return 20 + 43 * ceil(len(text.split()) / 12) + 10 * len(part.find_all("li"))


def _rows(text: Tag) -> int:
    return sum(ceil(max(len(line), 1) / COLUMNS) for line in text.get_text().splitlines())


def _cell(cell: Tag) -> tuple[list[Tag], list[Tag]]:
    """Return what a code cell shows at once, and what it shows then."""
    output = cell.select_one(".cell-output")
    assert output is not None
    feedback = output.select_one(".stbp-feedback")
    if feedback and feedback.get("data-measured"):
        measured = f"<p>Measured: <strong>{feedback['data-measured']}</strong>.</p>"
        return [], [tag(measured), feedback.find_all("p")[-1]]
    if feedback:
        return ([question(feedback)] if feedback.has_attr("data-choices") else []), []
    drawn = output.select(".out-figure, .out-html")
    if not output.select_one("details.answer"):
        return drawn, []
    texts = output.select("pre.out")
    return [], [*drawn, *texts] if sum(map(_rows, texts)) <= ROWS else drawn


def write(stems: list[str], folder: Path, site: Path = SITE) -> list[Path]:
    """Write the decks of these notebooks, with all that they show with, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in VENDOR:
        _copy(site / name, folder / name)
    reveal = npm.modules() / "reveal.js" / "dist"
    for name in REVEAL:
        _copy(reveal / name, folder / "assets/vendor/reveal" / name)
    style = (TEMPLATES / "deck.css").read_text(encoding="utf-8")
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
    found: list[str] = page.evaluate((TEMPLATES / "overfull.js").read_text(encoding="utf-8"))
    page.close()
    return found


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)
