"""The project's own wheel, built from this tree, and what each of its modules needs to import."""

from __future__ import annotations

import ast
import hashlib
import subprocess
import sys
from pathlib import Path

from stbp_edu.training.runs import measurements_folder
from tools.site import CACHE, ROOT

PACKAGE = ROOT / "stbp_edu"
KNOWN = {"numpy", "matplotlib", "sympy", "mpmath", "autograd", "tqdm"}


def own_wheel() -> Path:
    """Return the wheel of this tree, built anew only when a file of the package has changed."""
    folder = CACHE / "own" / _fingerprint()
    if not any(folder.glob("*.whl")):
        pip = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "-w", str(folder), str(ROOT)], check=True)
    return next(folder.glob("*.whl"))


def _fingerprint() -> str:
    folders = (PACKAGE, measurements_folder())
    files = [p for f in folders for p in f.rglob("*") if p.is_file() and p.suffix != ".pyc"]
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    for path in sorted(files):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def needs() -> dict[str, list[str]]:
    """Map each module of the package to the other packages that using it may import.

    The page reads a cell's imports before it runs: ``stbp_edu.plotting`` means matplotlib too.
    Imports inside functions count, except for those of the package's top: ``import stbp_edu``
    stays light.
    """
    graph = {_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
    found = {}
    for module in graph:
        packages = _reach(module, graph, deep=module != "stbp_edu")
        found[module] = sorted(packages & KNOWN)
    return found


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _reach(start: str, graph: dict[str, Path], *, deep: bool) -> set[str]:
    """Return the outside packages reached from a module by its imports, through our own."""
    packages: set[str] = set()
    seen: set[str] = set()
    todo = [start]
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        for name in _imports(ast.parse(graph[module].read_text()), deep=deep):
            parts = name.split(".")
            own = [".".join(parts[:k]) for k in range(len(parts), 0, -1)]
            if parts[0] != "stbp_edu":
                packages.add(parts[0])
            elif (hit := next((m for m in own if m in graph), None)) and hit != "stbp_edu":
                todo.append(hit)
    return packages


def _imports(tree: ast.Module, *, deep: bool) -> list[str]:
    """Return the dotted names that a module imports; without ``deep``, those at its top only."""
    names: list[str] = []
    for node in ast.walk(tree) if deep else tree.body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names += [node.value] * (node.value.split(".")[0] in KNOWN)  # for import_module
    return names
