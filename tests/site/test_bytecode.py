"""How Python starts in a page: from compiled modules and a snapshot of its memory."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.site.reader import run
from tools.site.assets import pyodide as runtime

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_a_browser_may_keep_what_python_starts_from(site: Path) -> None:
    """The names of packs and memory change with their content."""
    folder = site / runtime.TARGET.relative_to(runtime.PUBLIC)
    about = json.loads((folder / "about.json").read_text())
    later = [entry["file"] for entry in about["later"].values()]
    for name in [*about["first"], about["start"]["file"], *later]:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest()[:10] in name


def test_without_the_snapshot_python_starts_all_the_same(page: Page) -> None:
    """Slower, and with the same result; its modules are imported by the cell."""
    page.context.route("**/memory-*.pack", lambda route: route.abort())
    ask = "import gc, numpy, stbp_edu\nprint(gc.get_freeze_count() > 9999, stbp_edu.LIF().tau)"
    assert run(page, ask).inner_text().split() == ["False", "0.5"]


ASK = """
import gc
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path
import stbp_edu.practice
from stbp_edu import plotting

def served(spec):
    "Python's own bytecode has another flag than the site's, and page_runner has none."
    if spec.origin.endswith((".pyc", ".so")):
        return True
    made = Path(spec.cached)
    return made.is_file() and made.read_bytes()[:8] == MAGIC_NUMBER + b"\\1\\0\\0\\0"

specs = [m.__spec__ for m in list(sys.modules.values()) if getattr(m, "__spec__", None)]
files = [spec for spec in specs if spec.has_location]
missed = [spec.origin for spec in files if not served(spec)]
[gc.get_freeze_count() > 9999, len(files) > 300, missed]
"""


def test_the_page_compiles_no_module(warm: Page) -> None:
    """All is in C or comes compiled, but for the page's runner; most is there from the start."""
    output = run(warm, ASK)
    assert output.inner_text().strip() == "[True, True, ['/home/pyodide/page_runner.py']]"
