"""Backward passes with one bug each, and what can be seen of each from outside.

The pass, the five cases in one function, and the bugs, each a line of it as it should not be, are
in ``bug_hunt.toml``. Each bug runs on networks that differ in one thing: T, S, or whether any
neuron spikes. What it returns is held against the package's sweep.
"""

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
    """Return the program, its bugs by line, and what can be seen of them."""
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
    lines = table()["program"].splitlines()
    found = []
    for row in table()["lines"]:
        k = row["number"]
        mended = lines[k - 1].strip()
        for term, what, wrong in row["bugs"]:
            changed = lines[k - 1].replace(mended, wrong)
            source = "\n".join([*lines[: k - 1], changed, *lines[k:], ""])
            found.append(Bug(row["case"], term, what, k, mended, source))
    return tuple(sorted(found, key=lambda bug: crc32(bug.source.encode())))


@dataclass(frozen=True)
class Evidence:
    """What a bug does on the networks.

    Attributes:
        wrong: the wrong gradients, by the network's name.
        factor: the constant by which all gradients are off, or None.
        raises: whether it raises on the network whose layers differ in width.
        first: the first wrong cell in the order of the sweep, on the smooth twin, in words.
    """

    wrong: dict[str, Wrong]
    factor: float | None
    raises: bool
    first: str

    @property
    def symptoms(self) -> tuple[str, ...]:
        """The names of the symptoms that hold."""
        given = self.wrong, self.wrong["T = 4"], self.factor, self.raises
        signature = "holds(wrong, seen, factor, raises)"
        return tuple(
            name
            for name, (_, test) in SYMPTOMS.items()
            if define(source_of(signature, test))(*given)
        )


SYMPTOMS: dict[str, list[str]] = table()["symptoms"]
"""What can be seen of a bug from outside, by the name that ``hunt`` takes: words, and a test."""


@cache
def networks(
    seed: int = 800, sizes: tuple[int, ...] = SIZES
) -> dict[str, tuple[ForwardPass, ...]]:
    """Return the networks by name, each as a spiking network and as its smooth twin."""
    shapes = {"T = 1": (1, S), "T = 2": (2, S), "T = 4": (T, S), "S = 1": (T, 1)}
    drawn: dict[str, tuple[ForwardPass, ...]] = {
        name: tuple(
            draw_network(seed + twin, sizes, *shape, tau=0.6, smooth=bool(twin))
            for twin in (0, 1)
        )
        for name, shape in shapes.items()
    }
    net, _ = drawn["T = 4"]
    # No neuron reaches the threshold.
    W, b = ([None, *(x / 8 for x in of[1:])] for of in (net.params.W, net.params.b))
    params = Params(W, b)
    trace = forward(net.trace.O[0], params, net.neuron)
    drawn["no spikes"] = (replace(net, trace=trace, params=params),)
    return drawn


def ran(source: str, net: ForwardPass) -> tuple[CallResult, dict[str, Any]]:
    """Return a program's results on a network, and the right ones, by names such as ``"ε[2]"``."""
    names = ("δ", "ε", "W", "b")
    exact = net.sweep("exact")
    right = (exact.delta, exact.epsilon, exact.gradients.W, exact.gradients.b)
    given = (net.trace, net.targets, net.params, net.neuron)
    expected: Any = plain(right, right, names)
    return tried(define(source), given, right, names), expected


def wrong_gradients(
    got: CallResult, right: dict[str, Any], factor: float = 1.0
) -> Wrong:
    """Return which gradients are not so many times the right ones; all, where it raises."""
    names = [name for name in right if name[0] in "Wb"]
    given = got if isinstance(got, dict) else {}
    return frozenset(
        name
        for name in names
        if name not in given or not alike(given[name], factor * right[name], TOLERANCE)
    )


@cache
def evidence(bug: Bug) -> Evidence:
    """Return the effects of a bug on every network."""
    runs = {
        name: [ran(bug.source, net) for net in nets]
        for name, nets in networks().items()
    }
    wrong = {
        name: frozenset().union(*(wrong_gradients(*run) for run in of))
        for name, of in runs.items()
    }
    factors = set()
    for got, right in runs["T = 4"]:
        exact = right["b[3]"]
        value: Any = got["b[3]"] if isinstance(got, dict) else 0 * exact
        factor = float(f"{value @ exact / (exact @ exact):.9g}")
        factors.add(None if wrong_gradients(got, right, factor) else factor)
    one = factors.pop() if len(factors) == 1 else None
    (outcome, _), twin = runs["T = 4"]
    return Evidence(wrong, one, isinstance(outcome, Difference), _first_wrong(*twin))


def _first_wrong(got: CallResult, right: dict[str, Any]) -> str:
    """Return the first wrong cell in the order of the sweep, in words."""
    if not isinstance(got, dict):
        return f"it raises {got.error}"  # type: ignore[union-attr]
    N = len(SIZES) - 1
    for t, n, name in product(reversed(range(T)), range(N, 0, -1), "δε"):
        series: Any = got[f"{name}[{n}]"]
        if not alike(series[t], right[f"{name}[{n}]"][t], TOLERANCE):
            case = case_at(t, n, T, N)
            return f"{name} at {step_name(t)}, n = {n}, a cell of case {case}"
    return "no δ and no ε, only the sums of them"
