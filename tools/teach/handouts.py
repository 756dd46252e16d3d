"""The pages of the built site, made ready for paper.

Nothing that a reader is to find is told: in place of an output that is folded, of an answer and of
an exercise's function there are lines to write on. Code that only draws is left out, and all other
code is printed whole.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from posixpath import normpath

from bs4 import BeautifulSoup, Tag

from tools.site import SITE
from tools.templates import filled

ASKS = re.compile(r"Answer|\?$|^When you have it")  # the line of a fold that holds an answer
DROPPED = "nav.md-tags, .headerlink, .live-bar, .md-feedback, .stbp-solution, script, button, "
DROPPED += ".figure-dark, .figure-narrow, .cell-note, a[download], .notebook-note"
LINES = {"output": 4, "answer": 6, "exercise": 9}


def article(page: str, site: Path = SITE) -> Tag:
    """Return the article of a page of the built site, such as ``notebooks/03_example``.

    Raises:
        FileNotFoundError: if the site has no such page.
    """
    text = (site / page / "index.html").read_text(encoding="utf-8")
    found = BeautifulSoup(text, "html.parser").find("article")
    assert isinstance(found, Tag), f"{page} has no article"
    for dropped in found.select(DROPPED):
        dropped.decompose()
    for part in found.select("section"):  # which is a slide to reveal.js
        part.name = "div"
    for picture in found.select("img[src]"):
        picture["src"] = (site / page / str(picture["src"])).resolve().as_uri()
        picture["loading"] = "eager"
    return found


def tag(html: str) -> Tag:
    """Return the one element that the text holds."""
    found = BeautifulSoup(html, "html.parser").find()
    assert isinstance(found, Tag)
    return found


def space(kind: str) -> Tag:
    """Return lines to write on, as many as an answer of this kind takes."""
    lines = '<div class="line"></div>' * LINES[kind]
    return tag(f'<div class="write" role="note" aria-label="Space to write">{lines}</div>')


def question(feedback: Tag) -> Tag:
    """Return the question of a prediction with its choices, to be ticked."""
    choices = json.loads(str(feedback["data-choices"]))
    return tag(filled("question.html", asked=feedback["data-question"], choices=choices))


def untold(cell: Tag) -> None:
    """Put space for the reader in place of what a code cell gives away."""
    output, code = cell.select_one(".cell-output"), cell.select_one(".cell-code")
    assert output is not None
    assert code is not None
    asked, feedback = output.select_one("details.answer"), output.select_one(".stbp-feedback")
    drawn = output.select_one("svg, img, .out-html")
    if asked:
        asked.replace_with(space("output"))
    elif feedback and feedback.has_attr("data-choices"):
        feedback.replace_with(question(feedback))
        code.decompose()
    elif feedback:
        feedback.replace_with(space("exercise"))
    if cell.has_attr("data-folded") and (asked or drawn):
        code.decompose()
    if fold := cell.select_one("details.cell-fold"):
        fold.select_one("summary").decompose()  # type: ignore[union-attr]
        fold.name = "div"


def paper(page: str, within: Iterable[str] = (), site: Path = SITE) -> str:
    """Return a page as the HTML that is printed.

    Args:
        page: such as ``notebooks/03_example``.
        within: the pages that are printed with it, to which its links go.
        site: the folder of the built site.
    """
    found = article(page, site)
    for cell in found.select(".cell"):
        untold(cell)
    for fold in found.select("details"):
        summary = fold.select_one("summary")
        assert summary is not None
        if "answer" in fold.get("class", []) or ASKS.search(summary.get_text().strip()):
            for child in list(fold.children):
                if child is not summary:
                    child.extract()
            fold.append(space("answer"))
        summary.name, summary["class"] = "p", "fold"
        fold.name = "div"
    _anchor(found, page, {page, *within})
    return str(found)


def _anchor(found: Tag, page: str, within: set[str]) -> None:
    """Give the ids of a page their page's name, and let links lead to what is printed, or nowhere.

    A link that leads nowhere becomes its words; one to another host stays.
    """
    for element in found.select("[id]"):
        element["id"] = f"{page}--{element['id']}"
    found["id"] = page
    for link in found.select('a[href]:not([href^="http"])'):
        path, _, name = str(link["href"]).partition("#")
        target = normpath(f"{page}/{path}")
        if target in within:
            link["href"] = f"#{target}--{name}" if name else f"#{target}"
        else:
            del link["href"]
            link.name = "span"


def sections(found: Tag) -> Iterator[tuple[Tag, list[Tag]]]:
    """Yield each heading of an article with the elements below it, up to the next."""
    names = ["h1", "h2", "h3"]
    for heading in found.find_all(names, recursive=False):
        below = heading.find_next_siblings(True)
        yield heading, list(takewhile(lambda element: element.name not in names, below))
