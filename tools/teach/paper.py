"""Prints pages in a browser: tagged, with bookmarks, and the same bytes for the same page."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tools.site import SITE
from tools.templates import filled

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
UPRIGHT, ACROSS = 658, 1032  # pixels: 174 and 273 mm of text
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files")
HEADER = re.compile(rb"\(node\d{8}\)")  # the name of a table's header
DATE = re.compile(rb"/(?:Creation|Mod)Date \(D:[^)]*\)")
TEMPLATES = Path(__file__).parent / "templates"


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
    source = target.with_suffix(".html")
    source.parent.mkdir(parents=True, exist_ok=True)
    style = (TEMPLATES / "paper.css").read_text(encoding="utf-8")
    names = {"style": style, "assets": (SITE / "assets").resolve().as_uri()}
    html = filled("paper.html", title=title, parts=parts, kind=kind, **names)
    source.write_text(html, encoding="utf-8")
    page = running.new_page(viewport={"width": ACROSS if kind else UPRIGHT, "height": 900})
    page.emulate_media(media="print", color_scheme="light")
    page.goto(source.resolve().as_uri())
    page.wait_for_selector("html[data-maths]", state="attached", timeout=600_000)
    page.evaluate("document.fonts.ready")
    cut: list[str] = page.evaluate((TEMPLATES / "too_wide.js").read_text(encoding="utf-8"))
    data = page.pdf(tagged=True, outline=True, prefer_css_page_size=True, print_background=True)
    page.close()
    source.unlink()
    target.write_bytes(settled(data))
    return cut


def settled(data: bytes) -> bytes:
    """Return a PDF without the dates of its making, as long as before, so that its index holds.

    The headers of tables are named in their order: Chromium's names depend on when it drew them.
    """
    names = {old: b"(head%08d)" % k for k, old in enumerate(sorted({*HEADER.findall(data)}))}
    data = HEADER.sub(lambda found: names[found[0]], data)
    return DATE.sub(lambda found: b" " * len(found[0]), data)
