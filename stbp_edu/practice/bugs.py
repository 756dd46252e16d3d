"""Backward passes with one bug each, and what can be seen of each from outside.

The pass, the five cases in one function, and what can be changed in it are in ``bug_hunt.toml``.
Each bug runs on networks that differ in one thing: T, S, or whether any neuron spikes. What it
returns is held against the package's sweep.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
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
from stbp_edu.practice.tasks.programs import define, source_of

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
        found = [
            name
            for name, (_, test) in SYMPTOMS.items()
            if define(source_of("holds(wrong, seen, factor, raises)", test))(
                self.wrong, self.wrong["T = 4"], self.factor, self.raises
            )
        ]
        return tuple(found)


SYMPTOMS: dict[str, list[str]] = table()["symptoms"]
"""What can be seen of a bug from outside, by the name that ``hunt`` takes: words, and a test."""


@cache
def networks(
    seed: int = 800, sizes: tuple[int, ...] = SIZES
) -> dict[str, tuple[ForwardPass, ...]]:
    """Return the networks by name, each as a spiking network and as its smooth twin."""
    shapes = {"T = 1": (1, S), "T = 2": (2, S), "T = 4": (T, S), "S = 1": (T, 1)}
    drawn: dict[str, tuple[ForwardPass, ...]] = {}
    for name, shape in shapes.items():
        drawn[name] = (
            draw_network(seed, sizes, *shape, tau=0.6, smooth=False),
            draw_network(seed + 1, sizes, *shape, tau=0.6, smooth=True),
        )
    net, _ = drawn["T = 4"]
    # No neuron reaches the threshold.
    W, b = ([None, *(x / 8 for x in of[1:])] for of in (net.params.W, net.params.b))
    params = Params(W, b)
    trace = forward(net.trace.O[0], params, net.neuron)
    drawn["no spikes"] = (replace(net, trace=trace, params=params),)
    return drawn


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
    exact = right["b[3]"]
    factor = float(got["b[3]"] @ exact / (exact @ exact))
    return None if wrong_gradients(got, right, factor) else factor


@cache
def evidence(bug: Bug) -> Evidence:
    """Return the effects of a bug on every network."""
    runs = {name: [ran(bug, net) for net in nets] for name, nets in networks().items()}
    wrong = {
        name: frozenset().union(*(wrong_gradients(*run) for run in of))
        for name, of in runs.items()
    }
    factors = [_factor(*run) for run in runs["T = 4"]]
    is_one = None not in factors and len({f"{c:.9g}" for c in factors}) == 1
    outcome, _ = runs["T = 4"][0]
    raises = isinstance(outcome, Difference)
    return Evidence(wrong, factors[0] if is_one else None, raises)


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
