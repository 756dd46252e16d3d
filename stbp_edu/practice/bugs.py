"""Backward passes with one bug each, and what can be seen of each from outside.

The pass, the five cases in one function, and what can be changed in it are in ``bug_hunt.toml``.
Each bug runs on networks that differ in one thing: T, S, or whether any neuron spikes. What it
returns is held against the package's sweep.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any
from zlib import crc32

from stbp_edu._support.files import read_toml
from stbp_edu.cases import case_at
from stbp_edu.forward_pass import forward
from stbp_edu.parameters import Params
from stbp_edu.practice.grading.answer import alike
from stbp_edu.practice.grading.calling import CallResult, Difference, plain, tried
from stbp_edu.practice.tasks import ForwardPass, draw_network, step_name
from stbp_edu.practice.tasks.catalogue import define

COUNTED = re.compile(r"\[t\] = |append\(|reversed|if ")
"""What is in the lines that have terms."""
PLUS = re.compile(r" \+ (?![^\[]*\])")
"""A plus between summands, outside of an index."""
SIZES = (5, 4, 3, 2)
T = 4
S = 3
"""The network from which the others differ: three layers, no two equally wide."""

TOLERANCE = 1e-7
"""Relative; an error of a bug is far larger, rounding far smaller."""

Wrong = frozenset[str]
"""The gradients that are wrong, such as ``"W[2]"``."""


@cache
def table() -> dict[str, Any]:
    """Return the program, the terms of its lines, and what can be changed in them."""
    return read_toml(Path(__file__).with_name("bug_hunt.toml"))


@dataclass(frozen=True)
class Bug:
    """One change of the program.

    Attributes:
        case: 1 to 5; 0 where no case is changed, but the loops or the choice of the case.
        term: the arrow whose term is wrong: ``"direct"``, ``"weight"``, ``"reset"``, ``"spike"``
            or ``"carry"``; in case 5 ``"W"`` or ``"b"``; in case 0 ``"loop"``.
        what: what is wrong, in words.
        line: number of the line, from 1.
        mended: the line as it should be.
        source: the program with the change.
    """

    case: int
    term: str
    what: str
    line: int
    mended: str
    source: str

    def __str__(self) -> str:
        """Return the place, and what is wrong there."""
        return f"case {self.case}, {self.term}: {self.what}"


@cache
def bugs() -> tuple[Bug, ...]:
    """Return every program with one bug, in the order of the hunt, which goes by no case."""
    no_bug = table()["no_bug"]
    found: dict[str, Bug] = {}
    for bug in _bugs():
        if [bug.case, bug.what] not in no_bug:
            found.setdefault(bug.source, bug)
    shuffled = sorted(found.values(), key=lambda bug: crc32(bug.source.encode()))
    return tuple(shuffled)


def _bugs() -> Iterator[Bug]:
    """Yield every change, wherever it can be made; a whole sum goes with its last term."""
    lines = table()["program"].splitlines()
    terms = iter(table()["terms"])
    for k, line in enumerate(lines):
        if not COUNTED.search(line):
            continue
        case, *names = next(terms)
        for old, changes in table()["changes"].items():
            pattern = rf"(?<![\w.]){re.escape(old)}(?!\w)"
            for found in re.finditer(pattern, line):
                before = line[: found.start()]
                after = line[found.end() :]
                summands = PLUS.split(before + old)
                term = names[-1] if len(summands) == len(names) else names[0]
                for what, new in changes.items():
                    changed = before + new + after
                    program = [*lines[:k], changed, *lines[k + 1 :], ""]
                    source = "\n".join(program)
                    yield Bug(case, term, what, k + 1, line.strip(), source)


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
        found = [name for name, (_, holds) in SYMPTOMS.items() if holds(self)]
        return tuple(found)

    @property
    def seen(self) -> Wrong:
        """The wrong gradients of the network from which the others differ."""
        return self.wrong["T = 4"]


SYMPTOMS: dict[str, tuple[str, Callable[[Evidence], bool]]] = {
    "T=1": ("wrong at T = 1 already", lambda e: bool(e.wrong["T = 1"])),
    "T>1": (
        "wrong only where T > 1",
        lambda e: not e.wrong["T = 1"] and bool(e.wrong["T = 2"]),
    ),
    "T>2": (
        "wrong only where T > 2",
        lambda e: not e.wrong["T = 1"] | e.wrong["T = 2"],
    ),
    "S>1": ("wrong only where S > 1", lambda e: not e.wrong["S = 1"]),
    "hidden": (
        "wrong only below the output layer",
        lambda e: not {"W[3]", "b[3]"} & e.seen,
    ),
    "output": (
        "wrong only in the output layer",
        lambda e: set() < e.seen <= {"W[3]", "b[3]"},
    ),
    "W": ("wrong only in W", lambda e: {name[0] for name in e.seen} == {"W"}),
    "b": ("wrong only in b", lambda e: {name[0] for name in e.seen} == {"b"}),
    "factor": (
        "all gradients are off by one constant factor",
        lambda e: e.factor is not None,
    ),
    "spikes": (
        "wrong only where a neuron has spiked",
        lambda e: not e.wrong["no spikes"],
    ),
    "widths": (
        "an error is raised unless all layers are equally wide",
        lambda e: e.raises,
    ),
}
"""What can be seen of a bug from outside, by the name that ``hunt`` takes: words, and a test."""


@cache
def networks() -> dict[str, tuple[ForwardPass, ...]]:
    """Return the networks by name, each as a spiking network and as its smooth twin."""
    shapes = {
        "T = 1": (1, S),
        "T = 2": (2, S),
        "T = 4": (T, S),
        "S = 1": (T, 1),
    }
    draw = partial(draw_network, sizes=SIZES, tau=0.6)
    drawn: dict[str, tuple[ForwardPass, ...]] = {}
    for name, (steps, samples) in shapes.items():
        spiking = draw(800, T=steps, S=samples, smooth=False)
        twin = draw(801, T=steps, S=samples, smooth=True)
        drawn[name] = spiking, twin
    spiking, _ = drawn["T = 4"]
    silent = _silent(spiking)
    drawn["no spikes"] = silent, silent
    return drawn


def _silent(net: ForwardPass) -> ForwardPass:
    """Return a network with parameters so small that no neuron reaches the threshold."""
    W = [weights / 8 for weights in net.params.W[1:]]
    b = [biases / 8 for biases in net.params.b[1:]]
    small = Params([None, *W], [None, *b])
    trace = forward(net.trace.O[0], small, net.neuron)
    return replace(net, trace=trace, params=small)


def ran(bug: Bug, net: ForwardPass) -> tuple[CallResult, dict[str, Any]]:
    """Return a program's results on a network, and the right ones, by names such as ``"ε[2]"``."""
    names = ("δ", "ε", "W", "b")
    exact = net.sweep("exact")
    right = (exact.delta, exact.epsilon, exact.gradients.W, exact.gradients.b)
    given = (net.trace, net.targets, net.params, net.neuron)
    outcome = tried(define(bug.source), given, right, names)
    expected: Any = plain(right, right, names)
    return outcome, expected


