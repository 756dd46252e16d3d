"""This project's wheel, built from the working tree, and the libraries that its modules import."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import grimp

from tools.pages.published_records import FOLDER
from tools.site import CACHE, ROOT

LIBRARIES = {"numpy", "matplotlib", "sympy", "mpmath", "autograd", "tqdm"}
REQUIRED = re.compile(r'\brequire\("(\w+)"')  # an import by name, which the import graph misses


def own_wheel() -> Path:
    """Return the wheel of this tree, built anew only when a file of the package has changed."""
    folder = CACHE / "own" / _fingerprint()
    if not any(folder.glob("*.whl")):
        pip = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "-w", str(folder), str(ROOT)], check=True)
    return next(folder.glob("*.whl"))


def _fingerprint() -> str:
    folders = (ROOT / "stbp_edu", FOLDER)
    files = [p for f in folders for p in f.rglob("*") if p.is_file() and p.suffix != ".pyc"]
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    for path in sorted(files):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def needed_libraries() -> dict[str, list[str]]:
    """Map each module of the package to the libraries that it imports, directly or through others.

    The page reads a cell's imports before it runs: ``stbp_edu.plotting`` needs matplotlib too.
    Imports inside functions count.
    """
    graph = grimp.build_graph("stbp_edu", include_external_packages=True, cache_dir=None)
    modules = sorted(name for name in graph.modules if name.partition(".")[0] == "stbp_edu")
    for name in modules:
        for library in REQUIRED.findall(_source(name)):
            graph.add_import(importer=name, imported=library)
    return {name: sorted(graph.find_upstream_modules(name) & LIBRARIES) for name in modules}


def _source(module: str) -> str:
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return path.read_text(encoding="utf-8")
