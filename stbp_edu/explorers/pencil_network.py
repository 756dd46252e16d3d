"""The networks that explorers show where none is given, small enough to compute with a pencil."""

from fractions import Fraction

import numpy as np

from stbp_edu.arrows import Node
from stbp_edu.forward_pass import forward
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.surrogates import Gaussian, Rectangle
from stbp_edu.verify.finite_difference import twin_loss

TWO_LAYERS = Params(
    W=[None, np.array([[2.0, 1.0], [5.0, -3.5]]), np.array([[2.0, -3.0]])],
    b=[None, np.array([1.0, 0.5]), np.array([2.0])],
)
INPUT = [[1, 1], [0, 1], [1, 0]]


def pencil() -> ForwardPass:
    """Return the network of the five cases in which all numbers are small fractions.

    h is 1/4, f(0) is 1/2 and the miss is 2/3; no potential and no weight above is any of them or
    1, so a factor that is forgotten shows. The one output spike makes the rate 1/T.

    >>> net = pencil()
    >>> net.trace.U[2][:, 0, 0]
    array([4., 2., 2.])
    >>> net.neuron.h(net.trace.U[1][:, 0])
    array([[0.25, 0.25],
           [0.25, 0.  ],
           [0.25, 0.25]])
    """
    neuron = LIF(tau=0.5, v_th=3.5, surrogate=Rectangle(a=4.0), gate="linear")
    words = "linear gate, τ = 1/2, V_th = 7/2, rectangle of width 4"
    return _run(INPUT, TWO_LAYERS, neuron, words)


def smooth() -> ForwardPass:
    """Return the same weights with a gate and a surrogate that are nowhere 0: every path counts."""
    neuron = LIF(tau=0.5, v_th=3.5, surrogate=Gaussian(a=1.0), gate="exponential")
    words = "exponential gate, τ = 1/2, V_th = 7/2, Gaussian of variance 1"
    return _run(INPUT, TWO_LAYERS, neuron, words)


def one_neuron() -> ForwardPass:
    """Return one neuron for three steps: four paths lead from its first spike to the loss."""
    neuron = LIF(tau=0.5, v_th=1.0, surrogate=Rectangle(a=4 / 3), gate="linear")
    params = Params(W=[None, np.array([[0.5, 0.125]])], b=[None, np.array([0.0])])
    words = "linear gate, τ = 1/2, V_th = 1, rectangle of width 4/3"
    return _run([[1, 0], [1, 0], [1, 1]], params, neuron, words)


def _run(
    spikes: list[list[int]], params: Params, neuron: LIF, description: str
) -> ForwardPass:
    """Run a network for three steps on one sample, in which its output should always spike."""
    of_sample = np.array(spikes, dtype=float)
    trace = forward(of_sample[:, None], params, neuron)
    return ForwardPass(trace, np.array([[1.0]]), params, neuron, description)


def frac(x: float) -> str:
    """Write a number as a fraction, as on paper.

    >>> frac(-0.3125)
    '-5/16'
    """
    return str(Fraction(float(x)).limit_denominator(100_000))


def nudge(net: ForwardPass, node: Node, r: float = 1e-3) -> float:
    """Return how the loss of the smooth twin moves with one number, from r below it to r above.

    >>> round(nudge(pencil(), Node("o", n=2, t=2, i=0)), 6)
    -0.227098
    """
    given = (net.trace.O[0], net.targets, net.params, net.neuron)
    up = twin_loss(*given, node, r)
    down = twin_loss(*given, node, -r)
    return (up - down) / (2 * r)
