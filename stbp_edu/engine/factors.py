"""What a neuron contributes to the engine's passes, as functions that write to a buffer."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.neuron import LIF
from stbp_edu.rules import RULES, Gate, backward_gate
from stbp_edu.surrogates import Gaussian

Fill = Callable[[Array, Array], Array | float]
"""It writes a function's values to the second array and returns it, or returns the only value."""


class Factors(NamedTuple):
    """What a neuron contributes to the backward pass, as a rule sees it.

    Attributes:
        h: h(u - V_th).
        f: f(o).
        df: f'(o).
        taken: V_th where it replaces u f'(o) by -V_th, under the soft reset; else 0.
    """

    h: Fill
    f: Fill
    df: Fill
    taken: float


def factors(neuron: LIF, rule: str, dtype: np.dtype[Any], binary: bool) -> Factors:
    """Return the factors of a neuron; ``binary``: every spike is 0 or 1."""
    f, df = (line(gate, dtype) if binary else curve(gate) for gate in backward_gate(neuron, rule))
    soft = neuron.gate == "soft" and rule in RULES
    return Factors(slope(neuron), f, df, neuron.v_th if soft else 0.0)


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
