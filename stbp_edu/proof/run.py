"""One drawn network and its runs, and what the updates of its neurons read there."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from stbp_edu.arrows import Loss, Neuron, forward
from stbp_edu.arrows.adjoints import (
    LocalDerivatives,
    around,
    derivatives_on,
    gradients,
    lambdas,
)
from stbp_edu.arrows.arrow import like
from stbp_edu.arrows.forward_run import driven
from stbp_edu.arrows.table import Table
from stbp_edu.lines.derivatives import SLOPES
from stbp_edu.lines.expressions import args_of, evaluate, op_of, written_out
from stbp_edu.lines.operations import OPERATIONS

COPIES = 4  # of the points of a run, each moved far away
Values = Mapping[str, Mapping[str, Any]]
"""What updates read, by where and name: states ``"now"`` and ``"last"``, the ``"input"`` x, and
what is ``"learned"``."""


@dataclass(frozen=True)
class Run:
    """A drawn network and its runs.

    Attributes:
        net: the network.
        params: its parameters.
        inputs: the input, (T, S, n[0]).
        weight: that of each entry of a state in a loss.
        tried: how many networks were drawn.
        thrown_away: how many of them had runs that are not finite, or not below a million.
    """

    net: Table
    params: Any
    inputs: Any
    weight: Any
    tried: int = 1
    thrown_away: int = 0

    @property
    def neuron(self) -> Neuron:
        """The neuron of the first layer."""
        return self.net.layers[1].neuron

    @cached_property
    def traces(self) -> list[Any]:
        """The run, that of the smooth twin, and one whose inputs are more than its biases."""
        first = self.params[1]
        largest_bias = np.abs(first["b"]).max()
        largest_weight = np.abs(first["W"]).max()
        wide = 3 + largest_bias / largest_weight
        return [
            forward(self.net, self.params, self.inputs),
            forward(self.net, self.params, self.inputs, twin=True),
            forward(self.net, self.params, wide * self.inputs),
        ]

    def read(self, trace: Any, n: int) -> Values:
        """Return the values that the updates of a layer read."""
        neuron = self.net.layers[n].neuron
        p = self.params[n]
        now = {state: trace[state][n] for state in neuron.order}
        around_now = around(now)
        last = {state: around_now[f"{state}-1"] for state in now}
        output_below = self.net.output_of(n - 1)
        below = trace[output_below][n - 1]
        x = driven(self.net.layers[n], p, below, last)
        learned = {name: p[name] for name in neuron.learned}
        return {"now": now, "last": last, "input": {"x": x}, "learned": learned}

    @property
    def points(self) -> Values:
        """All that updates read in the runs, moved a little, away from corners; then moved far.

        Far are steps of many sizes in both directions, so no clip lies beyond all points.
        Spikes and what is learned stay where they are.
        """
        layers = range(1, self.net.N + 1)
        runs_and_layers = product(self.traces, layers)
        every = [self.read(trace, n) for trace, n in runs_and_layers]
        near = np.random.default_rng(0)
        far = np.random.default_rng(1)
        found: dict[str, dict[str, Any]] = {}
        for where, names in every[0].items():
            found[where] = {}
            for name in names:
                values = _joined(every, where, name)
                moves_far = where != "learned" and name != self.neuron.lines.spike
                found[where][name] = _moved(values, near, far, moves_far)
        return found

    @cached_property
    def shares(self) -> Any:
        """By layer, in which shares of its steps it fires, is silent, and has h > 0."""
        found = []
        for n, layer in enumerate(self.net.layers[1:], 1):
            at = self.read(self.traces[0], n)
            found.append([where.mean() for where in firing(layer.neuron, at)])
        return np.array(found)

    @property
    def lacks(self) -> str:
        """What it does not show."""
        if 2 * self.thrown_away > self.tried:
            return f"{self.finite}; does a line divide by a state, or grow?"
        names = ("fires", "is silent", "has h > 0")
        shares = self.shares.min(axis=0)
        missing = []
        for name, share in zip(names, shares, strict=True):
            shown = share > 0  # False for a NaN
            if not shown:
                missing.append(name)
        if not missing:
            return ""
        return f"no drawn run in which every layer {' or '.join(missing)}"

    @property
    def finite(self) -> str:
        """How many of the drawn runs could not be used."""
        return f"{self.thrown_away} of {self.tried} drawn runs were not finite and below a million"

    def __str__(self) -> str:
        """Return how often its layers fire."""
        found = []
        for n, (fires, _, near) in enumerate(self.shares, 1):
            found.append(f"layer {n} in {fires:.0%} of its steps, h > 0 in {near:.0%}")
        return f"spikes in the drawn run: {'; '.join(found)}"

    def local(self, state: str, twin: bool = False) -> LocalDerivatives:
        """Return the factors on the run, where the loss is Σ weight · state."""
        net = replace(self.net, loss=Loss("of a state", state))
        return derivatives_on(net, self.params, self.traces[twin], self.weight)

    def gradients(self, state: str, twin: bool = False) -> Any:
        """Return the gradients of Σ weight · state by the exact rule."""
        local = self.local(state, twin)
        return gradients(local, lambdas(local), "all")


def _joined(every: list[Values], where: str, name: str) -> Any:
    """Return one quantity of all runs and layers as a row of numbers."""
    parts = []
    for at in every:
        shape = at["input"]["x"].shape
        part = np.broadcast_to(at[where][name], shape)
        parts.append(part.ravel())
    return np.concatenate(parts)


def _moved(
    values: Any,
    near: np.random.Generator,
    far: np.random.Generator,
    moves_far: bool,
) -> Any:
    """Return numbers moved a little, then copies of them that are moved far, if they may be."""
    sizes = np.abs(values)
    drawn = near.normal(size=len(values))
    moved = values + drawn * (0.01 + 0.003 * sizes)
    signs = far.choice([-1, 1], (COPIES, len(values)))
    exponents = far.uniform(-1, 1.5, signs.shape)
    steps = signs * 10**exponents
    steps[1::2] *= sizes.mean()
    if not moves_far:
        steps[:] = 0
    return np.concatenate([moved, *(moved + steps)])


def updated(neuron: Neuron, target: str, at: Values) -> Any:
    """Return a state's update; of a spike, its distance from the threshold."""
    x = at["input"]["x"]
    return neuron.updated(target, at["now"], at["last"], x, at["learned"])


