"""The network of notebooks 5 to 10, small enough for a pencil."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.network import Params, Trace, forward
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import Gaussian, Rectangle


@dataclass(frozen=True)
class Example:
    """A network with one forward pass, and words that say what it is."""

    words: str
    trace: Trace
    targets: Array
    params: Params
    neuron: LIF


def pencil() -> Example:
    """Return the network in which every number is a fraction."""
    neuron = LIF(tau=0.5, v_th=1.0, surrogate=Rectangle(a=2.0), gate="linear")
    words = "linear gate, τ = 1/2, V_th = 1, rectangle of width 2"
    return _example(neuron, words)


def smooth() -> Example:
    """Return the same weights with a gate and a surrogate that are nowhere 0: every path counts."""
    neuron = LIF(tau=0.5, v_th=1.0, surrogate=Gaussian(a=1.0), gate="exponential")
    return _example(neuron, "exponential gate, τ = 1/2, V_th = 1, Gaussian of variance 1")


def _example(neuron: LIF, words: str) -> Example:
    """Run the 2-2-1 network for three steps on one sample."""
    params = Params(
        W=[None, np.array([[0.5, 1.0], [-0.5, 0.5]]), np.array([[0.5, 1.0]])],
        b=[None, np.array([0.0, 0.5]), np.array([0.0])],
    )
    spikes = np.array([[[1.0, 1.0]], [[1.0, 0.0]], [[0.0, 1.0]]])
    trace = forward(spikes, params, neuron)
    return Example(words, trace, np.array([[1.0]]), params, neuron)
