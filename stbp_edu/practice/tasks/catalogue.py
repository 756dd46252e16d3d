"""The exercises and the derivation blanks, read from the tables in ``content/``.

A table holds texts and formulas; this module turns each formula of an exercise into a function.
The reference, which answers are compared with, is an expression in the names of the signature and
of :mod:`stbp_edu.practice.tasks.programs`.

Wrong answers are listed by a misconception of the library, perhaps with a note on what that means
here: each as an expression, a whole body, or edits of the solution (old => new, a line each).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from stbp_edu._support import checks
from stbp_edu._support.equations import EQUATIONS
from stbp_edu._support.files import read_toml
from stbp_edu.practice.tasks import programs
from stbp_edu.practice.tasks.programs import AnswerFunction, define, edited, source_of

CONTENT = Path(__file__).parent / "content"
AnyTask = TypeVar("AnyTask", bound="Task")


@dataclass(frozen=True)
class Mistake:
    """One misconception as it shows in one task: a wrong answer."""

    id: str  # the misconception's name in the tables
    body: str  # the wrong answer, a body in the exercise's signature or a formula
    name: str  # what is wrong, in half a sentence
    why: str  # why the right formula differs, in general or in this task
    program: str  # the wrong answer as a whole function

    @property
    def text(self) -> str:
        """The sentences that tell the reader."""
        return f"Found: {self.name}. {self.why}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What exercises and derivation blanks have in common; their tables have the same names.

    Attributes:
        id: what ``check``, hints and progress call it; of a blank, the equation's id and
            ``-formula``.
        title: what is asked for, in a line.
        given: what the notebook has said before it asks, which a reader of only the prompt needs.
        prompt: what is asked, as the notebook asks it where the task is in one.
        objective: what it teaches, one of ``content/objectives.toml``.
        minutes: how long a student takes for it.
        use: practice, homework or exam.
        equation: id of the equation, where the task has one, or an empty string.
        solution: a right answer: a formula, or the body of a function.
        reasoning: why it is right.
        hints: from the gentlest to the plainest.
        listed_mistakes: wrong answers by misconception, as the table lists them: one, or several.
        notes: what a misconception means in this task.
        axes: what the axes of a result are.
        parts: what the results are, where there are several.
        view: name of a function of :mod:`stbp_edu.practice.tasks.programs` that makes a random
            function one whose results can be compared, or an empty string.
        whole: the body of a function that makes of an ``answer`` a backward pass as
            ``check_network`` takes it, or an empty string.
    """

    id: str
    title: str
    prompt: str
    objective: str
    minutes: int
    use: str
    equation: str
    solution: str
    reasoning: str
    hints: Sequence[str]
    listed_mistakes: Mapping[str, str | Sequence[str]] = field(repr=False)
    notes: Mapping[str, str] = field(default_factory=dict, repr=False)
    given: str = ""
    axes: Sequence[str] = ()
    parts: Sequence[str] = ()
    view: str = ""
    whole: str = ""

    @property
    def notebook(self) -> int:
        """The number of the notebook that derives it, or else its equation."""
        return self._derived_in[0]

    @property
    def section(self) -> str:
        """The heading in that notebook under which it, or else its equation, is derived."""
        return self._derived_in[1]

    @property
    def _derived_in(self) -> tuple[int, str]:
        """The number of that notebook, and the heading."""
        places = derived_in()
        return places.get(self.id) or places[self.equation]

    @property
    def in_course(self) -> bool:
        """Whether it is in a notebook; the others are for more practice."""
        return any(self.id in table["exercises"] for table in course_table().values())

    @property
    def of_the_course(self) -> bool:
        """Whether it is a task of this package, which has hints to it; a teacher's own is not."""
        return self.id in tasks()

    def pointer(self) -> str:
        """Return the sentence that says where in the course to look, and how to get a hint.

        Of a teacher's own task only the notebook is said: its equation is just the nearest.
        """
        if not self.of_the_course:
            return f"Look at notebook {self.notebook}."
        tag = f", equation ({self.equation})" if self.equation else ""
        place = f'Look at notebook {self.notebook}, "{self.section}"{tag}'
        return f'{place}; `hint("{self.id}")` gives a hint.'

    @property
    def meanings(self) -> dict[str, str]:
        """What each name means that an answer may use, unless the prompt says it."""
        return {}

    @property
    def question(self) -> str:
        """What is given, what is asked, and what the names mean, in Markdown.

        >>> print(exercises()["c1-epsilon-scalar"].question)
        One output neuron at the last step: return ε from its δ.
        <BLANKLINE>
        - `delta`: δ of this neuron, a number
        - `h`: $h(u)$, the surrogate at its potential, a number
        """
        asked = f"{self.given} {self.prompt.strip()}".strip()
        names = [f"- `{name}`: {meaning}" for name, meaning in self.meanings.items()]
        return "\n".join([asked, "", *names]).strip()

    def source(self, body: str | None = None) -> str:
        """Return a program with this answer; with the solution where None."""
        raise NotImplementedError

    def comparable(self, function: AnswerFunction) -> AnswerFunction:
        """Return a function with results that can be compared: of random ones, what holds."""
        seen: AnswerFunction = (
            getattr(programs, self.view)(function) if self.view else function
        )
        return seen

    def whole_pass(self, answer: AnswerFunction) -> AnswerFunction:
        """Return a backward pass that gives the gradients of an answer."""
        made: AnswerFunction = define(
            source_of("made(answer)", self.whole), table=True
        )(answer)
        return made

    def why_wrong(self, mistake: str) -> str:
        """Return why a mistake is one in this task; where the task does not say, in general."""
        return self.notes.get(mistake, misconceptions()[mistake]["why"])

    def mistake(self, misconception: str, body: str) -> Mistake:
        """Return the mistake that a misconception and a wrong answer make."""
        name = misconceptions()[misconception]["name"]
        why = self.why_wrong(misconception)
        return Mistake(misconception, body, name, why, self.source(body))

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The wrong answers that have a name; one name may have several."""
        found: list[Mistake] = []
        for id_, listed in self.listed_mistakes.items():
            bodies = [listed] if isinstance(listed, str) else listed
            found += [self.mistake(id_, edited(self.solution, body)) for body in bodies]
        return tuple(found)


@dataclass(frozen=True, kw_only=True, eq=False)
class FormulaBlank(Task):
    """One derivation blank: the answer is a formula.

    Attributes:
        symbols: the symbols that the answer may use, with their meaning.
        relations: symbols that are made of others, each with its formula.
    """

    symbols: Mapping[str, str]
    relations: Mapping[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The symbols that are not made of others."""
        return tuple(s for s in self.symbols if s not in self.relations)

    def source(self, body: str | None = None) -> str:
        """Return a formula as a function of its symbols; the solution where None."""
        lines = [f"{symbol} = {made}" for symbol, made in self.relations.items()]
        lines.append(f"return {self.solution if body is None else body}")
        return source_of(f"formula({', '.join(self.arguments)})", "\n".join(lines))

    @property
    def meanings(self) -> dict[str, str]:
        """What each symbol stands for."""
        found = {}
        for name, meaning in self.symbols.items():
            text = meaning.replace("_th", "_{th}")
            found[name] = f"${text}$" if "^" in text else text
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Exercise(Task):
    """One exercise: the answer is a function.

    Attributes:
        signature: name and arguments of the function to write.
        inputs: the cells of the networks that its inputs are taken from, where they are; see
            :mod:`stbp_edu.practice.tasks.inputs`.
        draw: how its inputs are drawn at random, where they are.
        calls: how often they are drawn.
        reference: the expression that answers are compared with.
    """

    signature: str
    reference: str
    inputs: str = ""
    draw: str = ""
    calls: int = 4

    @property
    def checked_on(self) -> str:
        """What it is called with, in words."""
        return "random inputs" if self.draw else "situations in several networks"

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments."""
        _, _, listed = self.signature.partition("(")
        return tuple(listed.rstrip(")").split(", "))

    @property
    def meanings(self) -> dict[str, str]:
        """What each argument is: of a cell, of all steps, or of one neuron."""
        if not self.inputs or "\n- " in self.prompt:
            return {}
        is_cell = self.inputs.startswith(("case", "cells", "grid"))
        extent = "cells" if is_cell and "all steps" not in self.inputs else "steps"
        extent = "neuron" if self.inputs.endswith("one neuron") else extent
        extent = "program" if self.inputs.startswith("programs") else extent
        told = read_toml(CONTENT / "arguments.toml")[extent]
        return {name: told[name] for name in self.arguments}

    def source(self, body: str | None = None) -> str:
        """Return the function with this body; with the solution's where None."""
        return source_of(self.signature, self.solution if body is None else body)

    def function(self, body: str | None = None) -> AnswerFunction:
        """Return that function, ready to be called."""
        return define(self.source(body))

    @cached_property
    def answer(self) -> AnswerFunction:
        """The reference that answers are compared with."""
        return define(source_of(self.signature, self.reference), table=True)


