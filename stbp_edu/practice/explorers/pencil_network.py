"""The network of notebooks 6 to 11, small enough to compute with a pencil."""

import numpy as np

from stbp_edu.network import Params, forward
from stbp_edu.neuron import LIF
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.surrogates import Gaussian, Rectangle


def pencil() -> ForwardPass:
    """Return the network in which every number is a fraction, and no two factors are alike.

    h is 1/3, f(0) is 2/3, and no potential and no weight above is either of them or 1, so that a
    factor that is forgotten, or taken for another, shows.

    >>> net = pencil()
    >>> net.trace.U[2][:, 0, 0]
    array([2.75, 0.75, 2.5 ])
    >>> net.neuron.h(net.trace.U[1][:, 0]).round(2)
    array([[0.33, 0.  ],
           [0.33, 0.33],
           [0.33, 0.33]])
    """
    neuron = LIF(tau=2 / 3, v_th=2.0, surrogate=Rectangle(a=3.0), gate="linear")
    return _example(neuron, "linear gate, τ = 2/3, V_th = 2, rectangle of width 3")


def smooth() -> ForwardPass:
    """Return the same weights with a gate and a surrogate that are nowhere 0: every path counts."""
    neuron = LIF(tau=2 / 3, v_th=2.0, surrogate=Gaussian(a=1.0), gate="exponential")
    return _example(neuron, "exponential gate, τ = 2/3, V_th = 2, Gaussian of variance 1")


def _example(neuron: LIF, description: str) -> ForwardPass:
    """Run the 2-2-1 network for three steps on one sample."""
    params = Params(
        W=[None, np.array([[1.0, 1.75], [2.0, -1.25]]), np.array([[2.0, -0.75]])],
        b=[None, np.array([0.5, -0.25]), np.array([0.75])],
    )
    spikes = np.array([[[0.0, 1.0]], [[1.0, 0.0]], [[1.0, 0.0]]])
    trace = forward(spikes, params, neuron)
    return ForwardPass(trace, np.array([[1.0]]), params, neuron, description)
