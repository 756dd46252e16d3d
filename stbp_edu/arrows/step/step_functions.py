"""Functions of one time step, as they are shown and run: their lines, and the names in them."""

from __future__ import annotations

import ast
import textwrap
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from stbp_edu.arrows.rules import groups
from stbp_edu.lines.derivatives import MINUS_ONE, tidy
from stbp_edu.lines.expressions import ONE, ZERO, call, key, python

INDENT = "    "


def free(wanted: str, taken: Collection[str]) -> str:
    """Return the name that is wanted, as Python may write it, if it is free.

    A name that is taken gets an underscore at its end, and another one while that is taken.

    >>> free("d_u_1", ["d_u_1"])
    'd_u_1_'
    """
    plain = unicodedata.normalize("NFKC", wanted)  # as Python reads names
    name = "".join(c if f"a{c}".isidentifier() else "_" for c in plain)
    while name in taken:
        name += "_"
    return name


class Term(NamedTuple):
    """A summand: an expression, times the adjoint or the signal of this name if there is one."""

    factor: ast.expr
    of: str = ""

    @property
    def tree(self) -> ast.expr:
        """The summand as one expression; of the factors 1 and -1 only the sign is left."""
        if not self.of:
            return self.factor
        adjoint = ast.Name(self.of)
        if key(self.factor) == key(ONE):
            return adjoint
        if key(self.factor) == key(MINUS_ONE):
            return call("neg", adjoint)
        return call("*", self.factor, adjoint)


class Assignment(NamedTuple):
    """A line of a function: the name that it assigns, the sum of its terms, and a comment."""

    name: str
    terms: tuple[Term, ...]
    comment: str = ""

    def source(self) -> str:
        """Return the line as Python."""
        trees = [term.tree for term in self.terms] or [ast.Constant(0.0)]
        right = added(map(python, trees))
        if len(trees) == 1 and isinstance(trees[0], ast.Name):
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

    def source(self) -> str:
        """Return the function as Python."""
        head = f"def {self.name}({', '.join(self.arguments)}):"
        under = " " * len(f"def {self.name}(")
        wrapped = textwrap.wrap(
            head, 96, subsequent_indent=under, break_long_words=False
        )
        body = [*self._docstring(), *(line.source() for line in self.lines)]
        body.append(f"return {as_tuple(self.results)}")
        return "\n".join([*wrapped, *(INDENT + line if line else "" for line in body)])

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
    return (
        ", ".join(names)
        if len(names) > 1
        else f"({''.join(f'{name},' for name in names)})"
    )


def added(terms: Iterable[str]) -> str:
    """Return a sum, such as a - b of the terms a and -b."""
    return " + ".join(terms).replace("+ -", "- ")


def gain_lines(
    rows: Sequence[Assignment],
    now: Sequence[str],
    constants: Collection[str],
    limit: float,
    taken: set[str],
) -> list[Assignment]:
    """Return the lines that hold the gain of each group of adjoints: before the others.

    ``rows`` are the others, ``now`` the adjoints of the next step that they read, and ``taken`` the
    names that no line may have.
    """
    later = [f"{name}_next" for name in now]
    gains = {}
    for i, name in enumerate(now):
        for k, of in enumerate(later):
            gains[i, k] = _gain(rows, name, of, constants)
    there = np.zeros((len(later), len(later)), bool)
    for place, gain in gains.items():
        there[place] = key(gain) != key(ZERO)
    found = []
    most = ast.Constant(limit)
    for group in groups(there):
        entries = [gains[place] for place in product(group, group)]
        if all(key(entry) == key(ZERO) for entry in entries):
            continue
        held = free("gain", taken)
        taken.add(held)
        op = "norm" if len(group) > 1 else "abs"
        size = call(op, *entries)
        found.append(Assignment(held, (Term(size),)))
        scale = call("/", most, call("max", ast.Name(held), most))
        for k in group:
            scaled = Term(scale, later[k])
            found.append(Assignment(later[k], (scaled,), "gain-limit"))
    return found  # gain-limit, gain-bound


def _gain(
    rows: Sequence[Assignment], name: str, later: str, constants: Collection[str]
) -> ast.expr:
    """Return the factor with which an adjoint of the next step comes back to one of this."""
    total: ast.expr = ZERO
    for row in rows:
        if row.name != name:
            continue
        for factor, of in row.terms:
            inside = ONE if of == later else _gain(rows, of, later, constants)
            total = call("+", total, call("*", factor, inside))
    return tidy(total, constants)
