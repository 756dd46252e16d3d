"""The network of notebooks 6 to 11, small enough to compute with a pencil."""

import numpy as np

from stbp_edu.network import Params, forward
from stbp_edu.neuron import LIF
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.surrogates import Gaussian, Rectangle


def pencil() -> ForwardPass:
    """Return the network in which every number is a fraction."""
    neuron = LIF(tau=0.5, v_th=1.0, surrogate=Rectangle(a=2.0), gate="linear")
    return _example(neuron, "linear gate, τ = 1/2, V_th = 1, rectangle of width 2")


def smooth() -> ForwardPass:
    """Return the same weights with a gate and a surrogate that are nowhere 0: every path counts."""
    neuron = LIF(tau=0.5, v_th=1.0, surrogate=Gaussian(a=1.0), gate="exponential")
    return _example(neuron, "exponential gate, τ = 1/2, V_th = 1, Gaussian of variance 1")


def _example(neuron: LIF, description: str) -> ForwardPass:
    """Run the 2-2-1 network for three steps on one sample."""
    params = Params(
        W=[None, np.array([[0.5, 1.0], [-0.5, 0.5]]), np.array([[0.5, 1.0]])],
        b=[None, np.array([0.0, 0.5]), np.array([0.0])],
    )
    spikes = np.array([[[1.0, 1.0]], [[1.0, 0.0]], [[0.0, 1.0]]])
    trace = forward(spikes, params, neuron)
    return ForwardPass(trace, np.array([[1.0]]), params, neuron, description)
