"""Drawn networks whose layers fire in some steps and stay silent in others, for the proof."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product
from typing import Any

import numpy as np

from stbp_edu.arrows import Loss, Neuron, draw_params, forward
from stbp_edu.arrows.adjoints import (
    LocalDerivatives,
    around,
    derivatives_on,
    gradients,
    lambdas,
)
from stbp_edu.arrows.forward_run import driven
from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.slopes import BY_ARGUMENT, A, B
from stbp_edu.arrows.models import Network, reading_output
from stbp_edu.arrows.table import like

DRAWS, ENOUGH = (
    40,
    0.2,
)  # networks drawn, until each layer fires, and is silent, in this share
LARGEST = 1e6  # a state in a run
COPIES = 4  # of the points of a run, each moved far away
SPREADS = 0.25 ** np.arange(6)[::-1]  # of an input, relative to its size
Values = dict[str, dict[str, Any]]
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

    net: Network
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
        biases, weights = self.params[1]["b"], self.params[1]["W"]
        wide = 3 + np.abs(biases).max() / np.abs(weights).max()
        run = partial(forward, self.net, self.params)
        return [run(self.inputs), run(self.inputs, twin=True), run(wide * self.inputs)]

    def read(self, trace: Any, n: int) -> Values:
        """Return the values that the updates of a layer read."""
        layer, p = self.net.layers[n], self.params[n]
        now = {state: trace[state][n] for state in layer.neuron.order}
        around_now = around(now)
        last = {state: around_now[f"{state}-1"] for state in now}
        below = trace[self.net.output_of(n - 1)][n - 1]
        x = driven(layer, p, below, last)
        learned = {name: p[name] for name in layer.neuron.learned}
        return {"now": now, "last": last, "input": {"x": x}, "learned": learned}

    @property
    def points(self) -> Values:
        """All that updates read in the runs, moved a little, away from corners; then moved far.

        Far are steps of many sizes in both directions, so no clip lies beyond all points.
        Spikes and what is learned stay where they are.
        """
        layers = range(1, self.net.N + 1)
        every = [self.read(*place) for place in product(self.traces, layers)]
        rng, far = np.random.default_rng(0), np.random.default_rng(1)

        def joined(where: str, name: str) -> Any:
            """Return one quantity."""
            parts = []
            for at in every:
                shape = at["input"]["x"].shape
                parts.append(np.broadcast_to(at[where][name], shape).ravel())
            values = np.concatenate(parts)
            sizes = np.abs(values)
            near = values + rng.normal(size=len(values)) * (0.01 + 0.003 * sizes)
            signs = far.choice([-1, 1], (COPIES, len(values)))
            steps = signs * 10 ** far.uniform(-1, 1.5, signs.shape)
            steps[1::2] *= sizes.mean()
            if where == "learned" or name == self.neuron.lines.spike:
                steps[:] = 0
            return np.concatenate([near, *(near + steps)])

        return {
            where: {s: joined(where, s) for s in every[0][where]} for where in every[0]
        }

    @cached_property
    def shares(self) -> Any:
        """By layer, in which shares of its steps it fires, is silent, and has h > 0."""
        found = []
        for n, layer in enumerate(self.net.layers[1:], 1):
            at = self.read(self.traces[0], n)
            found.append([where.mean() for where in met(layer.neuron, at)])
        return np.array(found)

    @property
    def lacks(self) -> str:
        """What it does not show."""
        if 2 * self.thrown_away > self.tried:
            return f"{self.finite}; does a line divide by a state, or grow?"
        names = ("fires", "is silent", "has h > 0")
        shares = self.shares.min(axis=0)
        missing = [
            name for name, share in zip(names, shares, strict=True) if not share > 0
        ]
        if not missing:
            return ""
        return f"no drawn run in which every layer {' or '.join(missing)}"

    @property
    def finite(self) -> str:
        """How many of the drawn runs could not be used."""
        return f"{self.thrown_away} of {self.tried} drawn runs were not finite and below a million"

    def __str__(self) -> str:
        """Return how often its layers fire."""
        layers = enumerate(self.shares, 1)
        found = [
            f"layer {n} in {a:.0%} of its steps, h > 0 in {c:.0%}"
            for n, (a, _, c) in layers
        ]
        return f"spikes in the drawn run: {'; '.join(found)}"

    def local(self, state: str, twin: bool = False) -> LocalDerivatives:
        """Return the factors on the run, where the loss is Σ weight · state."""
        net = replace(self.net, loss=Loss("of a state", state))
        return derivatives_on(net, self.params, self.traces[twin], self.weight)

    def gradients(self, state: str, twin: bool = False) -> Any:
        """Return the gradients of Σ weight · state by the exact rule."""
        local = self.local(state, twin)
        return gradients(local, lambdas(local), "all")


def updated(neuron: Neuron, target: str, at: Values) -> Any:
    """Return a state's update; of a spike, its distance from the threshold."""
    return neuron.updated(
        target, at["now"], at["last"], at["input"]["x"], at["learned"]
    )


