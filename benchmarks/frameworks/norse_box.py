"""Norse."""

import torch
from norse.torch import LIFBoxCell
from norse.torch.functional.lif_box import LIFBoxFeedForwardState, LIFBoxParameters
from torch import Tensor

from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import NEURON, SizedProblem
from benchmarks.frameworks.torch_common import SpikingLayer, layered

DT = 0.001
K = 1 - NEURON.tau


def neurons(like: Tensor) -> SpikingLayer:
    """Return ``LIFBoxCell`` where the weights ``like`` are, with its own surrogate.

    It has v ← v + k (i - v), k = dt/τ_m: with k = 1 - τ and the parameters divided by k, that is
    τ v + x. Its ``heavi_erfc`` with α = 2 is the Gaussian of variance 1/8. Its reset is not
    detached.
    """
    numbers = {
        "tau_mem_inv": K / DT,
        "v_leak": 0.0,
        "v_th": NEURON.v_th,
        "v_reset": 0.0,
    }
    given = {name: like.new_tensor(value) for name, value in numbers.items()}
    alpha = 1 / (2 * NEURON.surrogate.a) ** 0.5
    cell = LIFBoxCell(
        LIFBoxParameters(**given, method="heavi_erfc", alpha=alpha), dt=DT
    )

    def run(currents: Tensor) -> Tensor:
        state, spikes = LIFBoxFeedForwardState(v=torch.zeros_like(currents[0])), []
        for current in currents:
            spike, state = cell(current, state)
            spikes.append(spike)
        return torch.stack(spikes)

    return run


def build(problem: SizedProblem, compiled: bool = False) -> Candidate:
    """Return a network of :func:`neurons`."""
    return layered(problem, neurons, compiled, scale=1 / K)
