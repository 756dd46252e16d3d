"""Norse."""

from __future__ import annotations

import torch
from norse.torch import LIFBoxCell
from norse.torch.functional.lif_box import LIFBoxFeedForwardState, LIFBoxParameters
from torch import Tensor

from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import NEURON, Problem
from benchmarks.frameworks.torch_common import Wrap, autograd, eager, linear, whole

DT = 0.001


def build(problem: Problem, wrap: Wrap = eager) -> Candidate:
    """Return ``LIFBoxCell``, with its own surrogate.

    It has v ← v + k (i - v), k = dt/τ_m: with k = 1 - τ and the parameters divided by k, that is
    τ v + x. Its ``heavi_erfc`` with α = 2 is the Gaussian of variance 1/8. Its reset is not
    detached.
    """
    k = 1 - NEURON.tau
    layers = [linear(problem, n, 1 / k) for n in (1, 2)]
    dtype = layers[0].weight.dtype
    cell = LIFBoxCell(
        LIFBoxParameters(
            tau_mem_inv=torch.tensor(k / DT, dtype=dtype),
            v_leak=torch.tensor(0.0, dtype=dtype),
            v_th=torch.tensor(NEURON.v_th, dtype=dtype),
            v_reset=torch.tensor(0.0, dtype=dtype),
            method="heavi_erfc",
            alpha=1 / (2 * NEURON.surrogate.a) ** 0.5,
        ),
        dt=DT,
    )

    def network(x: Tensor) -> Tensor:
        for layer in layers:
            currents = layer(x)
            state, spikes = LIFBoxFeedForwardState(v=torch.zeros_like(currents[0])), []
            for current in currents:
                spike, state = cell(current, state)
                spikes.append(spike)
            x = torch.stack(spikes)
        return x

    return autograd(problem, layers, wrap(network), scale=1 / k)


def compiled(problem: Problem) -> Candidate:
    """Return the same, compiled."""
    return build(problem, whole)
