"""The bugs: a right backward pass, and the same with one change each.

What can be changed, and into what, is in ``changes.toml``; that a term is missing or has the wrong
sign is tried for each term of a sum.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from zlib import crc32

from stbp_edu.practice.tasks.catalogue import define

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

TERMS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (1, ("direct",)), (1, ("spike",)), (2, ("weight",)), (2, ("spike",)),
    (3, ("direct", "reset")), (3, ("spike", "carry")),
    (4, ("weight", "reset")), (4, ("spike", "carry")),
    (5, ("W",)), (5, ("b",)),
)  # fmt: skip
"""Of each line that computes: the case, and its terms, each by the name of its arrow."""

PLUS = re.compile(r" \+ (?![^\[]*\])")
"""A sum's plus, which stands in no index."""

NO_BUG = {
    (1, "h is taken one step too late"),  # there is no later step
    (2, "h is taken one step too late"),
    (2, "the signal from above is taken one step too late"),
    (2, "δ ⊙ h of the layer above stands where its ε belongs: the classic rule"),  # it is ε
}
"""Changes by case that cannot be made at the last step, or are right there."""


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
        return define(self.source)


@cache
def bugs() -> tuple[Bug, ...]:
    """Return every program with one bug, in the order of the hunt, which goes by no case."""
    found = {bug.source: bug for bug in reversed([*_bugs()]) if (bug.case, bug.what) not in NO_BUG}
    return tuple(sorted(found.values(), key=lambda bug: crc32(bug.source.encode())))


def _bugs() -> Iterator[Bug]:
    """Yield every change, in each line in which it can be made."""
    table = tomllib.loads(Path(__file__).with_name("changes.toml").read_text(encoding="utf-8"))
    lines, terms = PROGRAM.splitlines(), iter(TERMS)
    for k, line in enumerate(lines):
        if re.search(r"\[t\] = |append\(", line):
            case, names = next(terms)
        elif re.search(r"reversed|if ", line):
            case, names = 0, ("loop",)
        else:
            continue
        every = [*_sums(line, names)] if len(names) == 2 else []
        every += [change for old in table for change in _replaced(line, names, old, table[old])]
        for term, what, new in every:
            source = "\n".join((*lines[:k], new, *lines[k + 1 :], ""))
            yield Bug(case, term, what, k + 1, source)


Change = tuple[str, str, str]
"""The term, what is wrong with it, and the line with the change."""


def _sums(line: str, names: Sequence[str]) -> Iterator[Change]:
    """Yield a term that is missing or has the wrong sign, for a line that is a sum."""
    head, _, terms = line.partition(" = ")
    left, right = PLUS.split(terms)
    yield names[0], "the term is missing", f"{head} = {right}"
    yield names[0], "the sign of the term is turned round", f"{head} = -{left} + {right}"
    yield names[1], "the term is missing", f"{head} = {left}"
    yield names[1], "the sign of the term is turned round", f"{head} = {left} - {right}"


def _replaced(
    line: str, names: Sequence[str], old: str, changes: dict[str, str]
) -> Iterator[Change]:
    """Yield what the table puts in place of an expression; a whole sum goes with its last term."""
    for found in re.finditer(rf"(?<![\w.]){re.escape(old)}(?!\w)", line):
        is_last = len(PLUS.split(line[: found.end()])) == len(names)
        for what, new in changes.items():
            yield names[-is_last], what, line[: found.start()] + new + line[found.end() :]
