"""The surrogate of a network, as far as runs of one step show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.forward_run import forward
from stbp_edu.arrows.models import LayerParams, Network
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import SURROGATES

ALIKE, NEAR = 1e-3, 0.02
"""How far two surrogates may differ, relative to the height, that are alike, or nearly so."""
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
    frames = spikes.reshape(-1, *spikes.shape[2:])[:POINTS]
    frames = np.concatenate([frames * size for size in SIZES])[None]
    output, gradient = ask(frames)
    trace = forward(net, params, frames)
    u, below = trace[net.layers[-1].neuron.lines.potential][-1][0], trace["o"][-2][0]
    below = below.reshape(len(below), -1)
    v = u - v_th
    places = np.argwhere(np.broadcast_to(below.any(axis=1)[:, None], v.shape))
    order = v[places[:, 0], places[:, 1]].argsort()
    points = []
    for s, i in places[order[:: len(order) // POINTS + 1]]:
        signal = np.zeros_like(output)
        signal[0, s, i] = 1
        row = gradient(signal)[-1]["W"][i]
        points.append((v[s, i], row @ below[s] / (below[s] @ below[s])))
    return tuple(np.array(points, float).reshape(-1, 2).T)  # type: ignore[return-value]


def compared(v: Array, h: Array, neuron: LIF) -> tuple[Any, str]:
    """Return the surrogate to compare rules with, and what to say if it is not the neuron's."""
    given = neuron.surrogate.derivative
    height = np.abs(h).max(initial=0.0)
    times, off = _times(given(v), h)
    if (np.abs(h - given(v)) <= ALIKE * height).all():
        return neuron.surrogate, ""
    said = f"The surrogate is not {neuron.surrogate}"
    if off <= ALIKE:
        return Seen(lambda x: times * given(x)), f"{said}, but {times:.4g} times that."
    step = -(-len(v) // 4)
    points = zip(v[::step], h[::step], strict=True)
    shown = ", ".join(f"h({x:.2g}) = {y:.3g}" for x, y in points)
    widths = sorted({float(f"{a:.2g}") for a in np.geomspace(0.02, 5, 400)})
    ours = [kind(a) for kind in SURROGATES.values() for a in widths]
    found = [(_times(curve.derivative(v), h), curve) for curve in ours]
    (times, off), best = min(found, key=lambda one: one[0][1])
    if off <= NEAR:
        as_high = abs(times - 1) <= NEAR
        name = f"{best}" if as_high else f"{times:.4g} times {best}"
        own = best if as_high else Seen(lambda x: times * best.derivative(x))
        return own, f"{said}, but {name} within {off:.1%} of its height: {shown}."
    other = f"{said} nor another of the package's: {shown}; pass SurrogateOf(your spike function)."
    return Seen(lambda x: _between(v, h, x)), other


def _times(expected: Array, h: Array) -> tuple[float, float]:
    """Return the factor that brings a curve nearest to h, and how far it is then from h."""
    square, height = expected @ expected, np.abs(h).max(initial=0.0)
    if not square or not height:
        return 1.0, np.inf
    times = float(h @ expected / square)
    return times, float(np.abs(h - times * expected).max() / height)


def _between(v: Array, h: Array, at: Array) -> Array:
    """Return h from its points: straight between them, and beyond falling as 1/v²."""
    inside = np.clip(at, v[0], v[-1])
    beyond = np.divide(inside, at, out=np.ones_like(at), where=at != inside) ** 2
    return (np.interp(inside, v, h) * beyond).astype(at.dtype)
