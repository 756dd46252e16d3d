"""What the tables of the exercises are written in: the names of their references and draws.

A reference, which answers are compared with, is an expression in the arguments, in these names and
in those of :mod:`stbp_edu`. A draw returns the arguments of the k-th call, drawn with a generator
of its own; those that several exercises share are here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import stbp_edu.ode
from stbp_edu import case_rules
from stbp_edu._support.checks import Array
from stbp_edu.arrows import hard_reset, network, words
from stbp_edu.neuron import LIF

__all__ = ["LIF", "case_rules", "np", "stbp_edu"]  # which the tables use, too

Args = tuple[Any, ...]
TOLERANCE = 0.05  # five standard errors of a rate at the T that the exercise draws


def properties_that_hold(encode: Callable[..., Any]) -> Callable[..., Any]:
    """Return a test of which properties of a right encoder's random spikes an encoder has."""

    def again(pixels: Array, T: int) -> Array:
        return np.asarray(
            encode(pixels.copy(), T, np.random.default_rng(77)), dtype=float
        )

    def of(pixels: Array, T: int, rng: np.random.Generator) -> tuple[bool, ...] | None:
        found = encode(pixels, T, rng)
        if found is None or found is Ellipsis:
            return None
        if np.shape(found) != (T, *pixels.shape):
            return (False,) * 7
        spikes = np.asarray(found, dtype=float)
        rates = spikes.mean(axis=0)
        return (
            True,
            bool(np.isin(spikes, (0, 1)).all()),
            bool(np.polyfit(pixels.ravel(), rates.ravel(), 1)[0] > -0.5),
            bool((np.abs(rates - pixels) < TOLERANCE).all()),
            bool((spikes != spikes[0]).any()),
            bool((spikes != again(pixels, T)).any()),
            np.array_equal(again(pixels, T), again(pixels, T)),
        )

    return of


def ode(rng: np.random.Generator, k: int) -> Args:
    """Return four numbers: a potential and an input of either sign, τ and a time."""
    return *rng.uniform(-2.0, 2.0, 2).tolist(), *rng.uniform(0.2, 2.0, 2).tolist()


def gate(rng: np.random.Generator, k: int) -> Args:
    """Return spikes, silence and values between them, and τ."""
    return np.array([0.0, 1.0, *rng.random(3)]), (0.5, 0.1, 0.9, 0.7)[k]


def potentials(rng: np.random.Generator, k: int) -> Args:
    """Return potentials, the first of them at the threshold exactly, and the threshold."""
    v_th = (0.5, 1.0, 1.5, 0.25)[k]
    u = rng.normal(v_th / 2, 1.0, (2, 4))
    u[0, 0] = v_th
    return u, v_th


def distances(rng: np.random.Generator, k: int) -> Args:
    """Return distances from the threshold on both sides, near and far, and a width."""
    a = (1.0, 0.5, 2.0, 0.8)[k]
    near, far = rng.uniform(-1.5, 1.5, 9) * a, np.array([-1000.0, 1000.0, 0.0])
    return np.concatenate([near, rng.uniform(-5, 5, 5), far]), a


def two_gradients(rng: np.random.Generator, k: int) -> Args:
    """Return two gradients of one shape."""
    return tuple(rng.normal(mean, 1, (3, 2 + k)) for mean in (0, 0.5))


def layer_signals(rng: np.random.Generator, k: int) -> Args:
    """Return weights to the layer above, its signals, and those of the next step."""
    S, width, above = (2, 3, 3, 4)[k], (4, 3, 2, 4)[k], (3, 3, 5, 4)[k]
    return (
        rng.normal(0, 1, (above, width)),
        rng.normal(0, 1, (S, above)),
        rng.normal(0, 1, (S, width)),
    )


def output_spikes(rng: np.random.Generator, k: int) -> Args:
    """Return one-hot targets and output spikes, (S, n) and (T, S, n)."""
    T, S, n = (4, 5, 3, 6)[k], (3, 2, 4, 3)[k], (3, 4, 2, 3)[k]
    return np.eye(n)[rng.integers(0, n, S)], (rng.random((T, S, n)) < 0.5).astype(float)


def all_words(rng: np.random.Generator, k: int) -> list[tuple[str, ...]]:
    """Return every word of a small network, as paths from a parameter, in random order."""
    net = network(("1-1", "1-1-1", "1-1-1", "1-1-1-1")[k], hard_reset(LIF()))
    found = [("enter", *word) for word in words(net, (4, 3, 4, 3)[k])]
    return [found[i] for i in rng.permutation(len(found))]


def derived_backward(lines: str, h: Array, *args: Array) -> Any:
    """Return the results of the derived exact backward step of a neuron's forward lines.

    ``h`` is the surrogate at the neuron's potential, and ``args`` are those of the function
    ``backward`` that :meth:`stbp_edu.derived.Derived.program` prints.
    """
    space: dict[str, Any] = {"np": np, "h": lambda v: h}
    exec(str(stbp_edu.derive(lines).program("exact")), space)
    return space["backward"](*args)
