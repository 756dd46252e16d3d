"""Drawn networks whose layers fire in some steps and stay silent in others, for the proof."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from stbp_edu.arrows import Neuron, draw_params, forward
from stbp_edu.arrows.table import Table, reading_output
from stbp_edu.proof.run import Run, firing

DRAWS = 40  # networks that are drawn at most
ENOUGH = 0.2  # until each layer fires, and is silent, in this share of its steps
LARGEST = 1e6  # a state in a run
SAMPLES = 16  # of each input that is tried
SPREADS = 0.25 ** np.arange(6)[::-1]  # of an input, relative to its size


def drive(neuron: Neuron, T: int) -> tuple[float, float]:
    """Return mean and spread of an input that makes a neuron fire in some of T steps, not in all.

    The search begins with inputs of all sizes, and goes on around the best, ever closer; of
    alike ones it takes the narrowest.
    """
    best = (0.2, 0.8)
    if not neuron.lines.spike:
        return best
    rng = np.random.default_rng(0)
    net = reading_output("1-1", neuron)
    layer = draw_params(net, rng)[1]
    params = [None, {**layer, "W": np.ones((1, 1))}]
    noise = rng.normal(size=(T, 1, SAMPLES))
    middle = 0.0
    width = 14.0
    for _ in range(4):
        tried = middle + width * np.linspace(-1, 1, 57)
        pairs = []
        for spread, mean in product(SPREADS, np.sinh(tried)):
            pairs.append((mean, spread * (1 + abs(mean))))
        means, spreads = np.array(pairs).T[..., None]
        inputs = means + spreads * noise
        scores = _scores(Run(net, params, inputs.reshape(T, -1, 1), None))
        k = int(np.argmax(scores))
        if not scores[k] > 0:  # it never fires, or always does
            break
        best = pairs[k]
        middle = tried[k % len(tried)]
        width = width / 14
    return best


def _scores(run: Run) -> Any:
    """Return for each input that was tried how well it drives the neuron; 0 where it does not."""

    def share(where: Any) -> Any:
        """Return in which share of steps and samples something holds, by input."""
        by_input = where.reshape(len(where), -1, SAMPLES)
        return by_input.mean(axis=(0, 2))

    at = run.read(forward(run.net, run.params, run.inputs), 1)
    fires, silent, near = map(share, firing(run.neuron, at))
    small = [np.abs(state) < LARGEST for state in at["now"].values()]
    both = np.minimum(fires, silent)
    scores = np.minimum(both, 0.3) * (0.1 + near)
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
        rng = np.random.default_rng((seed, tried))
        run = _draw(net, T, drives, rng)
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
    _, first = drives[1]
    params = draw_params(net, rng, first)
    for n, p in enumerate(params[1:], 1):
        mean, spread = drives[n]
        half = 0
        for name in ("W", "R"):
            if name in p:
                p[name] = p[name] * (spread / first)
                # spikes below bring half of this on average; the input brings nothing
                if n > 1 or name == "R":
                    half = half + p[name].sum(axis=1) / 2
        drawn = rng.normal(0, 0.3, p["b"].shape)
        p["b"] = mean + spread * drawn - half
        for name in net.layers[n].neuron.learned:
            # others than given: no two are equal
            shares = rng.uniform(0.999, 1.001, np.shape(p[name]))
            p[name] = p[name] * shares
    inputs = rng.normal(size=(T, 3, *net.shape_of(0)))
    weight = rng.normal(size=(T, 3, *net.shape_of(net.N)))
    return Run(net, params, inputs, weight)


def _is_finite(run: Run) -> bool:
    """Return whether every state stays finite and small, also on the smooth twin."""
    for trace in run.traces[:2]:
        for n, layer in enumerate(run.net.layers[1:], 1):
            for state in layer.neuron.order:
                largest = np.abs(trace[state][n]).max()
                if not largest < LARGEST:  # or a NaN
                    return False
    return True
