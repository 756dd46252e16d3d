"""The runtime that the build assembles, how Python starts from it, and the site without one."""

import hashlib
import json
import re
import shutil
import warnings
from pathlib import Path

import pytest
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from playwright.sync_api import Browser, Page, expect

from tests.browsing import served
from tests.site.conftest import profile
from tests.site.reader import run
from tools.site import PUBLIC, ROOT, events
from tools.site.assets import npm
from tools.site.assets import pyodide as runtime
from tools.site.generate import api_pages, source_code
from tools.site.render.notebook_page import folder

Capture = pytest.CaptureFixture[str]
FIRST = min(folder().glob("*.ipynb"))


def test_what_a_page_does_not_begin_with_is_loaded_for_those_modules_that_import_it() -> (
    None
):
    """The page loads for a cell what the cell's imports use, and no more."""
    found = runtime.needed_libraries(["autograd", "matplotlib", "sympy"])
    assert "stbp_edu" not in found
    assert "autograd" in found["stbp_edu.verify.autodiff"]
    assert "matplotlib" in found["stbp_edu.plotting.heat"]
    assert "stbp_edu.plotting" not in found


def test_a_browser_may_keep_what_python_starts_from(site: Path) -> None:
    """The names of packs change with their content."""
    folder = site / runtime.TARGET.relative_to(runtime.PUBLIC)
    about = json.loads((folder / "about.json").read_text())
    later = [entry["file"] for entry in about["later"].values()]
    for name in [*about["first"], *about["packed"].values(), *later]:
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


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make every place that Pyodide's wheels come from fail."""

    def nothing(name: str, version: str) -> bytes:
        raise OSError("not there")

    def wrong(name: str, version: str) -> bytes:
        return b"something else"

    monkeypatch.setattr(runtime, "WHEELS", tmp_path / "wheels")
    monkeypatch.setattr(runtime, "TARGET", tmp_path / "target")
    for name, source in (("_release", wrong), ("_carrier", nothing)):
        monkeypatch.setattr(runtime, name, source)


def test_without_any_source_of_wheels_there_is_no_runtime(
    unreachable: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    """No place to get Pyodide's wheels from: no runtime, and a word about it."""
    core = tmp_path / "pyodide"
    core.mkdir()
    entry = {"depends": [], "file_name": "x.whl", "sha256": "0" * 64}
    lock = {
        "info": {"version": "0"},
        "packages": dict.fromkeys((runtime.NUMPY, *runtime.FIGURES), entry),
    }
    (core / "pyodide-lock.json").write_text(json.dumps(lock))
    monkeypatch.setattr(runtime, "modules", lambda: tmp_path)
    assert not runtime.ensure()
    said = capsys.readouterr().out
    assert "cells can be read and not run" in said
    assert "hash differs" in said
    assert not runtime.TARGET.exists()


@pytest.fixture
def bare(unreachable: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a site built where no runtime can be reached: one notebook and two pages of docs."""
    # none of the pages made from source files ever has a cell
    monkeypatch.setattr(api_pages, "read_package", dict)
    monkeypatch.setattr(api_pages, "pages", lambda _: {})
    monkeypatch.setattr(source_code, "source_files", lambda _: [])
    public, notebooks = tmp_path / "public", tmp_path / "notebooks"
    notebooks.mkdir()
    shutil.copy(FIRST, notebooks)
    shutil.copytree(npm.VENDOR, public / npm.VENDOR.relative_to(PUBLIC))
    monkeypatch.setattr(events, "PUBLIC", public)
    monkeypatch.setenv("STBP_SITE_NOTEBOOKS", str(notebooks))
    nav = ["index.md", {"Course": ["start.md", "DERIVE"]}]
    pages = "/*.md\n!/index.md\n!/start.md"
    plugins = ["search", "tags", {"mkdocs-jupyter": {"include": ["*.ipynb"]}}]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other packages' own
        config = load_config(
            str(ROOT / "mkdocs.yml"), nav=nav, plugins=plugins, site_dir=str(tmp_path / "site"),
            exclude_docs=pages,
        )  # fmt: skip
        mkdocs_build(config)
    return tmp_path / "site"


def test_without_a_runtime_the_cells_can_be_read(bare: Path, browser: Browser) -> None:
    """The page says that it was built so; code and results are there, and no button is."""
    with profile(browser) as context, served(bare) as address:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        page.on("requestfailed", lambda request: faults.append(request.url))
        page.goto(address)
        expect(page.get_by_role("link", name="Run Python here")).to_have_count(0)
        page.wait_for_load_state(
            "networkidle"
        )  # what is cut off by leaving is no fault
        page.goto(f"{address}notebooks/{FIRST.stem}/")
        page.wait_for_selector("html[data-maths]", state="attached")
        expect(page.locator(".notebook-note")).to_contain_text(
            "without the Python runtime"
        )
        expect(page.get_by_role("button", name=re.compile("^Run"))).to_have_count(0)
        first = page.get_by_role("group", name="Code cell 1", exact=True)
        expect(first.locator("pre code")).to_contain_text("import")
        expect(page.locator(".cell .out").first).to_be_visible()
        page.wait_for_load_state("networkidle")
    assert not faults
    assert not (bare / "assets" / "pyodide").exists()
