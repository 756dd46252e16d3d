"""The recurrences over time of one layer: potentials forward, ε backward.

They are elementwise and run for a few samples at a time: samples do not depend on each other, and a
small block stays in the processor's cache, its temporaries too. Results are written in place.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.network import Spike
from stbp_edu.neuron import LIF
from stbp_edu.rules import RULES, Gate, backward_gate
from stbp_edu.surrogates import Gaussian

BLOCK = 40_960
"""Entries of one step that are worked on at a time: 160 KB in float32."""

STRETCH = 4 * BLOCK
"""Entries of several steps that are worked on at a time, where no step waits for another. More
would leave the cache; with fewer, the calls themselves would take longer than their work."""

FLOOR = 1e-10
"""Added and taken away again, it rounds a float32 below 3e-18 to zero.

Errors decay from step to step, and many processors are a hundred times slower below 1e-38.
"""


Fill = Callable[[Array, Array], Array | float]
"""Writes a function's values to the second array and returns it; a constant is returned instead."""


class Factors(NamedTuple):
    """What a neuron contributes to the backward pass, as a rule sees it.

    They are h(u - V_th), f(o), f'(o), V_th where -V_th replaces u f'(o) (soft reset), else 0, and
    the size that no gain from step to step may exceed, if there is one.
    """

    h: Fill
    f: Fill
    df: Fill
    taken: float
    gain_limit: float | None = None


def factors(
    neuron: LIF, rule: str, dtype: np.dtype[Any], binary: bool, gain_limit: float | None = None
) -> Factors:
    """Return the factors of a neuron; ``binary``: every spike is 0 or 1."""
    f, df = (line(gate, dtype) if binary else curve(gate) for gate in backward_gate(neuron, rule))
    soft = neuron.gate == "soft" and rule in RULES
    return Factors(slope(neuron), f, df, neuron.v_th if soft else 0.0, gain_limit)


def integrate(u: Array, o: Array, b: Array, neuron: LIF, spike: Spike | None) -> None:
    """Turn the weighted inputs in ``u`` into potentials, and write the spikes to ``o``.

    Args:
        u: weighted inputs, shape (T, S, m); potentials afterwards.
        o: where the spikes go, of the same shape.
        b: biases, shape (m,).
        neuron: constants and gate.
        spike: the function o(u); ``neuron.g`` where None.
    """
    f = curve(neuron.f) if spike is not None else line(neuron.f, u.dtype)
    for s in _blocks(u):
        carried = np.empty_like(u[0, s])
        for t, now in enumerate(u[:, s]):
            now += b
            if t > 0:
                now += np.multiply(f(o[t - 1, s], carried), u[t - 1, s], out=carried)  # fwd-u
                if neuron.gate == "soft":
                    now -= np.multiply(o[t - 1, s], neuron.v_th, out=carried)
            if spike is None:
                np.greater_equal(now, neuron.v_th, out=o[t, s])  # fwd-o: g, without a copy
            else:
                o[t, s] = spike(now)


def recur(
    epsilon: Array, err: Array | None, u: Array, o: Array, factors: Factors, direct: Array | None
) -> None:
    """Fill ``epsilon`` and ``err`` of one layer, from the last step down.

    Cases 3 and 4 say δ = d + err^(t+1) u f' and ε = δ h + ε^(t+1) f, where d is what comes
    from the layer above (for the output layer, the direct term). Under the exact rule err is ε, so
    that ε = d h + (u h f' + f) ε^(t+1). Under the classic one err is δ h, so that
    err = d h + (u h f') err^(t+1) and ε = err + f ε^(t+1). The factors are known beforehand, and
    a gain limit holds those in front of ε^(t+1) and err^(t+1) before they are used.

    Args:
        epsilon: d, shape (T, S, m), as the other arrays; ε afterwards.
        err: where the incoming signal of the layer below and of the step before goes; None under
            the exact rule, which hands on ε itself.
        u: potentials.
        o: spikes.
        factors: of the neuron, as the rule sees them.
        direct: ∂L/∂u, where the loss reads the potentials of this layer; it joins d h.
    """
    for s in _blocks(u):
        signal, term = (None if a is None else a[:, s] for a in (err, direct))
        _recur(epsilon[:, s], signal, u[:, s], o[:, s], term, factors)


