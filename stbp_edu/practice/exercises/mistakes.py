"""The named misconceptions, and how one shows in an exercise or a blank.

The library is ``content/misconceptions.toml``. The table of a task lists its wrong answers by the
misconception's name, and may add a note: what the name means right there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from stbp_edu.practice.exercises.course import CONTENT, read


@dataclass(frozen=True)
class Misconception:
    """A mistake that has a name.

    Attributes:
        id: its name in the tables.
        name: what is wrong, in half a sentence.
        why: why the right formula differs.
    """

    id: str
    name: str
    why: str


@dataclass(frozen=True)
class Mistake:
    """One misconception as it shows in one task: a wrong answer.

    Attributes:
        misconception: the misconception.
        body: the wrong answer, a body in the exercise's signature or a formula.
        note: what to say in this task in place of the misconception's ``why``, or "".
    """

    misconception: Misconception
    body: str
    note: str = ""

    def __str__(self) -> str:
        """Say what is wrong, and what the formula does."""
        return f"Found: {self.misconception.name}. {self.note or self.misconception.why}"


@cache
def misconceptions() -> dict[str, Misconception]:
    """Return every named misconception by id."""
    entries = read(CONTENT / "misconceptions.toml")
    return {id_: Misconception(id_, **entry) for id_, entry in entries.items()}


def mistakes(entry: dict[str, Any], solution: str) -> tuple[Mistake, ...]:
    """Return the wrong answers that a task's table lists; one name may have several."""
    library, listed, notes = misconceptions(), entry["mistakes"], entry.get("notes", {})
    if unused := notes.keys() - listed.keys():
        raise ValueError(f"notes must belong to a mistake of the table, got {sorted(unused)}")
    return tuple(
        Mistake(library[name], edited(solution, body), notes.get(name, ""))
        for name, bodies in listed.items()
        for body in ([bodies] if isinstance(bodies, str) else bodies)
    )


def edited(solution: str, body: str) -> str:
    """Return ``body``; where it is a list of edits, a line each, the solution with these edits.

    >>> edited("return a * b", "a * b => a + b")
    'return a + b'
    """
    if " => " not in body:
        return body
    for line in body.splitlines():
        old, new = line.split(" => ")
        if old not in solution:
            raise ValueError(f"the edit {line!r} does not apply: {old!r} is not in the solution")
        solution = solution.replace(old, new)
    return solution
