"""The networks of the arrow board: one for each neuron, with and without recurrent weights."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stbp_edu.arrows import (
    LocalDerivatives,
    Network,
    Neuron,
    forward,
    hard_reset,
    local_derivatives,
    network,
    soft_reset,
    with_adaptation,
    with_current,
)
from stbp_edu.arrows.models import Trace
from stbp_edu.arrows.parameters import LayerParams
from stbp_edu.checks import Array
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import Gaussian

LINEAR, EXPONENTIAL = (
    LIF(tau=0.75, v_th=1.0, surrogate=Gaussian(a=1.0), gate=gate)
    for gate in ("linear", "exponential")
)
NEURONS: dict[str, Callable[[], Neuron]] = {
    "hard reset, linear gate": lambda: hard_reset(LINEAR),
    "hard reset, exponential gate": lambda: hard_reset(EXPONENTIAL),
    "soft reset": lambda: soft_reset(LINEAR),
    "synaptic current": lambda: with_current(hard_reset(LINEAR), alpha=0.5),
    "adaptive threshold": lambda: with_adaptation(hard_reset(LINEAR), beta=0.5, rho=0.75),
}
WORDS = (
    "a 2-2-1 network for 4 steps, τ = 3/4, V_th = 1, Gaussian of variance 1; its output should be "
    "silent"
)
W = (None, np.array([[0.75, 0.5], [-0.5, 1.25]]), np.array([[1.25, -0.75]]))
B = (None, np.array([0.25, 0.5]), np.array([0.5]))
R = (None, np.array([[0.0, 0.5], [-0.75, 0.25]]), np.array([[-0.5]]))
INPUT = np.array([[[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 0.0]], [[1.0, 1.0]]])


@dataclass(frozen=True)
class Run:
    """A network of arrows with a forward run.

    Attributes:
        net: the network.
        params: its parameters.
        trace: the run.
        targets: shape (1, 1).
    """

    net: Network
    params: LayerParams
    trace: Trace
    targets: Array

    @property
    def local(self) -> LocalDerivatives:
        """The factor of every arrow."""
        return local_derivatives(self.net, self.params, self.trace, self.targets)


def run_of(neuron: str, recurrent: bool) -> Run:
    """Return a 2-2-1 network of these neurons, run for four steps.

    >>> run = run_of("synaptic current", recurrent=True)
    >>> [arrow.kind for arrow in run.net.arrows[1]]
    ['weight', 'spike', 'carry', 'reset', 'decay', 'charge', 'recur']
    """
    net = network("2-2R-1R" if recurrent else "2-2-1", NEURONS[neuron]())
    again = [{"R": R[n]} if recurrent else {} for n in range(3)]
    params: LayerParams = [None, *({"W": W[n], "b": B[n], **again[n]} for n in (1, 2))]
    return Run(net, params, forward(net, params, INPUT), np.zeros((1, 1)))
