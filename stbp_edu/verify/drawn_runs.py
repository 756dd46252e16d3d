"""Drawn networks whose layers fire in some steps and stay silent in others, for the proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu.arrows import Loss, Neuron, Rule, draw_params
from stbp_edu.arrows.adjoints import (
    LocalDerivatives,
    derivatives_on,
    gradients,
    lambdas,
)
from stbp_edu.arrows.arrow import like
from stbp_edu.arrows.table import Table, network
from stbp_edu.lines.expressions import evaluate
from stbp_edu.lines.operations import fires
from stbp_edu.verify.lines_run import steps

DRAWS = 40  # networks that are drawn at most
ENOUGH = 0.2  # until each layer fires, and is silent, in this share of its steps
LARGEST = 1e6  # a state in a run
SAMPLES = 16  # of each input that is tried
SPREADS = 0.25 ** np.arange(6)[::-1]  # of an input, relative to its size
Values = Mapping[str, Any]
"""What updates read, as the lines call it: states ``u`` and ``u_last``, the input ``x``, and what
is learned."""


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

    def states(
        self, inputs: Any, twin: bool = False, params: Sequence[Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return by layer what its lines read and give, shape (T, S, n[n]) each."""
        neurons = [layer.neuron for layer in self.net.layers[1:]]
        spikes = [fires] * (1 + len(neurons))
        if twin:
            spikes[1:] = [one.smooth for one in neurons]
        run = list(steps(self.net, params or self.params, inputs, spikes))
        return [
            {name: np.stack([now[n][name] for now in run]) for name in run[0][n]}
            for n in range(self.net.N + 1)
        ]

    @cached_property
    def traces(self) -> list[Any]:
        """The run, that of the smooth twin, and one whose inputs are more than its biases."""
        largest_bias = np.abs(self.params[1]["b"]).max()
        largest_weight = np.abs(self.params[1]["W"]).max()
        wide = 3 + largest_bias / largest_weight
        return [
            self.states(self.inputs),
            self.states(self.inputs, twin=True),
            self.states(wide * self.inputs),
        ]

    @cached_property
    def shares(self) -> Any:
        """By layer, in which shares of its steps it fires, is silent, and has h > 1 % of h(0)."""
        found = []
        for n, layer in enumerate(self.net.layers[1:], 1):
            found.append([w.mean() for w in firing(layer.neuron, self.traces[0][n])])
        return np.array(found)

    @property
    def lacks(self) -> str:
        """What it does not show."""
        if 2 * self.thrown_away > self.tried:
            return f"{self.finite}; does a line divide by a state, or grow?"
        names = ("fires", "is silent", "has h > 1 % of h(0)")
        shares = self.shares.min(axis=0)
        shown = shares > 0  # False for a NaN
        missing = [name for name, there in zip(names, shown, strict=True) if not there]
        if not missing:
            return ""
        return f"no drawn run in which every layer {' or '.join(missing)}"

    @property
    def finite(self) -> str:
        """How many of the drawn runs could not be used."""
        return f"{self.thrown_away} of {self.tried} drawn runs were not finite and below a million"

    def __str__(self) -> str:
        """Return how often its layers fire."""
        layers = [
            f"layer {n} in {fires:.0%} of its steps, h > 1 % of h(0) in {near:.0%}"
            for n, (fires, _, near) in enumerate(self.shares, 1)
        ]
        return f"spikes in the drawn run: {'; '.join(layers)}"

    def local(self, state: str, twin: bool = False) -> LocalDerivatives:
        """Return the factors on the run, where the loss is Σ weight · state."""
        net = replace(self.net, loss=Loss(state))
        by_state = {
            name: [layer.get(name) for layer in self.traces[twin]]
            for layer in self.traces[twin]
            for name in layer
        }
        return derivatives_on(net, self.params, by_state, self.weight)


def recursion(local: LocalDerivatives, rule: Rule) -> Any:
    """Return the gradients that a rule's recursion finds, by layer and name."""
    return gradients(local, lambdas(local, rule), rule.start)


def updated(neuron: Neuron, target: str, at: Values) -> Any:
    """Return a state's update; of a spike, its distance from the threshold."""
    values = {**neuron.lines.constants, **at}
    found = evaluate(neuron.lines.update(target), values)
    return like(at["x"], found)


