"""The source as the site shows it: each file as a page, and where each equation stands.

An equation's id stands in notebook cells, at lines of code and in names of tests; its page links
them all.
"""

import ast
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stbp_edu._support.equations import EQUATIONS
from stbp_edu._support.files import read_text
from tools import ROOT

TAG = re.compile(r"\\tag\{([^}]+)\}")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.M)
DEFINITIONS = (ast.FunctionDef, ast.ClassDef)
COMMENT = re.compile(r"(?:^|\s)# ([^\"]+)$")


@dataclass(frozen=True)
class Place:
    """One place where an id stands."""

    path: str  # of the file, relative to the repository
    line: int  # in a Python file, from 1; of a notebook, the number of the cell, from 0
    name: str  # of the function or test around the line, or the heading above the equation


@cache
def scan(notebooks: Path) -> dict[str, dict[str, list[Place]]]:
    """Return, for each equation, where it stands in a folder of notebooks, in code and in tests."""
    places_of: dict[str, dict[str, list[Place]]] = {
        id_: {"notebooks": [], "code": [], "tests": []} for id_ in EQUATIONS
    }
    for kind, folder, pattern, ids_in in (
        ("notebooks", notebooks, "*.ipynb", tags),
        ("code", ROOT / "stbp_edu", "**/*.py", comments),
        ("tests", ROOT / "tests", "**/test_*.py", tests),
    ):
        for path in sorted(folder.glob(pattern)):
            name = path.relative_to(folder.parent).as_posix()
            for id_, place in ids_in(read_text(path), name, EQUATIONS):
                places_of[id_][kind].append(place)
    return places_of


def tags(notebook: str, path: str, ids: Collection[str]) -> Iterator[tuple[str, Place]]:
    r"""Yield the ids in ``\tag{id}`` in a notebook's Markdown, with the heading above each."""
    heading = ""
    for k, cell in enumerate(json.loads(notebook)["cells"]):
        if cell["cell_type"] == "markdown":
            source = "".join(cell["source"])
            for match in re.finditer(f"{HEADING.pattern}|{TAG.pattern}", source, re.M):
                heading = match[1] or heading
                if match[2] in ids:
                    yield match[2], Place(path, k, heading)


def comments(
    source: str, path: str, ids: Collection[str]
) -> Iterator[tuple[str, Place]]:
    """Yield the ids in comments that start with one, with the functions around them.

    A line that computes two equations names both: ``# c3-delta, c3-delta-classic``.
    """
    definitions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, DEFINITIONS)
    ]
    for number, line in enumerate(source.splitlines(), start=1):
        comment = COMMENT.search(line)
        words = re.findall(r"[\w-]+", comment[1]) if comment else []
        if words and words[0] in ids:
            around = [
                x for x in definitions if x.lineno <= number <= (x.end_lineno or 0)
            ]
            inside = around and not isinstance(around[-1], ast.ClassDef)
            name = ".".join(x.name for x in around) if inside else ""
            for id_ in dict.fromkeys(word for word in words if word in ids):
                yield id_, Place(path, number, name)


def tests(source: str, path: str, ids: Collection[str]) -> Iterator[tuple[str, Place]]:
    """Yield the ids that stand, with underscores, in the names of tests; the longest id counts."""
    known = {id_.replace("-", "_"): id_ for id_ in sorted(ids, key=len, reverse=True)}
    pattern = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(known)})(?![a-z0-9])")
    for number, line in enumerate(source.splitlines(), start=1):
        if found := re.match(r" *def test_(\w+)", line):
            for hit in dict.fromkeys(pattern.findall(found[1])):
                yield known[hit], Place(path, number, f"test_{found[1]}")


def source_files(places: dict[str, dict[str, list[Place]]]) -> list[Path]:
    """Return the Python files that the site shows: the package, and the tests that it names."""
    named = {place.path for of_id in places.values() for place in of_id["tests"]}
    for text in (*(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")):
        named.update(re.findall(r"\btests/[\w/]+\.py", read_text(text)))
    paths = {*(ROOT / "stbp_edu").rglob("*.py"), *(ROOT / name for name in named)}
    return sorted(p for p in paths if p.is_file() and read_text(p).strip())
