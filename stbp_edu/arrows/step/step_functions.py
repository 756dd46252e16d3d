"""Functions of one time step, as they are shown and run: their lines, and the names in them."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stbp_edu.lines import expressions as ex

MINUS_ONE = ex.Number(-1)
INDENT = "    "
STATE = "state"
"""Marks a name in a factor that is a state, at whatever step."""
Writer = Callable[[ex.Expression], str]


@dataclass(frozen=True)
class Variable:
    """A variable of a program.

    Attributes:
        kind: ``"constant"``, ``"state"``, ``"adjoint"``, ``"signal"``, or ``"gradient"``.
        of: the constant, or the state.
        q: of an adjoint or a signal, the state of the rule.
        step: 0 for this time step, -1 for the last one, 1 for the next one.
    """

    kind: str
    of: str
    q: str = ""
    step: int = 0


class Names:
    """The names of a program's variables: two variables never have the same one.

    A name that is taken already gets an underscore at its end, and another one while that is taken.

    >>> names = Names()
    >>> names.add(Variable("adjoint", "u_1"), "d_u_1")
    'd_u_1'
    >>> names.add(Variable("adjoint", "u", "1"), "d_u_1")
    'd_u_1_'
    """

    def __init__(self) -> None:
        self._names: dict[Variable, str] = {}
        self._taken: set[str] = set()

    def add(self, variable: Variable, wanted: str) -> str:
        """Return the name of a new variable: the one that is wanted, if it is free."""
        plain = unicodedata.normalize("NFKC", wanted)  # as Python reads names
        name = "".join(c if f"a{c}".isidentifier() else "_" for c in plain)
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        self._names[variable] = name
        return name

    def __contains__(self, variable: Variable) -> bool:
        """Return whether a variable has a name."""
        return variable in self._names

    def __getitem__(self, variable: Variable) -> str:
        """Return the name of a variable."""
        return self._names[variable]


class Term(NamedTuple):
    """A summand: an expression, times the adjoint or the signal of this name if there is one."""

    factor: ex.Expression
    of: str = ""

    @property
    def tree(self) -> ex.Expression:
        """The summand as one expression; of the factors 1 and -1 only the sign is left."""
        if not self.of:
            return self.factor
        adjoint = ex.Name(self.of, "adjoint")
        if self.factor == ex.ONE:
            return adjoint
        if self.factor == MINUS_ONE:
            return -adjoint
        return self.factor * adjoint


class Assignment(NamedTuple):
    """A line of a function: the name that it assigns, the sum of its terms, and a comment."""

    name: str
    terms: tuple[Term, ...]
    comment: str = ""

    def source(self, write: Writer) -> str:
        """Return the line as Python."""
        trees = [term.tree for term in self.terms] or [ex.Number(0.0)]
        right = added(map(write, trees))
        if len(trees) == 1 and isinstance(trees[0], ex.Name):
            right = f"+{right}"  # an array of its own, which shares no memory
        line = f"{self.name} = {right}"
        return f"{line}  # {self.comment}" if self.comment else line


@dataclass(frozen=True)
class StepFunction:
    """A function of one time step.

    Attributes:
        name: its name.
        arguments: the names of its arguments.
        lines: its lines, in order.
        results: the names of what it returns, as a tuple.
        says: its docstring; paragraphs are separated by an empty line.
    """

    name: str
    arguments: Sequence[str]
    lines: Sequence[Assignment]
    results: Sequence[str]
    says: str = ""

    def source(self, write: Writer = ex.python) -> str:
        """Return the function as Python, whose expressions ``write`` writes."""
        arguments = ", ".join(self.arguments)
        head = f"def {self.name}({arguments}):"
        under = " " * len(f"def {self.name}(")
        found = textwrap.wrap(head, 96, subsequent_indent=under, break_long_words=False)
        for line in self._docstring():
            found.append(INDENT + line if line else "")
        for assignment in self.lines:
            found.append(INDENT + assignment.source(write))
        found.append(f"{INDENT}return {as_tuple(self.results)}")
        return "\n".join(found)

    def _docstring(self) -> list[str]:
        """Return the lines of the docstring."""
        first, *more = self.says.split("\n\n")
        if not self.says:
            return []
        if not more:
            return [f'"""{first}"""']
        lines = [f'"""{first}']
        for paragraph in more:
            lines += ["", *textwrap.wrap(paragraph, 92)]
        return [*lines, '"""']


def as_tuple(names: Sequence[str]) -> str:
    """Return names as the source of a tuple.

    >>> as_tuple(["d_o", "d_u"]), as_tuple(["u"])
    ('d_o, d_u', '(u,)')
    """
    if not names:
        return "()"
    if len(names) == 1:
        return f"({names[0]},)"
    return ", ".join(names)


def added(terms: Iterable[str]) -> str:
    """Return a sum, such as a - b of the terms a and -b."""
    return " + ".join(terms).replace("+ -", "- ")
