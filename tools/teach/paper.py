"""Prints pages in a browser: tagged, with bookmarks, and the same bytes for the same page."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

from tools.site import SITE
from tools.templates import filled

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
UPRIGHT, ACROSS = 658, 1032  # pixels: 174 and 273 mm of text
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files")
HEADER = re.compile(rb"\(node\d{8}\)")  # the name of a table's header
TEMPLATES = Path(__file__).parent / "templates"


@contextmanager
def browser() -> Iterator["Browser"]:
    """Run Chromium while the block runs.

    Raises:
        RuntimeError: if there is none.
    """
    from playwright.sync_api import sync_playwright

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
    running: "Browser", target: Path, title: str, parts: list[str], kind: str = ""
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
    """Return a PDF without the date and the id of its making.

    The headers of tables are named in their order: Chromium's names depend on when it drew them.
    """
    names = {old: b"(head%08d)" % k for k, old in enumerate(dict.fromkeys(HEADER.findall(data)))}
    data = HEADER.sub(lambda found: names[found[0]], data)  # as long as before
    reader = PdfReader(BytesIO(data))
    reader.trailer["/Root"]["/StructTreeRoot"].pop("/IDTree", None)  # made anew below
    writer = PdfWriter(clone_from=reader)
    writer.metadata = {k: v for k, v in (writer.metadata or {}).items() if "Date" not in k}
    writer._ID = None
    every = [part for part in writer._objects if isinstance(part, DictionaryObject)]
    heads = [part for part in every if part.get("/Type") == "/StructElem" and "/ID" in part]
    heads.sort(key=lambda part: str(part["/ID"]))
    pairs = [x for part in heads for x in (part["/ID"], part.indirect_reference)]
    tree = DictionaryObject({NameObject("/Names"): ArrayObject(pairs)})
    writer.root_object["/StructTreeRoot"][NameObject("/IDTree")] = tree
    out = BytesIO()
    writer.write(out)
    return out.getvalue()
