"""What the engine does step by step: potentials forward, ε backward, of one layer at a time.

It is elementwise, and done for a few samples at a time: samples do not depend on each other, and a
small block stays in the processor's cache, its temporaries too. Everything is written in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.network import Spike
from stbp_edu.neuron import LIF
from stbp_edu.rules import Gate

BLOCK = 40_960
"""Entries of one step that are worked on at a time: 160 KB in float32."""

Fill = Callable[[Array, Array], None]
"""A gate that writes its values to the second array."""


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
        _integrate(u[:, s], o[:, s], b, neuron, spike, f)


def _integrate(u: Array, o: Array, b: Array, neuron: LIF, spike: Spike | None, f: Fill) -> None:
    """Do it for a block of samples."""
    carried = np.empty_like(u[0])
    for t in range(len(u)):
        u[t] += b
        if t > 0:
            f(o[t - 1], carried)
            carried *= u[t - 1]
            u[t] += carried  # fwd-u
        if spike is None:
            np.greater_equal(u[t], neuron.v_th, out=o[t])  # fwd-o: g, without a copy
        else:
            o[t] = spike(u[t])


def recur(epsilon: Array, err: Array, u: Array, o: Array, neuron: LIF, f: Fill, df: Fill) -> None:
    """Fill ``epsilon`` and ``err`` of one layer, from the last step down.

    ``epsilon`` holds what reaches each step from the layer above, Σ w err (for the output layer,
    the direct term), and ends as ε. Under the exact rule pass the same array as ``err``.

    Args:
        epsilon: shape (T, S, m), as the other arrays.
        err: where the incoming signal of the layer below and of the step before goes.
        u: potentials.
        o: spikes.
        neuron: for h.
        f: the gate that this rule uses.
        df: its derivative that this rule uses.
    """
    for s in _blocks(u):
        _recur(epsilon[:, s], err[:, s], u[:, s], o[:, s], neuron, f, df)


def _recur(epsilon: Array, err: Array, u: Array, o: Array, neuron: LIF, f: Fill, df: Fill) -> None:
    """Do it for a block of samples."""
    delta, carried = np.empty_like(u[0]), np.empty_like(u[0])
    last = len(u) - 1
    np.multiply(epsilon[last], neuron.h(u[last]), out=epsilon[last])
    err[last] = epsilon[last]
    for t in reversed(range(last)):
        df(o[t], delta)
        delta *= u[t]
        delta *= err[t + 1]
        delta += epsilon[t]
        f(o[t], carried)
        carried *= epsilon[t + 1]
        np.multiply(delta, neuron.h(u[t]), out=err[t])  # err-classic
        np.add(err[t], carried, out=epsilon[t])  # err-exact


def curve(gate: Gate) -> Fill:
    """Return gate(o), written to a buffer."""
    return lambda o, out: np.copyto(out, gate(o))


def line(gate: Gate, dtype: np.dtype[Any]) -> Fill:
    """Return the straight line through gate(0) and gate(1), written to a buffer.

    It equals the gate on spikes, and takes no exponential.

    >>> out = np.empty(2)
    >>> line(LIF(tau=0.5).f, out.dtype)(np.array([0.0, 1.0]), out)
    >>> out.round(4)
    array([0.5   , 0.0677])
    """
    at_0, at_1 = (float(value) for value in gate(np.array([0, 1], dtype)))

    def fill(o: Array, out: Array) -> None:
        np.multiply(o, at_1 - at_0, out=out)
        out += at_0

    def fill_constant(o: Array, out: Array) -> None:
        out.fill(at_0)

    return fill if at_0 != at_1 else fill_constant


def _blocks(a: Array) -> Iterator[slice]:
    """Yield slices of samples, each of about BLOCK entries a step."""
    _, S, m = a.shape
    size = max(1, BLOCK // m)
    return (slice(s, s + size) for s in range(0, S, size))
