"""snnTorch."""

from __future__ import annotations

import snntorch
import torch
from torch import Tensor

from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import NEURON, Problem
from benchmarks.frameworks.torch_common import Spike, Wrap, autograd, eager, linear, whole


def build(
    problem: Problem, wrap: Wrap = eager, *, reset: str = "zero", delay: bool = True
) -> Candidate:
    """Return ``Leaky``, with reset to zero if no other is named.

    It multiplies the potential by β after the reset of the step before: the linear gate. The
    spike in that reset is detached, so that its gradient is that of ``detached-reset``. With
    ``reset`` "subtract" it is the soft gate; without ``delay`` the reset is within the step.
    """
    layers = [linear(problem, n) for n in (1, 2)]
    dtype = layers[0].weight.dtype
    neurons = [
        snntorch.Leaky(
            beta=torch.tensor(NEURON.tau, dtype=dtype),
            threshold=NEURON.v_th,
            spike_grad=Spike.apply,
            reset_mechanism=reset,
            reset_delay=delay,
        )
        for _ in layers
    ]

    def network(x: Tensor) -> Tensor:
        for layer, neuron in zip(layers, neurons, strict=True):
            mem, spikes = neuron.reset_mem(), []
            for current in layer(x):
                spike, mem = neuron(current, mem)
                spikes.append(spike)
            x = torch.stack(spikes)
        return x

    return autograd(problem, layers, wrap(network))


def compiled(problem: Problem) -> Candidate:
    """Return the same, compiled."""
    return build(problem, whole)
