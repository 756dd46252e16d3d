"""Compiled modules for the wheels that the site serves.

A page unpacks its wheels at each visit, and Python would compile every module that a cell imports:
of SymPy that takes longer than all that a notebook computes with it. So the site's build does it
once, in the very Python that the page has: Pyodide, run by Node.
"""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.site import CACHE
from tools.site.assets.node import node

STORE = CACHE / "bytecode"
HERE = Path(__file__).parent
INSIDE, RUN = HERE / "compiled_wheel.py", HERE / "compile_wheels.mjs"


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
    major, minor, _ = python.split(".")
    library, packages = (
        f"/lib/python{major}{minor}.zip",
        f"/lib/python{major}.{minor}/site-packages",
    )
    key = hashlib.sha256(tool + file.read_bytes()).hexdigest()[:16]
    return {
        "from": str(file),
        "to": str(STORE / key / file.name),
        "folder": packages if file.suffix == ".whl" else library,
        "sources": file.name.startswith("stbp_edu-"),
    }
