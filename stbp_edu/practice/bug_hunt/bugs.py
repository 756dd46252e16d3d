"""The bugs: a right backward pass, the same with one change each, and on which networks each shows.

The pass, and what can be changed in it, are in ``changes.toml``; that a term is missing or has the
wrong sign is tried for each term of a sum. Each bug runs on networks that differ in one thing: T,
S, or whether any neuron spikes. What it returns is held against the package's sweep.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import product
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from stbp_edu.cases import case_at
from stbp_edu.files import read_toml
from stbp_edu.network import Params, forward
from stbp_edu.practice.grading.answer import alike
from stbp_edu.practice.grading.calling import Difference, Outcome, Part, plain, tried
from stbp_edu.practice.tasks import ForwardPass, draw_network, step_name
from stbp_edu.practice.tasks.catalogue import define

PLUS = re.compile(r" \+ (?![^\[]*\])")
"""A sum's plus, which stands in no index."""
SIZES, T, S = (5, 4, 3, 2), 4, 3
"""The network from which the others differ: three layers, no two equally wide."""

TOLERANCE = 1e-7
"""Relative; an error of a bug is far larger, rounding far smaller."""

Wrong = frozenset[str]
"""The gradients that are wrong, such as ``"W[2]"``."""


@cache
def table() -> dict[str, Any]:
    """Return the program, the terms of its lines, and what can be changed in them."""
    return read_toml(Path(__file__).with_name("changes.toml"))


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
        lines: list[str] = table()["program"].splitlines()
        return lines[self.line - 1].strip()

    @cached_property
    def run(self) -> Any:
        """The program, ready to be called."""
        return define(self.source)


@cache
def bugs() -> tuple[Bug, ...]:
    """Return every program with one bug, in the order of the hunt, which goes by no case."""
    made = (bug for bug in reversed([*_bugs()]) if [bug.case, bug.what] not in table()["no_bug"])
    found = {bug.source: bug for bug in made}
    return tuple(sorted(found.values(), key=lambda bug: crc32(bug.source.encode())))


def _bugs() -> Iterator[Bug]:
    """Yield every change, in each line in which it can be made."""
    lines, terms = table()["program"].splitlines(), iter(table()["terms"])
    for k, line in enumerate(lines):
        if re.search(r"\[t\] = |append\(", line):
            case, *names = next(terms)
        elif re.search(r"reversed|if ", line):
            case, names = 0, ["loop"]
        else:
            continue
        every = [*_sums(line, names)] if len(names) == 2 else []
        for old, new in table()["changes"].items():
            every += _replaced(line, names, old, new)
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


@dataclass(frozen=True)
class Evidence:
    """What a bug does on the networks.

    Attributes:
        wrong: the wrong gradients, by the network's name.
        factor: the constant by which all gradients are off, or None.
        raises: whether it raises on the network whose layers differ in width.
    """

    wrong: dict[str, Wrong]
    factor: float | None
    raises: bool

    @property
    def symptoms(self) -> tuple[str, ...]:
        """The names of the symptoms that hold."""
        return tuple(name for name, (_, holds) in SYMPTOMS.items() if holds(self))

    @property
    def seen(self) -> Wrong:
        """The wrong gradients of the network from which the others differ."""
        return self.wrong["T = 4"]


SYMPTOMS: dict[str, tuple[str, Callable[[Evidence], bool]]] = {
    "T=1": ("wrong at T = 1 already", lambda e: bool(e.wrong["T = 1"])),
    "T>1": ("wrong only where T > 1", lambda e: not e.wrong["T = 1"] and bool(e.wrong["T = 2"])),
    "T>2": ("wrong only where T > 2", lambda e: not e.wrong["T = 1"] | e.wrong["T = 2"]),
    "S>1": ("wrong only where S > 1", lambda e: not e.wrong["S = 1"]),
    "hidden": ("wrong only below the output layer", lambda e: not {"W[3]", "b[3]"} & e.seen),
    "output": ("wrong only in the output layer", lambda e: set() < e.seen <= {"W[3]", "b[3]"}),
    "W": ("wrong only in W", lambda e: {name[0] for name in e.seen} == {"W"}),
    "b": ("wrong only in b", lambda e: {name[0] for name in e.seen} == {"b"}),
    "factor": ("all gradients are off by one constant factor", lambda e: e.factor is not None),
    "spikes": ("wrong only where a neuron has spiked", lambda e: not e.wrong["no spikes"]),
    "widths": ("an error is raised unless all layers are equally wide", lambda e: e.raises),
}
"""What can be seen of a bug from outside, by the name that ``hunt`` takes: words, and a test."""


