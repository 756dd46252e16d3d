"""The runtime that the build assembles, and how Python starts from it."""

import hashlib
import json
from pathlib import Path

from playwright.sync_api import Page

from tests.site.reader import run
from tools.site.assets import pyodide as runtime


def test_a_browser_may_keep_what_python_starts_from(site: Path) -> None:
    """The names of packs change with their content."""
    folder = site / runtime.TARGET.relative_to(runtime.PUBLIC)
    about = json.loads((folder / "about.json").read_text())
    packs = (about["packed"], about["later"])
    for name in [*about["first"], *(n for each in packs for n in each.values())]:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest()[:10] in name


ASK = """
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path
import stbp_edu.practice
from stbp_edu import plotting
plotting.figure()

def served(spec):
    "Python's own bytecode has another flag than the site's, and page_runner has none."
    if spec.origin.endswith((".pyc", ".so")):
        return True
    made = Path(spec.cached)
    return made.is_file() and made.read_bytes()[:8] == MAGIC_NUMBER + b"\\1\\0\\0\\0"

specs = [m.__spec__ for m in list(sys.modules.values()) if getattr(m, "__spec__", None)]
files = [spec for spec in specs if spec.has_location]
missed = [spec.origin for spec in files if not served(spec)]
[len(files) > 300, missed]
"""


def test_the_page_compiles_no_module(warm: Page) -> None:
    """All is in C or comes compiled, but for the page's runner."""
    output = run(warm, ASK)
    assert output.inner_text().strip() == "[True, ['/home/pyodide/page_runner.py']]"