@cache
def course_table() -> dict[str, Any]:
    """Return the facts of each notebook, by its slug, in the order of the course."""
    return read_toml(CONTENT / "course.toml")


@cache
def derived_in() -> dict[str, tuple[int, str]]:
    """Return where each exercise and equation is derived: a notebook's number, and the heading."""
    return {
        id_: (number, heading)
        for number, table in enumerate(course_table().values())
        for id_, heading in table.get("sections", {}).items()
    }


@cache
def objectives() -> dict[str, str]:
    """Return the learning objectives, a sentence for each id."""
    return read_toml(CONTENT / "objectives.toml")


@cache
def misconceptions() -> dict[str, dict[str, str]]:
    """Return ``name`` and ``why`` of every misconception by id."""
    return read_toml(CONTENT / "misconceptions.toml")


@cache
def blanks() -> Mapping[str, FormulaBlank]:
    """Return every derivation blank by its equation's id."""
    found = {}
    for eq, table in read_toml(CONTENT / "formulas.toml").items():
        wrong = table.pop("mistakes")
        found[eq] = FormulaBlank(
            id=f"{eq}-formula", equation=eq, listed_mistakes=wrong, **table
        )
    return MappingProxyType(found)


@cache
def exercises() -> Mapping[str, Exercise]:
    """Return every exercise by id, in the order of the course."""
    listed: list[Exercise] = []
    mistakes: dict[str, dict[str, str]] = {"": {}}
    for path in sorted((CONTENT / "exercises").glob("*.toml")):
        for id_, table in read_toml(path).items():
            base = id_.removesuffix("-scalar")
            equation = base if base in EQUATIONS else ""
            table.setdefault("equation", equation)
            # Of a program that grows, each part has the mistakes of the one before, too.
            mistakes[id_] = mistakes[table.pop("builds_on", "")] | table.pop("mistakes")
            listed.append(Exercise(id=id_, listed_mistakes=mistakes[id_], **table))
    return MappingProxyType({e.id: e for e in sorted(listed, key=lambda e: e.notebook)})


@cache
def tasks() -> Mapping[str, Task]:
    """Return every exercise and derivation blank by id, in the order of the course."""
    every: list[Task] = [*exercises().values(), *blanks().values()]
    return MappingProxyType(
        {t.id: t for t in sorted(every, key=lambda task: task.notebook)}
    )


def chosen(exercise_id: object, among: Mapping[str, AnyTask]) -> AnyTask:
    """Return the task of this id; the error says how to list them all."""
    mend = "stbp_edu.practice.progress_report() lists them all"
    return among[checks.choice("exercise_id", exercise_id, among, mend)]
