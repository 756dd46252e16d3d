"""The surrogate of a network, as far as runs of one step show it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.forward_run import forward
from stbp_edu.arrows.models import LayerParams, Network
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import SURROGATES, Curve, Gaussian

ALIKE = 1e-3
"""How far two surrogates may differ, relative to the height, that are alike."""
NEAR = 0.02
"""How far they may differ that are nearly so."""
POINTS = 200
"""At how many places a surrogate is looked at."""
SIZES = (-4.0, -2.0, -1.0, 0.5, 1.0, 2.0, 4.0)
"""Factors on the inputs: potentials then lie on both sides of the threshold."""


@dataclass(frozen=True)
class Seen:
    """A surrogate of which only h is known."""

    h: Callable[[Array], Array]

    def derivative(self, v: Array) -> Array:
        """Return h(v)."""
        return self.h(v)

    def antiderivative(self, v: Array) -> Array:
        """Raise NotImplementedError."""
        raise NotImplementedError("H is not known; use a surrogate with one")


def seen(
    ask: Any, net: Network, params: LayerParams, spikes: Array, v_th: float
) -> tuple[Array, Array]:
    """Return v and h at points of a network's surrogate, in runs of one step.

    There a spike has one arrow to the weights of its layer, so their gradient is h times the
    spikes below.
    """
    frames = _frames(spikes)
    output, gradient = ask(frames)
    trace = forward(net, params, frames)
    potential = net.layers[-1].neuron.lines.potential
    v = trace[potential][-1][0] - v_th
    below = trace["o"][-2][0]
    below = below.reshape(len(below), -1)
    points = []
    for s, i in _some_places(v, below):
        signal = np.zeros_like(output)
        signal[0, s, i] = 1
        last_layer = gradient(signal)[-1]
        row = last_layer["W"][i]
        sent = below[s]
        h = row @ sent / (sent @ sent)
        points.append((v[s, i], h))
    found = np.array(points, float).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _frames(spikes: Array) -> Array:
    """Return a run of one step: each sample is one step of the input, in several sizes."""
    frames = spikes.reshape(-1, *spikes.shape[2:])
    sized = [frames[:POINTS] * size for size in SIZES]
    return np.concatenate(sized)[None]


def _some_places(v: Array, below: Array) -> Any:
    """Return sample and neuron where v is looked at, in its order: where there are spikes below."""
    has_spikes = below.any(axis=1, keepdims=True)
    there = np.broadcast_to(has_spikes, v.shape)
    places = np.argwhere(there)
    samples, neurons = places.T
    order = v[samples, neurons].argsort()
    step = len(order) // POINTS + 1
    return places[order[::step]]


def compared(v: Array, h: Array, neuron: LIF) -> tuple[Any, str]:
    """Return the surrogate to compare rules with, and what to say if it is not the neuron's."""
    given = neuron.surrogate.derivative
    expected = given(v)
    height = np.abs(h).max(initial=0.0)
    difference = np.abs(h - expected)
    if (difference <= ALIKE * height).all():
        return neuron.surrogate, ""
    said = f"The surrogate is not {neuron.surrogate}"
    times, off = _times(expected, h)
    if off <= ALIKE:
        own = Seen(lambda x: times * given(x))
        return own, f"{said}, but {times:.4g} times that."
    shown = _some_points(v, h)
    best, times, off = _nearest_curve(v, h)
    if off > NEAR:
        between = Seen(lambda x: _between(v, h, x))
        advice = "pass SurrogateOf(your spike function)."
        return between, f"{said} nor another of the package's: {shown}; {advice}"
    close = f"within {off:.1%} of its height: {shown}."
    if abs(times - 1) <= NEAR:
        return best, f"{said}, but {best} {close}"
    scaled = Seen(lambda x: times * best.derivative(x))
    return scaled, f"{said}, but {times:.4g} times {best} {close}"


def _some_points(v: Array, h: Array) -> str:
    """Return four of the points, or fewer, as a text."""
    step = math.ceil(len(v) / 4)
    shown = []
    for x, y in zip(v[::step], h[::step], strict=True):
        point = f"h({x:.2g}) = {y:.3g}"
        shown.append(point)
    return ", ".join(shown)


def _nearest_curve(v: Array, h: Array) -> tuple[Curve, float, float]:
    """Return the package's curve that is nearest, the factor on it, and how far it is then."""
    sizes = np.geomspace(0.02, 5, 400)
    widths = sorted({float(f"{a:.2g}") for a in sizes})
    best: Curve = Gaussian()
    best_times = 1.0
    least = np.inf
    for kind in SURROGATES.values():
        for a in widths:
            curve = kind(a)
            times, off = _times(curve.derivative(v), h)
            if off < least:
                best = curve
                best_times = times
                least = off
    return best, best_times, least


def _times(expected: Array, h: Array) -> tuple[float, float]:
    """Return the factor that brings a curve nearest to h, and how far it is then from h."""
    square = expected @ expected
    height = np.abs(h).max(initial=0.0)
    if not square or not height:
        return 1.0, np.inf
    times = float(h @ expected / square)
    farthest = np.abs(h - times * expected).max()
    return times, float(farthest / height)


def _between(v: Array, h: Array, at: Array) -> Array:
    """Return h from its points: straight between them, and beyond falling as 1/v²."""
    inside = np.clip(at, v[0], v[-1])
    share = np.ones_like(at)
    np.divide(inside, at, out=share, where=at != inside)
    curve = np.interp(inside, v, h) * share**2
    return curve.astype(at.dtype)
