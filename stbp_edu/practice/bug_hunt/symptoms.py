"""On which networks a bug shows: measured, and said in words.

Each bug runs on networks that differ in one thing: T, S, or whether any neuron spikes. What it
returns is held against the package's sweep.
"""

from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from stbp_edu.cases import case_at
from stbp_edu.checks import Array
from stbp_edu.network import Params, forward
from stbp_edu.practice.bug_hunt.bugs import Bug
from stbp_edu.practice.tasks import ForwardPass, draw_network, step_name

SIZES, T, S = (5, 4, 3, 2), 4, 3
"""The network from which the others differ: three layers, no two equally wide."""

TOLERANCE = 1e-7
"""Relative; an error of a bug is far larger, rounding far smaller."""

SYMPTOMS = {
    "T=1": "wrong at T = 1 already",
    "T>1": "wrong only where T > 1",
    "T>2": "wrong only where T > 2",
    "S>1": "wrong only where S > 1",
    "hidden": "wrong only below the output layer",
    "output": "wrong only in the output layer",
    "W": "wrong only in W",
    "b": "wrong only in b",
    "factor": "all gradients are off by one constant factor",
    "spikes": "wrong only where a neuron has spiked",
    "widths": "an error is raised unless all layers are equally wide",
}
"""What can be seen of a bug from outside, by the name that ``hunt`` takes."""

Wrong = frozenset[tuple[str, int]]
"""The gradients that are wrong: ``("W", 2)`` is that of W[2]."""


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
        wrong, seen = self.wrong, self.wrong["T = 4"]
        kinds, layers = {kind for kind, _ in seen}, {n for _, n in seen}
        holds = {
            "T=1": bool(wrong["T = 1"]),
            "T>1": not wrong["T = 1"] and bool(wrong["T = 2"]),
            "T>2": not wrong["T = 1"] and not wrong["T = 2"],
            "S>1": not wrong["S = 1"],
            "hidden": len(SIZES) - 1 not in layers,
            "output": layers == {len(SIZES) - 1},
            "W": kinds == {"W"},
            "b": kinds == {"b"},
            "factor": self.factor is not None,
            "spikes": not wrong["no spikes"],
            "widths": self.raises,
        }
        return tuple(name for name, is_so in holds.items() if is_so)


@cache
def networks() -> dict[str, tuple[ForwardPass, ForwardPass]]:
    """Return the networks by name, each as a spiking network and as its smooth twin."""
    shapes = {"T = 1": (1, S), "T = 2": (2, S), "T = 4": (T, S), "S = 1": (T, 1)}
    drawn = {name: (_draw(*shape, False), _draw(*shape, True)) for name, shape in shapes.items()}
    return drawn | {"no spikes": (_silent(drawn["T = 4"][0]),) * 2}


def _draw(steps: int, samples: int, smooth: bool) -> ForwardPass:
    return draw_network(800 + smooth, SIZES, steps, samples, tau=0.6, smooth=smooth)


def _silent(net: ForwardPass) -> ForwardPass:
    """Return the network with weights and biases so small that no neuron reaches the threshold."""
    small = Params(*([None, *(x / 8 for x in part[1:])] for part in (net.params.W, net.params.b)))
    trace = forward(net.trace.O[0], small, net.neuron)
    return replace(net, trace=trace, params=small)


def outcome(run: Any, net: ForwardPass) -> Any:
    """Return what a program returns on a network, or the error that it raises."""
    try:
        with np.errstate(all="ignore"):
            return run(net.trace, net.targets, net.params, net.neuron)
    except (ValueError, IndexError, TypeError) as error:
        return error


def differs(got: Any, exact: Array) -> bool:
    """Return whether an array is not the exact one."""
    got = np.asarray(got)
    off = np.inf if got.shape != exact.shape else np.abs(got - exact).max()
    return not off <= TOLERANCE * np.abs(exact).max()


def wrong_gradients(result: Any, exact: Any) -> Wrong:
    """Return which gradients are wrong; all of them where an error was raised."""
    every = [(kind, n) for kind in "Wb" for n in range(1, len(exact.W))]
    if isinstance(result, Exception):
        return frozenset(every)
    got, right = {"W": result[2], "b": result[3]}, {"W": exact.W, "b": exact.b}
    return frozenset((k, n) for k, n in every if differs(got[k][n], right[k][n]))


def _factor(result: Any, exact: Any) -> float | None:
    """Return the constant by which all gradients are off, if there is one."""
    if isinstance(result, Exception):
        return None
    got, right = (
        np.concatenate([np.ravel(gradient) for part in both for gradient in part[1:]])
        for both in (result[2:], (exact.W, exact.b))
    )
    factor = float(got @ right / (right @ right)) if got.shape == right.shape else 0.0
    return None if differs(got, factor * right) else factor


@cache
def evidence(bug: Bug) -> Evidence:
    """Return what a bug does on every network."""
    wrong: dict[str, Wrong] = {}
    for name, pair in networks().items():
        results = [(outcome(bug.run, net), net.sweep("exact").gradients) for net in pair]
        wrong[name] = frozenset(g for result in results for g in wrong_gradients(*result))
        if name == "T = 4":
            factors = [_factor(*result) for result in results]
            raises = isinstance(results[0][0], Exception)
    one = factors[0] if None not in factors and len({f"{f:.9g}" for f in factors}) == 1 else None
    return Evidence(wrong, one, raises)


def first_wrong(bug: Bug) -> str:
    """Return the first wrong cell in the order of the sweep, on the smooth twin, in words."""
    _, net = networks()["T = 4"]
    result, N = outcome(bug.run, net), len(SIZES) - 1
    if isinstance(result, Exception):
        return f"it raises {type(result).__name__}: {result}"
    exact = net.sweep("exact")
    pairs = ("δ", result[0], exact.delta), ("ε", result[1], exact.epsilon)
    for t, n in product(reversed(range(T)), reversed(range(1, N + 1))):
        for name, got, right in pairs:
            if differs(got[n][t], right[n][t]):
                return f"{name} at {step_name(t)}, n = {n}, a cell of case {case_at(t, n, T, N)}"
    return "no δ and no ε, only what is summed from them"