def summed_sizes(neuron: Neuron, target: str, at: Values) -> Any:
    """Return the sizes of what adds up in a state's update: rounding errs by a share of them."""
    values = {**neuron.lines.constants, **at["learned"], **at["now"]}
    values |= {f"{state}_last": last for state, last in at["last"].items()}
    values["x"] = at["input"]["x"]

    def sized(tree: ast.expr) -> tuple[Any, Any]:
        """Return the value of an expression, and the sizes of what adds up to it."""
        op = str(op_of(tree))
        if not op:
            own = evaluate(tree, values)
            return own, np.abs(own)
        found = [sized(arg) for arg in args_of(tree)]
        args = dict(zip("ab", [inner for inner, _ in found], strict=False))
        own = OPERATIONS[op].value(np, *args.values())
        total = np.abs(own)
        for by, (_, size) in zip(SLOPES[op], found, strict=True):
            brought = np.abs(evaluate(by, args)) * size
            total = total + np.nan_to_num(brought)
        return own, total

    update = written_out(neuron.lines.update(target))
    _, sizes = sized(update)
    return sizes


def firing(neuron: Neuron, at: Values) -> tuple[Any, Any, Any]:
    """Return where a neuron fires, is silent, and has h > 0; without spikes, all are everywhere."""
    if not neuron.lines.spike:
        everywhere = np.ones(at["input"]["x"].shape)
        return everywhere, everywhere, everywhere
    v = updated(neuron, neuron.lines.spike, at)
    h = neuron.surrogate.derivative
    near = like(v, h(v), "h(v)")
    height = h(np.zeros(1))
    return v >= 0, v < 0, near > 0.01 * height
