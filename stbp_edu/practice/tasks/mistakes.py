"""The named misconceptions, and the wrong answers of an exercise or a blank that show one.

The library is ``content/misconceptions.toml``. The table of a task lists its wrong answers by the
misconception's name, and may add a note: what the name means in this task.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stbp_edu.files import read_toml

CONTENT = Path(__file__).parent / "content"


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
    return read_toml(CONTENT / "misconceptions.toml")


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
