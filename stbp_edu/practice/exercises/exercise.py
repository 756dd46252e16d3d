"""Exercises, read from the tables in ``content/exercises/``.

A table holds words and formulas; this module turns each formula into a function. A wrong answer is
written as an expression in the names of the signature, as a whole body, or, for a long one, as
edits of the solution (old => new, a line each).
"""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from typing import Any

import numpy as np

from stbp_edu.equations import EQUATIONS
from stbp_edu.practice.exercises.course import CONTENT, read, section
from stbp_edu.practice.exercises.mistakes import Mistake, mistakes

Function = Callable[..., Any]
"""A reader's function, of whatever signature the exercise gives."""


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        id: the name that ``check`` takes.
        title: what is asked for.
        notebook: number of the notebook that derives it.
        section: the heading there.
        signature: name and arguments of the function to write.
        situations: name of the calls that it is graded on.
        reference: dotted name of the function it is compared with.
        axes: what the axes of the result are.
        solution: the body of a right answer.
        reasoning: why it is right.
        hints: from the gentlest to the plainest.
        mistakes: wrong answers that have a name.
        equation: id of the equation, where the exercise has one, or an empty string.
        parts: what the results are, where there are several.
        view: dotted name of a function that turns a random result into what can be compared, or an
            empty string.
    """

    id: str
    title: str
    notebook: int
    section: str
    signature: str
    situations: str
    reference: str
    axes: tuple[str, ...]
    solution: str
    reasoning: str
    hints: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    equation: str
    parts: tuple[str, ...]
    view: str

    @property
    def stub(self) -> str:
        """The function as the reader finds it."""
        return f"def {self.signature}:\n    ..."

    def source(self, body: str | None = None) -> str:
        """Return the function with this body; with the solution's where None."""
        text = textwrap.dedent(self.solution if body is None else body).strip()
        if "return " not in text:
            text = f"return {text}"
        return f"def {self.signature}:\n{textwrap.indent(text, '    ')}"

    def function(self, body: str | None = None) -> Function:
        """Return that function, ready to be called."""
        return define(self.source(body))

    @cached_property
    def answer(self) -> Function:
        """The reference that answers are compared with."""
        return imported(self.reference)

    @cached_property
    def look(self) -> Function | None:
        """The view, or None where results are compared as they are."""
        return imported(self.view) if self.view else None


def imported(dotted: str) -> Function:
    """Return the function of this dotted name."""
    module, _, name = dotted.rpartition(".")
    function: Function = getattr(import_module(module), name)
    return function


@cache
def define(source: str) -> Function:
    """Return the one function that ``source`` defines."""
    namespace: dict[str, Any] = {"np": np}
    exec(source, namespace)  # the source is this package's own table, never the reader's text
    function: Function = namespace[source.removeprefix("def ").split("(", 1)[0]]
    return function


@cache
def catalogue() -> dict[str, Exercise]:
    """Return every exercise by id, in the order of the course."""
    found = [
        _exercise(id_, entry)
        for path in sorted((CONTENT / "exercises").glob("*.toml"))
        for id_, entry in read(path).items()
    ]
    return {e.id: e for e in sorted(found, key=lambda e: e.notebook)}


def find(exercise_id: object) -> Exercise:
    """Return the exercise of this id.

    Raises:
        ValueError: if there is none; the message names the nearest.
    """
    exercises = catalogue()
    if isinstance(exercise_id, str) and exercise_id in exercises:
        return exercises[exercise_id]
    near = difflib.get_close_matches(str(exercise_id), exercises, n=3, cutoff=0.4)
    near = near or list(exercises)[:3]
    raise ValueError(
        f"exercise_id must be the id of an exercise, such as {', '.join(map(repr, near))}, "
        f"got {exercise_id!r}; stbp_edu.practice.progress_report() lists them all"
    )


def _exercise(id_: str, entry: dict[str, Any]) -> Exercise:
    """Build one exercise from its table."""
    base = id_.removesuffix("-scalar")
    return Exercise(
        id=id_,
        title=entry["title"],
        notebook=entry["notebook"],
        section=section(base, id_),
        signature=entry["signature"],
        situations=entry.get("situations", id_),
        reference=entry["reference"],
        axes=tuple(entry.get("axes", ())),
        solution=entry["solution"],
        reasoning=entry["reasoning"],
        hints=tuple(entry["hints"]),
        mistakes=mistakes(entry, entry["solution"]),
        equation=entry.get("equation", base if base in EQUATIONS else ""),
        parts=tuple(entry.get("parts", ())),
        view=entry.get("view", ""),
    )