@cache
def networks() -> dict[str, tuple[ForwardPass, ...]]:
    """Return the networks by name, each as a spiking network and as its smooth twin."""
    shapes = {"T = 1": (1, S), "T = 2": (2, S), "T = 4": (T, S), "S = 1": (T, 1)}
    draw = partial(draw_network, sizes=SIZES, tau=0.6)
    drawn = {
        name: tuple(draw(800 + smooth, T=T, S=S, smooth=smooth) for smooth in (False, True))
        for name, (T, S) in shapes.items()
    }
    net = drawn["T = 4"][0]
    params = net.params  # made so small that no neuron reaches the threshold
    small = Params(*([None, *(x / 8 for x in part[1:])] for part in (params.W, params.b)))
    silent = replace(net, trace=forward(net.trace.O[0], small, net.neuron), params=small)
    return drawn | {"no spikes": (silent, silent)}


Ran = tuple[Outcome, dict[str, Part]]
"""What comes of a program on a network, and what is right there, by names such as ``"ε[2]"``."""


def ran(bug: Bug, net: ForwardPass) -> Ran:
    """Return what a program gives on a network beside what is right."""
    exact, names = net.sweep("exact"), ("δ", "ε", "W", "b")
    right = exact.delta, exact.epsilon, exact.gradients.W, exact.gradients.b
    outcome = tried(bug.run, (net.trace, net.targets, net.params, net.neuron), right, names)
    return outcome, plain(right, right, names)  # type: ignore[return-value]


def wrong_gradients(got: Outcome, right: dict[str, Part]) -> Wrong:
    """Return which gradients are wrong; all of them where an error was raised."""
    gradients = [name for name in right if name[0] in "Wb"]
    fails = not isinstance(got, dict)
    return frozenset(g for g in gradients if fails or not alike(got[g], right[g], TOLERANCE))  # type: ignore[index]


def _factor(got: Outcome, right: dict[str, Part]) -> float | None:
    """Return the constant by which all gradients are off, if there is one."""
    names = [name for name in right if name[0] in "Wb"]
    if not isinstance(got, dict) or any(np.shape(got[n]) != np.shape(right[n]) for n in names):  # type: ignore[arg-type]
        return None
    x, y = (np.concatenate([np.ravel(part[n]) for n in names]) for part in (got, right))  # type: ignore[arg-type]
    factor = float(x @ y / (y @ y))
    return factor if alike(x, factor * y, TOLERANCE) else None


@cache
def evidence(bug: Bug) -> Evidence:
    """Return what a bug does on every network."""
    runs = {name: [ran(bug, net) for net in pair] for name, pair in networks().items()}
    wrong = {
        name: frozenset[str]().union(*(wrong_gradients(*run) for run in pair))
        for name, pair in runs.items()
    }
    factors = [_factor(*run) for run in runs["T = 4"]]
    one = factors[0] if None not in factors and len({f"{f:.9g}" for f in factors}) == 1 else None
    return Evidence(wrong, one, isinstance(runs["T = 4"][0][0], Difference))


def first_wrong(bug: Bug) -> str:
    """Return the first wrong cell in the order of the sweep, on the smooth twin, in words."""
    (got, right), N = ran(bug, networks()["T = 4"][1]), len(SIZES) - 1
    if not isinstance(got, dict):
        return f"it raises {got.error}"  # type: ignore[union-attr]
    for t, n, name in product(reversed(range(T)), reversed(range(1, N + 1)), "δε"):
        x, y = (part[f"{name}[{n}]"][t] for part in (got, right))  # type: ignore[index]
        if not alike(x, y, TOLERANCE):
            return f"{name} at {step_name(t)}, n = {n}, a cell of case {case_at(t, n, T, N)}"
    return "no δ and no ε, only what is summed from them"
