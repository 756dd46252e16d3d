"""The package as griffe reads it: modules, docstrings, and the lines of each definition."""

from dataclasses import dataclass

import griffe

from tools.site import ROOT


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


def first_paragraph(thing: griffe.Object) -> str:
    """Return the first paragraph of a docstring, on one line."""
    text = thing.docstring.value if thing.docstring else ""
    return text.split("\n\n")[0].replace("\n", " ")
