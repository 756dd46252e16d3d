"""This project's wheel and source archive, and the libraries that its modules import."""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import grimp

from tools.pages.records import FOLDER
from tools.site import CACHE, ROOT

LIBRARIES = {"numpy", "matplotlib", "sympy", "mpmath", "autograd", "tqdm"}
REQUIRED = re.compile(r'\brequire\("(\w+)"')  # an import by name, which the import graph misses
LAZY = {"stbp_edu.derive": "stbp_edu.derived"}  # a name that stands for a module when it is used
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def own_wheel() -> Path:
    """Return the wheel of this tree, built anew only when a file of the package has changed."""
    folder = CACHE / "own" / _fingerprint([*_files(ROOT / "stbp_edu"), *_files(FOLDER)])
    return _built("wheel", folder, "*.whl")


def own_archive() -> Path:
    """Return the source archive of this tree, built anew only when one of its files has changed."""
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    files = (_files(ROOT / name.strip("/")) for name in included)
    return _built(
        "sdist", CACHE / "own" / _fingerprint(f for found in files for f in found), "*.gz"
    )


def _built(target: str, folder: Path, pattern: str) -> Path:
    """Return the file in the folder; the project's build backend makes it where it is missing."""
    if not any(folder.glob(pattern)):
        environment = {**os.environ, "PYTHONPATH": str(_backend())}
        command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob(pattern))


def _backend() -> Path:
    """Return a folder with the build backend that pyproject.toml names, fetched once."""
    wanted = PROJECT["build-system"]["requires"]
    folder = CACHE / "backend" / hashlib.sha256(repr(wanted).encode()).hexdigest()[:16]
    if not (folder / "hatchling").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", str(folder), *wanted], check=True)
    return folder


def _files(path: Path) -> list[Path]:
    found = path.rglob("*") if path.is_dir() else [path]
    return [p for p in found if p.is_file() and "__pycache__" not in p.parts]


def _fingerprint(files: Iterable[Path]) -> str:
    texts = [
        ROOT / name
        for name in ("pyproject.toml", "README.md", *PROJECT["project"]["license-files"])
    ]
    digest = hashlib.sha256()
    for path in sorted({*files, *texts}):
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
    needed = {name: sorted(graph.find_upstream_modules(name) & LIBRARIES) for name in modules}
    return needed | {name: needed[module] for name, module in LAZY.items()}


def _source(module: str) -> str:
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return path.read_text(encoding="utf-8")
