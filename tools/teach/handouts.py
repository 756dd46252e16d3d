"""The pages of the built site, made ready for paper, and printed in a browser.

Nothing that a reader is to find is told: in place of an output that is folded, of an answer and of
an exercise's function there are lines to write on. Code that only draws is left out, and all other
code is printed whole. A PDF is tagged and has bookmarks; the same page gives the same bytes.
"""

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from posixpath import normpath

from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, sync_playwright

from stbp_edu._support.files import write_text
from tools.site import SITE
from tools.templates import filled

ASKS = re.compile(
    r"Answer|\?$|^When you have it"
)  # the line of a fold that holds an answer
DROPPED = (
    "nav.md-tags, .headerlink, .live-bar, .live-manual, .cell-strip, .md-feedback, "
)
DROPPED += ".stbp-solution, script, button, "
DROPPED += ".figure-dark, .figure-narrow, .cell-note, a[download], .notebook-note"
LINES = {"output": 4, "answer": 6, "exercise": 9}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
UPRIGHT, ACROSS = 658, 1032  # pixels: 174 and 273 mm of text
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--allow-file-access-from-files",
)
HEADER = re.compile(rb"\(node\d{8}\)")  # the name of a table's header
LISTED = re.compile(
    rb"/Limits \[\(head\d+\) \(head\d+\)\]\n/Names \[([^]]*)\]"
)  # all of them
DATE = re.compile(rb"/(?:Creation|Mod)Date \(D:[^)]*\)")


def article(page: str, site: Path = SITE) -> Tag:
    """Return the article of a page of the built site, such as ``notebooks/03_example``.

    Raises:
        FileNotFoundError: if the site has no such page.
    """
    text = (site / page / "index.html").read_text(encoding="utf-8")
    found = BeautifulSoup(text, "html.parser").find("article")
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
    return BeautifulSoup(html, "html.parser").find()


def space(kind: str) -> Tag:
    """Return lines to write on, as many as an answer of this kind takes."""
    lines = '<div class="line"></div>' * LINES[kind]
    return tag(
        f'<div class="write" role="note" aria-label="Space to write">{lines}</div>'
    )


def question(feedback: Tag) -> Tag:
    """Return the question of a prediction with its choices, to be ticked."""
    choices = json.loads(str(feedback["data-choices"]))
    return tag(
        filled("question.html", asked=feedback["data-question"], choices=choices)
    )


def untold(cell: Tag) -> None:
    """Put space for the reader in place of what a code cell gives away."""
    output, code = cell.select_one(".cell-output"), cell.select_one(".cell-code")
    asked = output.select("details.stbp-answer")
    feedback = output.select_one(".stbp-feedback")
    drawn = output.select_one("svg, img, .out-html")
    if asked:
        asked[0].replace_with(space("output"))
        for more in asked[1:]:
            more.decompose()
    elif feedback and feedback.has_attr("data-choices"):
        feedback.replace_with(question(feedback))
        code.decompose()
    elif feedback:
        feedback.replace_with(space("exercise"))
    if cell.has_attr("data-folded") and (asked or drawn):
        code.decompose()
    if fold := cell.select_one("details.cell-fold"):
        fold.select_one("summary").decompose()
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


@contextmanager
def browser() -> Iterator[Browser]:
    """Run Chromium while the block runs.

    Raises:
        RuntimeError: if there is none.
    """
    found = [shutil.which(n) for n in (os.environ.get("CHROMIUM", ""), *NAMES) if n]
    if not (path := next(filter(None, found), None)):
        raise RuntimeError("no Chromium found; install one or set CHROMIUM=/path/to/it")
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield running
        finally:
            running.close()


def printed(
    running: Browser, target: Path, title: str, parts: list[str], kind: str = ""
) -> list[str]:
    """Print a document of several parts, and return what would be cut off at its right.

    It uses the files of the built site; one of a kind is printed across the sheet. Formulas are
    broken for a sheet whose text is so many pixels wide.
    """
    source, assets = target.with_suffix(".html"), (SITE / "assets").resolve().as_uri()
    write_text(
        source, filled("paper.html", title=title, parts=parts, kind=kind, assets=assets)
    )
    page = running.new_page(
        viewport={"width": ACROSS if kind else UPRIGHT, "height": 900}
    )
    page.emulate_media(media="print", color_scheme="light")
    page.goto(source.resolve().as_uri())
    page.wait_for_selector("html[data-maths]", state="attached", timeout=600_000)
    page.evaluate("document.fonts.ready")
    cut = page.evaluate(filled("too_wide.js"))
    data = page.pdf(
        tagged=True, outline=True, prefer_css_page_size=True, print_background=True
    )
    page.close()
    source.unlink()
    target.write_bytes(settled(data))
    return cut


def settled(data: bytes) -> bytes:
    """Return a PDF without what differs from one printing to the next; its index still holds.

    The dates of its making become spaces. The headers of tables are named in their order, and are
    listed by these names: Chromium's depend on when it drew them.
    """
    names = {
        old: b"(head%08d)" % k
        for k, old in enumerate(dict.fromkeys(HEADER.findall(data)))
    }
    data = HEADER.sub(lambda found: names[found[0]], data)
    data = LISTED.sub(_listed, data)
    return DATE.sub(lambda found: b" " * len(found[0]), data)


def _listed(found: re.Match[bytes]) -> bytes:
    each = sorted(re.findall(rb"\(head\d+\) \d+ 0 R", found[1]))
    ends = each[0].split()[0], each[-1].split()[0]
    return b"/Limits [%s %s]\n/Names [%s]" % (*ends, b" ".join(each))