def wrong_gradients(
    got: CallResult, right: dict[str, Any], factor: float = 1.0
) -> Wrong:
    """Return which gradients are not so many times the right ones; all, where it raises."""
    names = [name for name in right if name[0] in "Wb"]
    if not isinstance(got, dict):
        return frozenset(names)
    wrong = []
    for name in names:
        expected = factor * right[name]
        if not alike(got[name], expected, TOLERANCE):
            wrong.append(name)
    return frozenset(wrong)


def _factor(got: Any, right: dict[str, Any]) -> float | None:
    """Return the constant by which all gradients are off, if there is one."""
    if not isinstance(got, dict):
        return None
    mine = got["b[3]"]
    exact = right["b[3]"]
    factor = float(mine @ exact / (exact @ exact))
    if wrong_gradients(got, right, factor):
        return None
    return factor


@cache
def evidence(bug: Bug) -> Evidence:
    """Return the effects of a bug on every network."""
    runs = {}
    wrong = {}
    for name, (spiking, twin) in networks().items():
        one = ran(bug, spiking)
        other = ran(bug, twin)
        runs[name] = one, other
        wrong[name] = wrong_gradients(*one) | wrong_gradients(*other)
    (outcome, right), other = runs["T = 4"]
    factor = _factor(outcome, right)
    of_twin = _factor(*other)
    if factor is None or of_twin is None or f"{factor:.9g}" != f"{of_twin:.9g}":
        factor = None
    raises = isinstance(outcome, Difference)
    return Evidence(wrong, factor, raises)


def first_wrong(bug: Bug) -> str:
    """Return the first wrong cell in the order of the sweep, on the smooth twin, in words."""
    _, twin = networks()["T = 4"]
    got, right = ran(bug, twin)
    if not isinstance(got, dict):
        return f"it raises {got.error}"  # type: ignore[union-attr]
    N = len(SIZES) - 1
    steps = range(T - 1, -1, -1)
    layers = range(N, 0, -1)
    for t, n, name in product(steps, layers, "δε"):
        series: Any = got[f"{name}[{n}]"]
        exact = right[f"{name}[{n}]"]
        if not alike(series[t], exact[t], TOLERANCE):
            case = case_at(t, n, T, N)
            return f"{name} at {step_name(t)}, n = {n}, a cell of case {case}"
    return "no δ and no ε, only the sums of them"
