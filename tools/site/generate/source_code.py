"""The source as the site shows it: what is defined where, and where each equation stands.

griffe reads the package, and nothing is imported. An equation's id stands in notebook cells, at
lines of code and in names of tests; its page links them all, and each file is a page of its own.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import griffe

from stbp_edu import equations as register
from tools import ROOT
from tools.site.render.notebook_page import python
from tools.templates import filled

TAG = re.compile(r"\\tag\{([^}]+)\}")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.M)


@dataclass(frozen=True)
class Definition:
    """The lines of a definition: the file, relative to the repository, first and last line."""

    path: str
    first: int
    last: int


def read_package() -> griffe.Module:
    """Return the package, with the names that faces export resolved; nothing is imported."""
    package = griffe.load("stbp_edu", search_paths=[str(ROOT)], resolve_aliases=True)
    assert isinstance(package, griffe.Module)
    return package


def definitions(package: griffe.Module) -> dict[str, Definition]:
    """Map the dotted name of each module, class, function and attribute to its lines."""
    lines: dict[str, Definition] = {}

    def visit(thing: griffe.Object) -> None:
        path = thing.filepath
        assert not isinstance(path, list)
        name = path.resolve().relative_to(ROOT).as_posix()
        lines[thing.path] = Definition(name, thing.lineno or 1, thing.endlineno or 1)
        for member in thing.members.values():
            if isinstance(member, griffe.Object):
                visit(member)

    visit(package)
    return lines


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
    python_files = [
        ("code", (root / "stbp_edu").rglob("*.py"), comments),
        ("tests", (root / "tests").rglob("test_*.py"), tests),
    ]
    for kind, paths, ids_in in python_files:
        for path in sorted(paths):
            name = path.relative_to(root).as_posix()
            for id_, place in ids_in(path.read_text(encoding="utf-8"), name, places_of):
                getattr(places_of[id_], kind).append(place)
    return places_of


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
    if not any(f"# {id_}" in source for id_ in known):
        return []
    tree = ast.parse(source)
    places = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            words = re.findall(r"[\w-]+", token.string)
            for word in dict.fromkeys(words if words and words[0] in known else []):
                if word in known:
                    line = token.start[0]
                    places.append((word, Place(path, line, _around(tree, line))))
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


def _around(node: ast.AST, line: int) -> str:
    """Return the innermost function around a line with its classes, or an empty string."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            if child.lineno <= line <= (child.end_lineno or line):
                inner = _around(child, line)
                own = child.name if inner or isinstance(child, ast.FunctionDef) else ""
                return ".".join(filter(None, (own, inner)))
        elif inner := _around(child, line):
            return inner
    return ""


def equation_names(places: dict[str, Places], titles: dict[str, str]) -> dict[str, object]:
    """Return the names in ``docs/equations.md``.

    Args:
        places: of each equation, by its id.
        titles: of the notebooks, by their stems.
    """

    def derivation(id_: str, place: Place) -> str:
        stem = Path(place.path).stem
        return f'<a href="../notebooks/{stem}/#eq-{id_}">{escape(titles.get(stem, stem))}</a>'

    def links(id_: str) -> dict[str, dict[str, None]]:
        at = places[id_]
        return {
            "derived in": dict.fromkeys(derivation(id_, place) for place in at.notebooks),
            "computed in": dict.fromkeys(map(_link, at.code)),
            "tested by": dict.fromkeys(map(_link, at.tests)),
        }

    return {"count": len(register.EQUATIONS), "groups": register.GROUPS, "links": links}


def _link(place: Place) -> str:
    """Return a link from a page one level deep to a line of a source file."""
    url = f"../source/{place.path.removesuffix('.py')}/#L{place.line}"
    name = place.name or f"line {place.line}"
    folder = Path(place.path).relative_to(Path(place.path).parts[0])
    words = escape(name).replace("_", "_<wbr>")  # the name of a test is a sentence
    return f'<a href="{url}"><code>{escape(str(folder))}</code> {words}</a>'


def source_files(places: dict[str, Places]) -> list[Path]:
    """Return the Python files that the site shows: the package, and the tests that it names."""
    named = {place.path for of_id in places.values() for place in of_id.tests}
    for text in (*(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")):
        named.update(re.findall(r"\btests/[\w/]+\.py", text.read_text(encoding="utf-8")))
    paths = {*(ROOT / "stbp_edu").rglob("*.py"), *(ROOT / name for name in named)}
    return sorted(p for p in paths if p.is_file() and p.read_text(encoding="utf-8").strip())


def source_page(path: Path, api: str) -> str:
    """Return the page of one source file: coloured, every line with an anchor.

    ``api`` is the line under the title: a link to the module's description, where it has one.
    """
    lines = python(path.read_text(encoding="utf-8")).split("\n")
    return filled("source.md", name=path.relative_to(ROOT).as_posix(), api=api, lines=lines)
