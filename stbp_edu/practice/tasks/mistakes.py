"""The named misconceptions, and the wrong answers of an exercise or a blank that show one.

The library is ``content/misconceptions.toml``. The table of a task lists its wrong answers by the
misconception's name, and may add a note: what the name means in this task.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CONTENT = Path(__file__).parent / "content"

Listed = Mapping[str, str | Sequence[str]]
"""Wrong answers by the misconception's name: one, or several."""


@dataclass(frozen=True)
class Mistake:
    """One misconception as it shows in one task: a wrong answer.

    Attributes:
        id: the misconception's name in the tables.
        body: the wrong answer, a body in the exercise's signature or a formula.
        name: what is wrong, in half a sentence.
        why: why the right formula differs, in general or in this task.
    """

    id: str
    body: str
    name: str
    why: str

    def __str__(self) -> str:
        """Return the sentences that tell the reader."""
        return f"Found: {self.name}. {self.why}"


@cache
def misconceptions() -> dict[str, dict[str, str]]:
    """Return ``name`` and ``why`` of every misconception by id."""
    return tomllib.loads((CONTENT / "misconceptions.toml").read_text(encoding="utf-8"))


def mistakes_of(listed: Listed, notes: Mapping[str, str], solution: str) -> tuple[Mistake, ...]:
    """Return the wrong answers that a task's table lists; one name may have several."""
    if unused := notes.keys() - listed.keys():
        raise ValueError(f"notes must belong to a mistake of the table, got {sorted(unused)}")
    library = misconceptions()
    return tuple(
        Mistake(id_, edited(solution, b), library[id_]["name"], notes.get(id_, library[id_]["why"]))
        for id_, bodies in listed.items()
        for b in ([bodies] if isinstance(bodies, str) else bodies)
    )


def edited(solution: str, body: str) -> str:
    """Return ``body``, or the solution with the edits that ``body`` lists, a line each.

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
