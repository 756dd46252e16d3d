"""The modules that the site serves compiled."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.site.reader import run
from tools.site.assets import pyodide as runtime

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_lock_has_the_hashes_of_what_is_served(site: Path) -> None:
    """Pyodide refuses a wheel with another hash than its lock file has."""
    folder = site / runtime.TARGET.relative_to(runtime.PUBLIC)
    packages = json.loads((folder / "pyodide-lock.json").read_text())["packages"]
    assert {"numpy", "stbp-edu", "sympy"} <= set(packages)
    for entry in packages.values():
        content = (folder / entry["file_name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["name"]


ASK = """
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
[len(files) > 300, [spec.origin for spec in files if not served(spec)]]
"""


def test_the_page_compiles_no_module(warm: Page) -> None:
    """Every module of a file is in C or comes compiled, but for the page's own runner."""
    output = run(warm, ASK)
    assert output.inner_text().strip() == "[True, ['/home/pyodide/page_runner.py']]"
