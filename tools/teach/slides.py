"""A deck for each notebook that is to have one: headings, equations, figures and questions.

What the notebook asks before it shows it comes when the teacher goes on. The notes have the text of
the section, and the misconceptions to expect there. The decks show with reveal.js from the folder
itself; the key S opens the notes.
"""

import re
from itertools import takewhile
from math import ceil
from pathlib import Path

from bs4 import Tag
from playwright.sync_api import Browser

from stbp_edu._support.files import write_text
from stbp_edu.practice.tasks import course_table, tasks
from tools.site import SITE
from tools.site.assets import npm
from tools.teach.handouts import article, question, tag
from tools.templates import filled

HEADINGS = ["h1", "h2", "h3"]
SKIPPED = ("Exercises", "Recap", "Where to go from here")
WORDS = 75  # of a paragraph that is shown; a longer one is told
ROWS, COLUMNS = 15, 88  # of printed text on a slide
FEW_ROWS = 7  # of printed text, above a figure that is drawn large
DRAWN = "svg, img, .stbp-poster"
EXPECTED = 4  # misconceptions in the notes of a section
REVEAL = ("reset.css", "reveal.css", "reveal.js", "plugin/notes.js")
VENDOR = ("js/maths.js", "css/cases.css", "vendor/fonts", "vendor/mathjax")
Unit = tuple[list[Tag], list[Tag]]
"""What stands together on a slide: what is shown, and what comes when the teacher goes on."""


def deck(stem: str, site: Path = SITE) -> str:
    """Return the deck of a notebook as HTML."""
    found = article(f"notebooks/{stem}", site)
    for link in found.select("a[href]"):
        del link["href"]
        link.name = "span"
    number = list(course_table()).index(stem.partition("_")[2])
    told, skipped = [], False
    for heading in found.find_all(HEADINGS, recursive=False):
        after = heading.find_next_siblings(True)
        below = list(takewhile(lambda element: element.name not in HEADINGS, after))
        title = heading.decode_contents()
        if heading.name != "h3":
            skipped = title.strip() in SKIPPED
        if not skipped and (units := _units(below)):
            asked = [
                t
                for t in tasks().values()
                if (t.notebook, t.section) == (number, title)
            ]
            named = {m.id: m for task in asked for m in task.mistakes}
            notes = [_words(e) for e in below if e.name in ("p", "ul", "ol", "details")]
            notes += [
                f"Expect: {m.name}. {m.why}" for m in [*named.values()][:EXPECTED]
            ]
            told.append({"heading": title, "units": units, "notes": notes})
    return filled("deck.html", title=next(found.stripped_strings), slides=told)


def _words(element: Tag) -> str:
    return " ".join(element.get_text().split())


def _units(below: list[Tag]) -> list[Unit]:
    """Return what a section shows; a short paragraph stands with what comes after it."""
    units: list[Unit] = []
    before: list[Tag] = []
    for place, element in enumerate(below):
        short = len(_words(element).split()) <= WORDS
        kinds = {element.name, *element.get("class", [])}
        shown, then = _cell(element) if "cell" in kinds else ([], [])
        if {"equation", "arithmatex", "table"} & kinds or (
            {"ul", "ol"} & kinds and short
        ):
            shown = [element]
        drawn = any(part.select_one(DRAWN) for part in (*shown, *then))
        if before and drawn:  # which goes on a slide of its own where it does not fit
            units.append((before, []))
            before = []
        if shown or then:
            units.append(([*before, *shown], then))
        if shown or then or "p" in kinds:
            before = [element] if "p" in kinds and short else []
        if before and not place:  # what a section begins with
            units.append((before, []))
            before = []
    return units or ([(before, [])] if before else [])


def _rows(text: Tag) -> int:
    return sum(
        ceil(max(len(line), 1) / COLUMNS) for line in text.get_text().splitlines()
    )


def _cell(cell: Tag) -> tuple[list[Tag], list[Tag]]:
    """Return what a code cell shows at once, and what it shows then."""
    output = cell.select_one(".cell-output")
    feedback = output.select_one(".stbp-feedback")
    if feedback and feedback.get("data-measured"):
        measured = f"<p>Measured: <strong>{feedback['data-measured']}</strong>.</p>"
        return [], [tag(measured), feedback.find_all("p")[-1]]
    if feedback:
        return ([question(feedback)] if feedback.has_attr("data-choices") else []), []
    drawn = output.select(".out-figure, .out-html")
    folded = output.select("details.stbp-answer")
    in_view = [part for part in drawn if part.find_parent("details") is None]
    shown = [part for part in in_view if part.select_one("details") is None]
    answer = [part for fold in folded for part in fold.find_all(True, recursive=False)]
    told = [part for part in answer if part.name != "summary"]
    rows = sum(_rows(part) for part in told if part.name == "pre")
    if rows > ROWS:
        told = [part for part in told if part.name != "pre"]
    for part in told if rows <= FEW_ROWS else ():
        part["class"] = [*part.get("class", []), "large"]
    return shown, told


def write(stems: list[str], folder: Path, site: Path = SITE) -> list[Path]:
    """Write the decks of these notebooks, with all that they show with, into a folder."""
    for name in VENDOR:
        npm.copy(site / "assets" / name, folder / "assets" / name)
    for name in REVEAL:
        reveal = npm.modules() / "reveal.js" / "dist" / name
        npm.copy(reveal, folder / "assets/vendor/reveal" / name)
    write_text(folder / "assets/css/deck.css", filled("deck.css") + "\n")
    written = []
    for stem in stems:
        written.append(folder / f"{stem}.html")
        text = deck(stem, site).replace((site / "assets").resolve().as_uri(), "assets")
        for name in re.findall(r'src="(assets/figures/[^"]+)"', text):
            npm.copy(site / name, folder / name)
        write_text(written[-1], text)
    return written


def overfull(running: Browser, file: Path) -> list[str]:
    """Return the slides of a deck that are higher or wider than the screen."""
    page = running.new_page(viewport={"width": 1280, "height": 720})
    page.goto(file.resolve().as_uri())
    page.wait_for_function("window.Reveal?.isReady()", timeout=120_000)
    found = page.evaluate(filled("overfull.js"))
    page.close()
    return found
