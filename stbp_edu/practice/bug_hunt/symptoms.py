"""On which networks a bug shows: measured, and said in words.

Each bug runs on networks that differ in one thing: T, S, or whether any neuron spikes. What it
returns is held against the package's sweep.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import numpy as np

from stbp_edu.cases import case_at
from stbp_edu.network import Params, forward
from stbp_edu.practice.bug_hunt.bugs import Bug
from stbp_edu.practice.grading.answer import alike
from stbp_edu.practice.grading.calling import Difference, Outcome, Part, plain, tried
from stbp_edu.practice.tasks import ForwardPass, draw_network, step_name

SIZES, T, S = (5, 4, 3, 2), 4, 3
"""The network from which the others differ: three layers, no two equally wide."""

TOLERANCE = 1e-7
"""Relative; an error of a bug is far larger, rounding far smaller."""

Wrong = frozenset[str]
"""The gradients that are wrong, such as ``"W[2]"``."""


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
def networks() -> dict[str, tuple[ForwardPass, ForwardPass]]:
    """Return the networks by name, each as a spiking network and as its smooth twin."""
    shapes = {"T = 1": (1, S), "T = 2": (2, S), "T = 4": (T, S), "S = 1": (T, 1)}
    drawn = {name: (_draw(*shape, False), _draw(*shape, True)) for name, shape in shapes.items()}
    net = drawn["T = 4"][0]
    params = net.params  # made so small that no neuron reaches the threshold
    small = Params(*([None, *(x / 8 for x in part[1:])] for part in (params.W, params.b)))
    silent = replace(net, trace=forward(net.trace.O[0], small, net.neuron), params=small)
    return drawn | {"no spikes": (silent, silent)}


def _draw(steps: int, samples: int, smooth: bool) -> ForwardPass:
    return draw_network(800 + smooth, SIZES, steps, samples, tau=0.6, smooth=smooth)


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
