"""The modules that the site serves compiled."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.site.reader import run
from tools.site.assets import pyodide as runtime
from tools.site.assets.compiled_wheel import compile_wheel

if TYPE_CHECKING:
    from playwright.sync_api import Page

FILES = {
    "{name}/__init__.py": "from {name}.sums import double\n",
    "{name}/sums.py": "def double(x):\n    return 2 * x\n",
    "{name}/data.txt": "as it was",
    "{name}/tests/test_sums.py": "assert False",
    "{name}-1.dist-info/METADATA": "Name: {name}",
    "{name}-1.dist-info/RECORD": "hashes",
}


def _compiled(name: str, folder: Path, sources: bool) -> list[str]:
    """Make a wheel, compile and unpack it, and return the names of its files."""
    old, new = folder / "old.whl", folder / "new.whl"
    with zipfile.ZipFile(old, "w") as archive:
        for path, content in FILES.items():
            archive.writestr(path.format(name=name), content.format(name=name))
    compile_wheel(old, new, "/served", sources)
    again = folder / "again.whl"
    compile_wheel(old, again, "/served", sources)
    assert new.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(new) as archive:
        archive.extractall(folder)
        return archive.namelist()


@pytest.mark.parametrize("sources", [False, True])
def test_a_compiled_wheel_is_imported_from_its_bytecode(
    sources: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same modules and data; sources only where they are kept, and no tests."""
    name = f"compiled_{sources}".lower()
    names = _compiled(name, tmp_path, sources)
    assert f"{name}/data.txt" in names
    assert f"{name}-1.dist-info/METADATA" in names
    assert not [path for path in names if "tests" in path or "RECORD" in path]
    assert (f"{name}/sums.py" in names) is sources
    monkeypatch.syspath_prepend(tmp_path)
    if sources:  # the bytecode is not made anew, whatever the source says
        (tmp_path / name / "sums.py").write_text("def double(x):\n    return 3 * x\n")
    module = importlib.import_module(name)
    assert module.double(4) == 8
    assert module.double.__code__.co_filename.endswith(f"{name}/sums.py")
    if sources:
        assert "3 * x" in inspect.getsource(module.double)
    else:
        assert module.double.__code__.co_filename.startswith("/served/")


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
