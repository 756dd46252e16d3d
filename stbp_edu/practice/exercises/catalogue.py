"""The exercises, read from the tables in ``content/exercises/``.

A table holds texts and formulas; this module turns each formula into a function. A wrong answer is
written as an expression in the names of the signature, as a whole body, or, for a long one, as
edits of the solution (old => new, a line each). The reference, which answers are compared with, is
an expression in these names and in those of :mod:`stbp_edu.practice.exercises.references`.
"""

import difflib
import textwrap
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu.equations import EQUATIONS
from stbp_edu.practice.exercises import references, tables
from stbp_edu.practice.exercises.mistakes import Listed, Mistake, mistakes_of

Function = Callable[..., Any]
"""A reader's function, of whatever signature the exercise gives."""

FOLDER = Path(__file__).parent / "content" / "exercises"


@dataclass(frozen=True)
class Exercise:
    """One exercise; its table has the same names.

    Attributes:
        id: the name that ``check`` takes.
        title: what is asked for.
        notebook: number of the notebook that derives it.
        signature: name and arguments of the function to write.
        inputs: where its inputs come from; see :mod:`stbp_edu.practice.exercises.inputs`.
        reference: the expression that answers are compared with.
        solution: the body of a right answer.
        reasoning: why it is right.
        hints: from the gentlest to the plainest.
        equation: id of the equation, where the exercise has one, or an empty string.
        listed_mistakes: wrong answers by misconception, as the table lists them.
        notes: what a misconception means in this exercise.
        axes: what the axes of the result are.
        parts: what the results are, where there are several.
        view: name of a function of :mod:`stbp_edu.practice.exercises.references` that turns a
            random result into what can be compared, or an empty string.
    """

    id: str
    title: str
    notebook: int
    signature: str
    inputs: str
    reference: str
    solution: str
    reasoning: str
    hints: tuple[str, ...]
    equation: str
    listed_mistakes: Listed = field(repr=False, hash=False)
    notes: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    axes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    view: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments."""
        return tuple(self.signature.partition("(")[2].rstrip(")").split(", "))

    @property
    def section(self) -> str:
        """The heading in the notebook under which it is derived."""
        return tables.section(self.id.removesuffix("-scalar"), self.id)

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The wrong answers that have a name."""
        return mistakes_of(self.listed_mistakes, self.notes, self.solution)

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
        source = f"lambda {', '.join(self.arguments)}: {self.reference}"
        function: Function = eval(source, dict(vars(references)))  # the package's own table
        return function

    @cached_property
    def comparable(self) -> Function | None:
        """The view, or None where results are compared as they are."""
        return getattr(references, self.view) if self.view else None


@cache
def define(source: str) -> Function:
    """Return the one function that ``source`` defines."""
    namespace: dict[str, Any] = {"np": np}
    exec(source, namespace)  # the source is this package's own table, never the reader's text
    function: Function = namespace[source.removeprefix("def ").split("(", 1)[0]]
    return function


@cache
def exercises() -> dict[str, Exercise]:
    """Return every exercise by id, in the order of the course."""
    listed = [
        _exercise(id_, table)
        for path in sorted(FOLDER.glob("*.toml"))
        for id_, table in tomllib.loads(path.read_text(encoding="utf-8")).items()
    ]
    return {e.id: e for e in sorted(listed, key=lambda e: e.notebook)}


def exercise_of(exercise_id: object) -> Exercise:
    """Return the exercise of this id.

    Raises:
        ValueError: if there is none; the message names the nearest.
    """
    known = exercises()
    if isinstance(exercise_id, str) and exercise_id in known:
        return known[exercise_id]
    near = difflib.get_close_matches(str(exercise_id), known, n=3, cutoff=0.4)
    near = near or list(known)[:3]
    raise ValueError(
        f"exercise_id must be the id of an exercise, such as {', '.join(map(repr, near))}, "
        f"got {exercise_id!r}; stbp_edu.practice.progress_report() lists them all"
    )


def _exercise(id_: str, table: dict[str, Any]) -> Exercise:
    """Return the exercise that a table describes."""
    base = id_.removesuffix("-scalar")
    defaults = {"inputs": id_, "equation": base if base in EQUATIONS else ""}
    values: dict[str, Any] = {
        "listed_mistakes" if k == "mistakes" else k: tuple(v) if isinstance(v, list) else v
        for k, v in {**defaults, **table}.items()
    }
    return Exercise(id=id_, **values)