def summed_sizes(neuron: Neuron, target: str, at: Values) -> Any:
    """Return the sizes of what adds up in a state's update: rounding errs by a share of them."""
    line = ex.written_out(neuron.lines.states[target])
    if target == neuron.lines.spike and isinstance(line, ex.Call):
        line = line.args[0]

    def value(name: ex.Name) -> Any:
        """Return the value of a name."""
        if name.name == "x":
            return at["input"]["x"]
        if name.when:
            return at[name.when][name.name]
        return at["learned"].get(name.name, neuron.lines.constants.get(name.name))

    def sized(tree: ex.Expression) -> tuple[Any, Any]:
        """Return the value of an expression, and the sizes of what adds up to it."""
        if not isinstance(tree, ex.Call):
            own = ex.evaluate(tree, value, {})
            return own, np.abs(own)
        pairs = [sized(arg) for arg in tree.args]
        args = dict(zip((A, B), (own for own, _ in pairs), strict=False))
        own = ex.OPERATIONS[str(tree.op)](np, *args.values())
        total = np.abs(own)
        for by, (_, size) in zip(BY_ARGUMENT[str(tree.op)], pairs, strict=False):
            slope = ex.evaluate(by, args.__getitem__, {})
            total = total + np.nan_to_num(np.abs(slope) * size)
        return own, total

    return sized(line)[1]


def met(neuron: Neuron, at: Values) -> tuple[Any, Any, Any]:
    """Return where a neuron fires, is silent, and has h > 0; without spikes, all are everywhere."""
    if not neuron.lines.spike:
        everywhere = np.ones(at["input"]["x"].shape)
        return everywhere, everywhere, everywhere
    v, h = updated(neuron, neuron.lines.spike, at), neuron.surrogate.derivative
    return v >= 0, v < 0, like(v, h(v), "h(v)") > 0.01 * h(np.zeros(1))


def drive(neuron: Neuron, T: int) -> tuple[float, float]:
    """Return mean and spread of an input that makes a neuron fire in some of T steps, not in all.

    The search begins with inputs of all sizes, and goes on around the best, ever closer; of
    alike ones it takes the narrowest.
    """
    best, around, width = (0.2, 0.8), 0.0, 14.0
    net, rng = reading_output("1-1", neuron), np.random.default_rng(0)
    params = [None, draw_params(net, rng)[1] | {"W": np.ones((1, 1))}]
    noise = rng.normal(size=(T, 1, 16))
    for _ in range(4 if neuron.lines.spike else 0):
        tried = around + width * np.linspace(-1, 1, 57)
        pairs = [(m, r * (1 + abs(m))) for r in SPREADS for m in np.sinh(tried)]
        means, spreads = np.array(pairs).T[..., None]
        run = Run(net, params, (means + spreads * noise).reshape(T, -1, 1), None)
        at = run.read(forward(net, params, run.inputs), 1)
        found = (
            *met(neuron, at),
            np.all([np.abs(a) < LARGEST for a in at["now"].values()], axis=0),
        )
        fires, silent, near, fine = (
            one.reshape(T, -1, 16).mean(axis=(0, 2)) for one in found
        )
        score = np.minimum(np.minimum(fires, silent), 0.3) * (0.1 + near)
        score[fine < 1] = 0
        k = int(np.argmax(score))
        if not score[k] > 0:  # it never fires, or always does
            break
        best, around, width = pairs[k], tried[k % len(tried)], width / 14
    return best


def drawn(net: Network, T: int, seed: int) -> Run:
    """Return the drawn run, of those that stay finite, whose layers fire and are silent most.

    Raises:
        ValueError: if no run stays finite.
    """
    drives = [(0.0, 1.0), *(drive(layer.neuron, T) for layer in net.layers[1:])]
    runs: list[Run] = []
    tried = 0
    for rng in (np.random.default_rng((seed, k)) for k in range(DRAWS)):
        tried += 1
        run = _draw(net, T, drives, rng)
        if _is_finite(run):
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
    net: Network, T: int, drives: list[tuple[float, float]], rng: np.random.Generator
) -> Run:
    """Draw a network whose layers are driven with these means and spreads."""
    first = drives[1][1]
    params = draw_params(net, rng, first)
    for n, p in enumerate(params[1:], 1):
        mean, spread = drives[n]
        weights = [name for name in ("W", "R") if name in p]
        for name in weights:
            p[name] = p[name] * (spread / first)
        # spikes below bring half of this on average; the input brings nothing
        half = sum(p[name].sum(axis=1) / 2 for name in weights if n > 1 or name == "R")
        p["b"] = mean + spread * rng.normal(0, 0.3, p["b"].shape) - half
        for name in net.layers[n].neuron.learned:
            # others than given: no two are equal
            p[name] = p[name] * rng.uniform(0.999, 1.001, np.shape(p[name]))
    inputs, weight = (rng.normal(size=(T, 3, *net.shape_of(n))) for n in (0, net.N))
    return Run(net, params, inputs, weight)


def _is_finite(run: Run) -> bool:
    """Return whether every state stays finite and small, also on the smooth twin."""
    for trace in run.traces[:2]:
        for n, states in enumerate(run.net.states):
            for state in states if n else ():
                if not np.abs(trace[state][n]).max() < LARGEST:
                    return False
    return True