def firing(neuron: Neuron, at: Values) -> tuple[Any, Any, Any]:
    """Return where it fires, is silent, and has h > 1 % of h(0): everywhere if it has no spikes."""
    if not neuron.lines.spike:
        everywhere = np.ones(at["x"].shape)
        return everywhere, everywhere, everywhere
    v = updated(neuron, neuron.lines.spike, at)
    h = neuron.surrogate.derivative
    near = h(v) > 0.01 * h(np.zeros(1))
    return v >= 0, v < 0, near


def drive(neuron: Neuron, T: int) -> tuple[float, float]:
    """Return mean and spread of an input that makes a neuron fire in some of T steps, not in all.

    The search begins with inputs of all sizes, and goes on around the best, ever closer; of
    alike ones it takes the narrowest.
    """
    best = (0.2, 0.8)
    if not neuron.lines.spike:
        return best
    rng = np.random.default_rng(0)
    net = network("1-1", neuron)
    layer = draw_params(net, rng)[1]
    params = [None, {**layer, "W": np.ones((1, 1))}]
    noise = rng.normal(size=(T, 1, 1, SAMPLES))
    middle = 0.0
    width = 14.0
    for _ in range(4):
        tried = middle + width * np.linspace(-1, 1, 57)
        means = np.sinh(tried)
        spreads = SPREADS[:, None] * (1 + np.abs(means))
        inputs = means[:, None] + spreads[..., None] * noise
        scores = _scores(Run(net, params, inputs.reshape(T, -1, 1), None))
        k = int(np.argmax(scores))
        if not scores[k] > 0:  # it never fires, or always does
            break
        best = means[k % len(tried)], spreads.flat[k]
        middle = tried[k % len(tried)]
        width = width / 14
    return best


def _scores(run: Run) -> Any:
    """Return for each input that was tried how well it drives the neuron; 0 where it does not."""

    def share(where: Any) -> Any:
        """Return in which share of steps and samples something holds, by input."""
        by_input = where.reshape(len(where), -1, SAMPLES)
        return by_input.mean(axis=(0, 2))

    states = run.states(run.inputs)
    fires_, silent, near = map(share, firing(run.neuron, states[1]))
    small = [np.abs(states[1][name]) < LARGEST for name in run.neuron.order]
    scores = np.minimum(np.minimum(fires_, silent), 0.3) * (0.1 + near)
    scores[share(np.all(small, axis=0)) < 1] = 0
    return scores


def drawn(net: Table, T: int, seed: int) -> Run:
    """Return the drawn run, of those that stay finite, whose layers fire and are silent most.

    Raises:
        ValueError: if no run stays finite.
    """
    neurons = [layer.neuron for layer in net.layers[1:]]
    drives = [(0.0, 1.0), *(drive(neuron, T) for neuron in neurons)]
    runs: list[Run] = []
    tried = 0
    while tried < DRAWS:
        run = _draw(net, T, drives, np.random.default_rng((seed, tried)))
        tried += 1
        if not _is_finite(run):
            continue
        runs.append(run)
        if run.shares.min() >= ENOUGH:
            break
    if not runs:
        raise ValueError(
            "no drawn run stays finite and below a million; does a line divide by a state, or grow?"
        )
    best = max(runs, key=lambda run: run.shares.min())
    return replace(best, tried=tried, thrown_away=tried - len(runs))


def _draw(
    net: Table, T: int, drives: list[tuple[float, float]], rng: np.random.Generator
) -> Run:
    """Draw a network whose layers are driven with these means and spreads."""
    _, spread_1 = drives[1]
    params = draw_params(net, rng, spread_1)
    for n, p in enumerate(params[1:], 1):
        mean, spread = drives[n]
        half = 0
        for name in ("W", "R"):
            if name in p:
                p[name] = p[name] * (spread / spread_1)
                # spikes below bring half of this on average; the input brings nothing
                if n > 1 or name == "R":
                    half = half + p[name].sum(axis=1) / 2
        p["b"] = mean + spread * rng.normal(0, 0.3, p["b"].shape) - half
        for name in net.layers[n].neuron.learned:
            # others than given: no two are equal
            p[name] = p[name] * rng.uniform(0.999, 1.001, np.shape(p[name]))
    inputs = rng.normal(size=(T, 3, *net.shape_of(0)))
    in_loss = rng.normal(size=(T, 3, *net.shape_of(net.N)))
    return Run(net, params, inputs, in_loss)


def _is_finite(run: Run) -> bool:
    """Return whether every state stays finite and small, also on the smooth twin."""
    return all(
        np.abs(layer[state]).max() < LARGEST  # False for a NaN
        for trace in run.traces[:2]
        for layer, states in zip(trace[1:], run.net.states[1:], strict=True)
        for state in states
    )
