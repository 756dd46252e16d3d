"""Find where each equation id stands: in notebook cells, lines of code and names of tests."""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.site import ROOT

TAG = re.compile(r"\\tag\{([^}]+)\}")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.M)


@dataclass(frozen=True)
class Place:
    """One place where an id stands.

    Attributes:
        path: the file, relative to the repository, with ``/``.
        line: the line in a Python file (from 1), or the number of the cell in a notebook (from 0).
        name: the function or test around the line; in a notebook, the heading above the equation.
    """

    path: str
    line: int
    name: str


@dataclass
class Places:
    """All places of one id."""

    notebooks: list[Place] = field(default_factory=list)
    code: list[Place] = field(default_factory=list)
    tests: list[Place] = field(default_factory=list)


def scan(ids: Iterable[str], root: Path = ROOT, notebooks: Path | None = None) -> dict[str, Places]:
    """Return, for each id, where it stands in ``notebooks/``, ``stbp_edu/`` and ``tests/``."""
    places_of = {id_: Places() for id_ in ids}
    for path in sorted((notebooks or root / "notebooks").glob("*.ipynb")):
        for id_, place in tags(path.read_text(encoding="utf-8"), f"notebooks/{path.name}"):
            if id_ in places_of:
                places_of[id_].notebooks.append(place)
    for path in sorted((root / "stbp_edu").rglob("*.py")):
        for id_, place in comments(path.read_text(encoding="utf-8"), _name(path, root), places_of):
            places_of[id_].code.append(place)
    for path in sorted((root / "tests").rglob("test_*.py")):
        for id_, place in tests(path.read_text(encoding="utf-8"), _name(path, root), places_of):
            places_of[id_].tests.append(place)
    return places_of


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def tags(notebook: str, path: str) -> list[tuple[str, Place]]:
    r"""Return the ids of all ``\tag{id}`` in a notebook's Markdown, with the heading above each."""
    places = []
    heading = ""
    for k, cell in enumerate(json.loads(notebook)["cells"]):
        if cell["cell_type"] == "markdown":
            source = "".join(cell["source"])
            for match in re.finditer(f"{HEADING.pattern}|{TAG.pattern}", source, re.M):
                heading = match[1] or heading
                if match[2]:
                    places.append((match[2], Place(path, k, heading)))
    return places


def comments(source: str, path: str, ids: Iterable[str]) -> list[tuple[str, Place]]:
    """Return the ids in comments that start with one, and their functions.

    A line that computes two equations names both: ``# c3-delta, c3-delta-classic``.
    """
    known = set(ids)
    if not any(id_ in source for id_ in known):
        return []
    functions = list(_functions(ast.parse(source)))
    places = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            words = re.findall(r"[\w-]+", token.string)
            for word in dict.fromkeys(words if words and words[0] in known else []):
                if word in known:
                    line = token.start[0]
                    places.append((word, Place(path, line, _around(functions, line))))
    return places


def tests(source: str, path: str, ids: Iterable[str]) -> list[tuple[str, Place]]:
    """Return the ids that stand, with underscores, in the names of tests; the longest id counts."""
    known = sorted(ids, key=len, reverse=True)
    alternatives = "|".join(re.escape(id_.replace("-", "_")) for id_ in known)
    pattern = re.compile(rf"(?<![a-z0-9])(?:{alternatives})(?![a-z0-9])")
    back = {id_.replace("-", "_"): id_ for id_ in known}
    places = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            hits = dict.fromkeys(pattern.findall(node.name[5:]))
            places += [(back[hit], Place(path, node.lineno, node.name)) for hit in hits]
    return places


def _functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[int, int, str]]:
    """Yield (first line, last line, qualified name) of every function, outermost first."""
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            inner = f"{prefix}{child.name}."
            if isinstance(child, ast.FunctionDef):
                yield child.lineno, child.end_lineno or child.lineno, inner.rstrip(".")
        yield from _functions(child, inner)


def _around(functions: list[tuple[int, int, str]], line: int) -> str:
    """Return the innermost function around a line, or an empty string."""
    names = [name for first, last, name in functions if first <= line <= last]
    return names[-1] if names else ""
