"""The random draws of the exercises on arrows and losses."""

from typing import Any

import numpy as np

Args = tuple[Any, ...]

CELLS = ((2, 3), (1, 1), (0, 3), (2, 2))
"""Cells (t, n) of a grid of three steps and three layers, cases 1, 4, 3 and 2."""


def _signals(rng: np.random.Generator, k: int) -> Args:
    """Return weights to the layer above, its signals, and those of the next step."""
    S, width, above = (2, 3, 3, 4)[k], (4, 3, 2, 4)[k], (3, 3, 5, 4)[k]
    return (
        rng.normal(0, 1, (above, width)),
        rng.normal(0, 1, (S, above)),
        rng.normal(0, 1, (S, width)),
    )


def _soft_delta(rng: np.random.Generator, k: int) -> Args:
    """Return signals, and potentials and gate slopes that the soft reset does not ask for."""
    signals = _signals(rng, k)
    U, df = rng.normal(0.5, 1, (2, *signals[2].shape))
    return *signals, U, -np.exp(df), *rng.uniform(0.4, 1.6, 2).tolist()


def _soft_epsilon(rng: np.random.Generator, k: int) -> Args:
    """Return δ, h, the next ε, the hard reset's gate, τ and V_th."""
    delta, h, after, f = rng.normal(0, 1, (4, 2 + k % 2, 3))
    return delta, np.exp(h), after, np.exp(f), *rng.uniform(0.4, 1.6, 2).tolist()


def _early(rng: np.random.Generator, k: int) -> Args:
    """Return signals, h, τ and V_th."""
    signals = _signals(rng, k)
    h = np.exp(rng.normal(0, 1, signals[2].shape))
    return *signals, h, *rng.uniform(0.4, 1.6, 2).tolist()


def _layer_run(rng: np.random.Generator, k: int) -> Args:
    """Return δ, ε, h and spikes of a layer at every step, (T, S, n)."""
    delta, epsilon, h = rng.normal(0, 1, (3, 4 + k, 2, 3))
    return delta, epsilon, np.exp(h), (rng.random(h.shape) < 0.4).astype(float)


def _outputs(rng: np.random.Generator, k: int) -> Args:
    """Return one-hot targets and output spikes, (S, n) and (T, S, n)."""
    T, S, n = (4, 5, 3, 6)[k], (3, 2, 4, 3)[k], (3, 4, 2, 3)[k]
    return np.eye(n)[rng.integers(0, n, S)], (rng.random((T, S, n)) < 0.5).astype(float)


def _hidden_run(rng: np.random.Generator, k: int) -> Args:
    """Return δ and spikes of a hidden layer, the rate to keep near, and what it costs."""
    _, O = _outputs(rng, k)
    return rng.normal(0, 1, O.shape), O, *rng.uniform(0.1, 2.0, 2).tolist()


def _potentials(rng: np.random.Generator, k: int) -> Args:
    """Return targets, output potentials at every step, and what ε is made of at one of them."""
    Y, O = _outputs(rng, k)
    delta, h, after, f = rng.normal(0, 1, (4, *Y.shape))
    return rng.random(Y.shape), rng.normal(0.5, 1, O.shape), delta, np.exp(h), after, np.exp(f)


DRAWS = {
    "p2-arrow-count": lambda rng, k: (*CELLS[k], rng.permutation([2, 3, 4, 5]).tolist(), 3),
    "p2-soft-delta": _soft_delta,
    "p2-soft-epsilon": _soft_epsilon,
    "p2-soft-early": _early,
    "p2-threshold": _layer_run,
    "p2-loss-counts": _outputs,
    "p2-hidden-rate": _hidden_run,
    "p2-loss-potential": _potentials,
}
"""The draws by the exercise's id."""