def _recur(
    epsilon: Array, err: Array | None, u: Array, o: Array, direct: Array | None, factors: Factors
) -> None:
    """Fill one block of samples: the factors for a stretch of steps, then step by step."""
    epsilon_next, err_next = np.zeros((2, *u[0].shape), u.dtype)  # nothing comes after step T
    steps = min(len(u), max(1, STRETCH // u[0].size))
    buffers = np.empty((2, steps, *u[0].shape), u.dtype)
    for end in range(len(u), 0, -steps):
        some = slice(max(0, end - steps), end)
        back, keep = buffers[:, :end]  # the first stretch may be shorter
        factors.h(u[some], back)
        epsilon[some] *= back
        if direct is not None:
            epsilon[some] += direct[some]
        if factors.taken:
            back *= -factors.taken
        else:
            back *= u[some]
            back *= factors.df(o[some], keep)
        gate = factors.f(o[some], keep)
        if err is None:
            np.add(gate, back, out=keep)
        elif isinstance(gate, float):
            keep[...] = gate
        if (most := factors.gain_limit) is not None:
            np.clip(keep, -most, most, out=keep)  # gain-limit, gain-bound
            if err is not None:
                np.clip(back, -most, most, out=back)
        for t in reversed(range(len(back))):
            now = epsilon[some][t]
            if err is not None:
                now += np.multiply(back[t], err_next, out=back[t])
                err_next = err[some][t]
                err_next[...] = now  # err-classic
            now += np.multiply(keep[t], epsilon_next, out=keep[t])  # err-exact
            epsilon_next = now
        _flush(epsilon[some])
        if err is not None:
            _flush(err[some])


def _flush(signal: Array) -> None:
    """Set the entries of a float32 array that are close to zero to zero; see FLOOR."""
    if signal.dtype == np.float32:
        signal += FLOOR
        signal -= FLOOR


def curve(function: Gate) -> Fill:
    """Return the function itself, written to a buffer."""

    def fill(x: Array, out: Array) -> Array:
        out[...] = function(x)
        return out

    return fill


def slope(neuron: LIF) -> Fill:
    """Return h(u - V_th), written to a buffer; that of the Gaussian makes no other arrays."""
    bell = neuron.surrogate
    if type(bell) is not Gaussian:  # a subclass may have a curve of its own
        return curve(neuron.h)

    def fill(u: Array, out: Array) -> Array:
        np.subtract(u, neuron.v_th, out=out)
        out *= out
        out *= -0.5 / bell.a
        np.exp(out, out=out)
        out *= 1 / math.sqrt(2 * math.pi * bell.a)  # h4
        return out

    return fill


def line(gate: Gate, dtype: np.dtype[Any]) -> Fill:
    """Return the straight line through gate(0) and gate(1), written to a buffer.

    It equals the gate on spikes, and takes no exponential. Where it is level, it is a number.

    >>> fill = line(LIF(tau=0.5).f, np.dtype(float))
    >>> fill(np.array([0.0, 1.0]), np.empty(2)).round(4)
    array([0.5   , 0.0677])
    """
    at_0, at_1 = (float(value) for value in gate(np.array([0, 1], dtype)))

    def fill(o: Array, out: Array) -> Array:
        np.multiply(o, at_1 - at_0, out=out)
        out += at_0
        return out

    return fill if at_0 != at_1 else lambda *_: at_0


def _blocks(a: Array) -> Iterator[slice]:
    """Yield slices of samples, each of about BLOCK entries a step."""
    _, S, m = a.shape
    size = max(1, BLOCK // m)
    return (slice(s, s + size) for s in range(0, S, size))
