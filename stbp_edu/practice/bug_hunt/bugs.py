"""The bugs: a right backward pass, and the same with one change each.

A change is found by the syntax tree of the program. What can be changed, and into what, is in
``changes.toml``; that a term is missing or has the wrong sign is tried for each term of a sum.
"""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

PROGRAM = """\
def backward(trace, Y, params, neuron):
    U, O, W, N = trace.U, trace.O, params.W, params.N
    f, df, h = neuron.f, neuron.df, neuron.h
    T, S, _ = O[N].shape
    delta = [None, *(np.zeros_like(u) for u in U[1:])]
    epsilon = [None, *(np.zeros_like(u) for u in U[1:])]
    for t in reversed(range(T)):
        for n in reversed(range(1, N + 1)):
            u, o = U[n][t], O[n][t]
            if t == T - 1 and n == N:  # case 1
                delta[n][t] = -(Y - O[N].mean(axis=0)) / (T * S)
                epsilon[n][t] = delta[n][t] * h(u)
            elif t == T - 1:  # case 2
                delta[n][t] = epsilon[n + 1][t] @ W[n + 1]
                epsilon[n][t] = delta[n][t] * h(u)
            elif n == N:  # case 3
                delta[n][t] = delta[N][T - 1] + epsilon[n][t + 1] * u * df(o)
                epsilon[n][t] = delta[n][t] * h(u) + epsilon[n][t + 1] * f(o)
            else:  # case 4
                delta[n][t] = epsilon[n + 1][t] @ W[n + 1] + epsilon[n][t + 1] * u * df(o)
                epsilon[n][t] = delta[n][t] * h(u) + epsilon[n][t + 1] * f(o)
    dW, db = [None], [None]
    for n in range(1, N + 1):  # case 5
        dW.append(sum(epsilon[n][t].T @ O[n - 1][t] for t in range(T)))
        db.append(epsilon[n].sum(axis=(0, 1)))
    return delta, epsilon, dW, db
"""

TERMS = {
    "delta[n][t]": (("direct",), ("weight",), ("direct", "reset"), ("weight", "reset")),
    "epsilon[n][t]": (("spike",), ("spike",), ("spike", "carry"), ("spike", "carry")),
}
"""The terms of each line, case by case from 1 to 4, each by the name of its arrow."""


Place = tuple[int, str]
"""The case, and the term in it."""

LOOP: Place = (0, "loop")
"""The place of a bug in no case: in the loops, or in what decides which case holds."""

NO_BUG = frozenset(
    {
        (1, "h is taken one step too late"),  # there is no later step
        (2, "h is taken one step too late"),
        (2, "the signal from above is taken one step too late"),
        (2, "δ ⊙ h of the layer above stands where its ε belongs: the classic rule"),  # it is ε
    }
)
"""Changes by case that cannot be made at the last step, or are right there."""

Change = tuple[Place, ast.expr, str, str]
"""Where, the expression that is changed, what is then wrong, and what stands there instead."""


@dataclass(frozen=True)
class Bug:
    """One change of the program.

    Attributes:
        case: 1 to 5; 0 where no case is changed, but the loops or the choice of the case.
        term: the arrow whose term is wrong: ``"direct"``, ``"weight"``, ``"reset"``, ``"spike"``
            or ``"carry"``; in case 5 ``"W"`` or ``"b"``; in case 0 ``"loop"``.
        what: what is wrong, in words.
        line: number of the line, from 1.
        source: the program with the change.
    """

    case: int
    term: str
    what: str
    line: int
    source: str

    def __str__(self) -> str:
        """Return the place, and what is wrong there."""
        return f"case {self.case}, {self.term}: {self.what}"

    @property
    def mended(self) -> str:
        """The line as it should be."""
        return PROGRAM.splitlines()[self.line - 1].strip()

    @cached_property
    def run(self) -> Any:
        """The program, ready to be called."""
        return defined(self.source)


@cache
def defined(source: str) -> Any:
    """Return the function that a program of this package defines."""
    space: dict[str, Any] = {"np": np}
    exec(source, space)  # the package's own text, never the reader's
    return space["backward"]


@cache
def bugs() -> tuple[Bug, ...]:
    """Return every program with one bug, in the order of the hunt, which goes by no case."""
    found: dict[str, Bug] = {}
    for (case, term), old, what, new in (*_sums(), *_listed()):
        if (case, what) not in NO_BUG:
            source = _with(old, new)
            found.setdefault(source, Bug(case, term, what, old.lineno, source))
    return tuple(sorted(found.values(), key=lambda bug: crc32(bug.source.encode())))


def _sums() -> Iterator[Change]:
    """Yield a term that is missing or has the wrong sign, for each line that is a sum."""
    for case, names, line in _lines():
        if isinstance(line, ast.BinOp) and len(names) == 2:
            left, right = ast.unparse(line.left), ast.unparse(line.right)
            first, last = (case, names[0]), (case, names[1])
            yield first, line, "the term is missing", right
            yield first, line, "the sign of the term is turned round", f"-{left} + {right}"
            yield last, line, "the term is missing", left
            yield last, line, "the sign of the term is turned round", f"{left} - {right}"


def _listed() -> Iterator[Change]:
    """Yield the changes that the table lists, wherever their expression stands."""
    table = tomllib.loads(Path(__file__).with_name("changes.toml").read_text(encoding="utf-8"))
    for place, node in _parts():
        for what, new in table.get(ast.unparse(node), {}).items():
            yield place, node, what, new


def _parts() -> Iterator[tuple[Place, ast.expr]]:
    """Yield every expression of a term with its place; a whole sum goes with its last term."""
    for case, names, line in _lines():
        terms = [line.left, line.right] if len(names) == 2 else [line]  # type: ignore[attr-defined]
        for name, term in zip(names, terms, strict=True):
            yield from (((case, name), part) for part in _expressions(term))
        yield (case, names[-1]), line
    for node in ast.walk(ast.parse(PROGRAM)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("dW.append", "db.append"):
            place, top = (5, ast.unparse(node.func)[1]), node.args[0]
        elif isinstance(node, ast.For) and "reversed" in ast.unparse(node.iter):
            place, top = LOOP, node.iter
        elif isinstance(node, ast.If):
            yield LOOP, node.test
            continue
        else:
            continue
        yield from ((place, part) for part in _expressions(top))


def _lines() -> Iterator[tuple[int, tuple[str, ...], ast.expr]]:
    """Yield the lines of cases 1 to 4: the case, the names of the terms, and the formula."""
    lines = [node for node in ast.walk(ast.parse(PROGRAM)) if isinstance(node, ast.Assign)]
    lines.sort(key=lambda node: node.lineno)
    for name, cases in TERMS.items():
        formulas = [line.value for line in lines if ast.unparse(line.targets[0]) == name]
        for case, (names, formula) in enumerate(zip(cases, formulas, strict=True), start=1):
            yield case, names, formula


def _expressions(top: ast.expr) -> Iterator[ast.expr]:
    """Yield an expression and all that stand in it."""
    return (node for node in ast.walk(top) if isinstance(node, ast.expr))


def _with(old: ast.expr, new: str) -> str:
    """Return the program with one expression changed; the rest keeps its layout."""
    lines = PROGRAM.splitlines(keepends=True)
    line = lines[old.lineno - 1]
    lines[old.lineno - 1] = line[: old.col_offset] + new + line[old.end_col_offset :]
    return "".join(lines)
