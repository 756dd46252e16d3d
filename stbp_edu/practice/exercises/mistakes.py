"""The named misconceptions, and the wrong answers of an exercise or a blank that show one.

The library is ``content/misconceptions.toml``. The table of a task lists its wrong answers by the
misconception's name, and may add a note: what the name means in this task.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from stbp_edu.practice.exercises.tables import CONTENT, read_table

Listed = Mapping[str, str | Sequence[str]]
"""Wrong answers by the misconception's name: one, or several."""


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
        """Return the sentences that tell the reader."""
        return f"Found: {self.misconception.name}. {self.note or self.misconception.why}"


@cache
def misconceptions() -> dict[str, Misconception]:
    """Return every named misconception by id."""
    entries = read_table(CONTENT / "misconceptions.toml")
    return {id_: Misconception(id_, **entry) for id_, entry in entries.items()}


def mistakes_of(listed: Listed, notes: Mapping[str, str], solution: str) -> tuple[Mistake, ...]:
    """Return the wrong answers that a task's table lists; one name may have several."""
    library = misconceptions()
    if unused := notes.keys() - listed.keys():
        raise ValueError(f"notes must belong to a mistake of the table, got {sorted(unused)}")
    return tuple(
        Mistake(library[name], edited(solution, body), notes.get(name, ""))
        for name, bodies in listed.items()
        for body in ([bodies] if isinstance(bodies, str) else bodies)
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
