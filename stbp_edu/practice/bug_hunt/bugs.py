"""The bugs: a right backward pass, and the same with one change each.

The pass, and what can be changed in it, are in ``changes.toml``; that a term is missing or has the
wrong sign is tried for each term of a sum.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from zlib import crc32

from stbp_edu.files import read_toml
from stbp_edu.practice.tasks.catalogue import define

PLUS = re.compile(r" \+ (?![^\[]*\])")
"""A sum's plus, which stands in no index."""


@cache
def table() -> dict[str, Any]:
    """Return the program, the terms of its lines, and what can be changed in them."""
    return read_toml(Path(__file__).with_name("changes.toml"))


@dataclass(frozen=True)
class Bug:
    """One change of the program.

    Attributes:
        case: 1 to 5; 0 where no case is changed, but the loops or the choice of the case.
        term: the arrow whose term is wrong: ``"direct"``, ``"weight"``, ``"reset"``, ``"spike"``
            or ``"carry"``; in case 5 ``"W"`` or ``"b"``; in case 0 ``"loop"``.
        what: what is wrong, in words.
        line: number of the line, from 1.
        source: the program with the change.
    """

    case: int
    term: str
    what: str
    line: int
    source: str

    def __str__(self) -> str:
        """Return the place, and what is wrong there."""
        return f"case {self.case}, {self.term}: {self.what}"

    @property
    def mended(self) -> str:
        """The line as it should be."""
        lines: list[str] = table()["program"].splitlines()
        return lines[self.line - 1].strip()

    @cached_property
    def run(self) -> Any:
        """The program, ready to be called."""
        return define(self.source)


@cache
def bugs() -> tuple[Bug, ...]:
    """Return every program with one bug, in the order of the hunt, which goes by no case."""
    made = (bug for bug in reversed([*_bugs()]) if [bug.case, bug.what] not in table()["no_bug"])
    found = {bug.source: bug for bug in made}
    return tuple(sorted(found.values(), key=lambda bug: crc32(bug.source.encode())))


def _bugs() -> Iterator[Bug]:
    """Yield every change, in each line in which it can be made."""
    lines, terms = table()["program"].splitlines(), iter(table()["terms"])
    for k, line in enumerate(lines):
        if re.search(r"\[t\] = |append\(", line):
            case, *names = next(terms)
        elif re.search(r"reversed|if ", line):
            case, names = 0, ["loop"]
        else:
            continue
        every = [*_sums(line, names)] if len(names) == 2 else []
        for old, new in table()["changes"].items():
            every += _replaced(line, names, old, new)
        for term, what, new in every:
            source = "\n".join((*lines[:k], new, *lines[k + 1 :], ""))
            yield Bug(case, term, what, k + 1, source)


Change = tuple[str, str, str]
"""The term, what is wrong with it, and the line with the change."""


def _sums(line: str, names: Sequence[str]) -> Iterator[Change]:
    """Yield a term that is missing or has the wrong sign, for a line that is a sum."""
    head, _, terms = line.partition(" = ")
    left, right = PLUS.split(terms)
    yield names[0], "the term is missing", f"{head} = {right}"
    yield names[0], "the sign of the term is turned round", f"{head} = -{left} + {right}"
    yield names[1], "the term is missing", f"{head} = {left}"
    yield names[1], "the sign of the term is turned round", f"{head} = {left} - {right}"


def _replaced(
    line: str, names: Sequence[str], old: str, changes: dict[str, str]
) -> Iterator[Change]:
    """Yield what the table puts in place of an expression; a whole sum goes with its last term."""
    for found in re.finditer(rf"(?<![\w.]){re.escape(old)}(?!\w)", line):
        is_last = len(PLUS.split(line[: found.end()])) == len(names)
        for what, new in changes.items():
            yield names[-is_last], what, line[: found.start()] + new + line[found.end() :]
