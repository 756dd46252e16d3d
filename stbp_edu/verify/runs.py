"""The forward runs of the oracles: any neuron by its lines, on networks that are given or drawn.

``steps`` reads neither the table of arrows nor a program that was written from it; it shares with
them how lines are read from their text, and ``evaluate``. Something may be added to any state:
where it is small, that is a nudge; where it is a zero of autograd's, the derivative by it is the
adjoint of the state.

For the proof, networks are drawn whose layers fire in some steps and stay silent in others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
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
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.arrows.table import Table, network
from stbp_edu.lines.expressions import evaluate
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import fires

Spike = Callable[[Any], Any]
"""A spike by its distance from the threshold."""


@lru_cache(maxsize=64)  # its lines are read from text
def of_cases(sizes: tuple[int, ...], neuron: LIF) -> Table:
    """Return the network of the five cases."""
    return network(sizes, from_lif(neuron))


def steps(
    net: Table,
    params: Sequence[Any],
    inputs: Any,
    spikes: Sequence[Spike],
    added: Sequence[Mapping[str, Any]] | None = None,
    xp: Any = np,
) -> Iterator[list[dict[str, Any]]]:
    """Yield all that the lines of every layer read and give, step by step, by name.

    These are its states, those of the last step (``u_last``), its input x, and its constants.
    Layer 0 has the input, as ``"o"``.

    Args:
        net: fully connected layers of any neurons, recurrent or not.
        params: by layer, its parameters by name.
        inputs: shape (T, S, n[0]).
        spikes: by layer, what the spike is.
        added: by layer, what is added to its states, by name, shape (T, S, n[n]).
        xp: NumPy, or autograd's.
    """
    last: list[dict[str, Any]] = []
    for width, names in zip(net.sizes, net.states, strict=True):
        at_rest = np.zeros((inputs.shape[1], width), inputs.dtype)
        last.append(dict.fromkeys(names, at_rest))
    for t in range(len(inputs)):
        now: list[dict[str, Any]] = [{"o": inputs[t]}]
        for n, layer in enumerate(net.layers[1:], 1):
            p = params[n]
            lines = layer.neuron.lines
            x = now[n - 1][net.output_of(n - 1)] @ p["W"].T + p["b"]
            if layer.recurrent:
                x = x + last[n][lines.output] @ p["R"].T
            zeros = np.zeros(x.shape)  # autograd's where does not broadcast
            learned = {name: p[name] for name in layer.neuron.learned}
            constants = {**lines.constants, **learned}
            read = {name: value + zeros for name, value in constants.items()}
            read |= {f"{state}_last": last[n][state] for state in lines.lines}
            read["x"] = x
            spike = {"spike": spikes[n]}
            for state, line in lines.states.items():
                read[state] = evaluate(line, read, spike, xp, float)
                if added and state in added[n]:
                    read[state] = read[state] + added[n][state][t]
            now.append(read)
        yield now
        last = now


DRAWS = 40  # networks that are drawn at most
ENOUGH = 0.2  # until each layer fires, and is silent, in this share of its steps
LARGEST = 1e6  # a state in a run
CANDIDATES = 2_000  # neurons that are drawn for each layer
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

    def states(self, twin: bool = False) -> list[dict[str, Any]]:
        """Return by layer what its lines read and give, shape (T, S, n[n]) each."""
        neurons = [layer.neuron for layer in self.net.layers[1:]]
        spikes = [fires] * (1 + len(neurons))
        if twin:
            spikes[1:] = [neuron.smooth for neuron in neurons]
        run = list(steps(self.net, self.params, self.inputs, spikes))
        return [
            {name: np.stack([now[n][name] for now in run]) for name in run[0][n]}
            for n in range(self.net.N + 1)
        ]

    @cached_property
    def traces(self) -> list[Any]:
        """The run, and that of the smooth twin."""
        return [self.states(), self.states(twin=True)]

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


def drawn(net: Table, T: int, seed: int) -> Run:
    """Return the drawn run, of those that stay finite, whose layers fire and are silent most.

    Raises:
        ValueError: if no run stays finite.
    """
    runs: list[Run] = []
    tried = 0
    while tried < DRAWS:
        run = _draw(net, T, np.random.default_rng((seed, tried)))
        tried += 1
        layers = [
            layer
            for trace in run.traces
            for layer in zip(trace, net.states, strict=True)
        ]
        if not all(_small(*layer).all() for layer in layers):
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


def _draw(net: Table, T: int, rng: np.random.Generator) -> Run:
    """Draw a network layer by layer: of many neurons the best, which fire and are silent.

    Their inputs have all sizes, small ones first; of alike neurons the first are taken.
    """
    inputs = rng.normal(size=(T, 3, net.sizes[0]))
    below = inputs
    params: list[Any] = [None]
    sizes = np.linspace(0, 1, CANDIDATES)
    for layer, width in zip(net.layers[1:], net.sizes[1:], strict=True):
        neuron = layer.neuron
        wide = network((below.shape[-1], CANDIDATES), neuron)
        p: Any = draw_params(wide, rng)[1]
        for name in neuron.learned:
            # others than given: no two are equal
            p[name] = p[name] * rng.uniform(0.999, 1.001, np.shape(p[name]))
        means = np.sinh(sizes * rng.uniform(-14, 14, CANDIDATES))
        spreads = (1 + np.abs(means)) * 0.25 ** (sizes * rng.uniform(0, 6, CANDIDATES))
        p["W"] = p["W"] * spreads[:, None] / (below.std() or 1)
        p["b"] = means - p["W"] @ below.mean((0, 1))
        states = Run(wide, [None, p], below, None).states()
        shares = [where.mean((0, 1)) for where in firing(neuron, states[1])]
        scores = np.minimum(np.minimum(*shares[:2]), 0.3) * (0.1 + shares[2])
        scores[~_small(states[1], neuron.order)] = 0
        best = np.argsort(-scores, kind="stable")[:width]
        p = {name: a[best] if np.ndim(a) else a for name, a in p.items()}
        below = states[1][neuron.output][..., best]
        if layer.recurrent:
            R = rng.normal(size=(width, width)) * spreads[best, None]
            p["R"] = R / (below.std() or 1) / np.sqrt(width)
            p["b"] = p["b"] - p["R"] @ below.mean((0, 1))
        params.append(p)
    return Run(net, params, inputs, rng.normal(size=(T, 3, net.sizes[-1])))


def _small(states: Values, names: Sequence[str]) -> Any:
    """Return of which neurons these states stay finite and small."""
    sizes = np.array([np.abs(states[name]).max((0, 1)) for name in names])
    return (sizes < LARGEST).all(axis=0)  # False for a NaN
