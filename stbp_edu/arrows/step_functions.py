"""Functions of one time step, as they are shown and run: their lines, and the names in them."""

from __future__ import annotations

import ast
import textwrap
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from itertools import product
from typing import NamedTuple

from stbp_edu.arrows.rules import groups
from stbp_edu.lines.derivatives import MINUS_ONE, tidy
from stbp_edu.lines.expressions import ONE, ZERO, call, key, python
from stbp_edu.lines.operations import OPERATIONS

AT_LEAST = "\n".join(
    [
        "def at_least(a, b):",
        '    """Return 1 where a >= b, else 0."""',
        "    return where(a >= b, 1.0, 0.0)",
    ]
)
NORM = "# norm(...) is the largest singular value of a square matrix, given row by row"
SPIKE = "# spike(v) is 1 where v >= 0, else 0; h(v) stands in for its derivative"


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


def step_function(
    name: str,
    arguments: Sequence[str],
    lines: Sequence[Assignment],
    results: Sequence[str],
    says: str,
) -> str:
    """Return a function of one time step as Python source.

    It returns a tuple; ``says`` is its docstring, of one line or of two paragraphs.
    """
    start = f"def {name}("
    head = textwrap.fill(
        f"{start}{', '.join(arguments)}):",
        96,
        subsequent_indent=" " * len(start),
        break_long_words=False,
    )
    first, _, more = says.partition("\n\n")
    below = f"\n\n{textwrap.fill(more, 92)}\n" if more else ""
    returned = ", ".join(results) if len(results) > 1 else f"({results[0]},)"
    written = [line.source() for line in lines]
    body = "\n".join([f'"""{first}{below}"""', *written, f"return {returned}"])
    return f"{head}\n{textwrap.indent(body, '    ')}"


def with_imports(source: str, *, spikes: bool) -> str:
    """Return functions of a step, which spike or not, below what they import and define."""
    functions = {of.imported for of in OPERATIONS.values()} - {""}
    if "at_least(" in source:
        source = f"\n{AT_LEAST}\n\n\n{source}"
    imported = [name for name in sorted(functions) if f"{name}(" in source]
    head = []
    if imported:
        head.append(f"from numpy import {', '.join(imported)}\n")
    if spikes:
        head.append(f"{SPIKE}\n")
    if "norm(" in source:
        head.append(f"{NORM}\n")
    return "\n".join([*head, source])


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
    gains = [[_gain(rows, name, of, constants) for of in later] for name in now]
    there = [[key(gain) != key(ZERO) for gain in row] for row in gains]
    found = []
    most = ast.Constant(limit)
    for group in groups(there):
        places = [*product(group, group)]
        if not any(there[i][k] for i, k in places):
            continue
        held = free("gain", taken)
        taken.add(held)
        op = "norm" if len(group) > 1 else "abs"
        size = call(op, *(gains[i][k] for i, k in places))
        found.append(Assignment(held, (Term(size),)))
        scale = call("/", most, call("max", ast.Name(held), most))
        for k in group:
            scaled = Term(scale, later[k])
            found.append(Assignment(later[k], (scaled,), "gain-limit"))
    return found  # gain-limit, gain-bound


def _gain(
    rows: Sequence[Assignment], tail: str, later: str, constants: Collection[str]
) -> ast.expr:
    """Return the factor with which an adjoint of the next step, ``later``, enters one of this step.

    A term of the row of ``tail`` has the adjoint ``later`` itself, or another one of this step,
    whose row goes on; anything else, such as a signal, has no row.
    """
    terms = [term for row in rows if row.name == tail for term in row.terms]
    gain: ast.expr = ZERO
    for factor, head in terms:
        onward = ONE if head == later else _gain(rows, head, later, constants)
        gain = call("+", gain, call("*", factor, onward))
    return tidy(gain, constants)
