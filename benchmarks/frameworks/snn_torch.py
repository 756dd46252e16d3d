"""snnTorch."""

from __future__ import annotations

import snntorch
import torch
from torch import Tensor

from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import NEURON, Problem
from benchmarks.frameworks.torch_common import Spike, Wrap, autograd, eager, linear, whole


def neurons(dtype: torch.dtype, *, reset: str = "zero", delay: bool = True) -> snntorch.Leaky:
    """Return ``Leaky``, with reset to zero if no other is named.

    It multiplies the potential by β after the reset of the step before: the linear gate. The
    spike in that reset is detached, so that its gradient is that of ``detached-reset``. With
    ``reset`` "subtract" it is the soft gate; without ``delay`` the reset is within the step.
    """
    return snntorch.Leaky(
        beta=torch.tensor(NEURON.tau, dtype=dtype),
        threshold=NEURON.v_th,
        spike_grad=Spike.apply,
        reset_mechanism=reset,
        reset_delay=delay,
    )


def run(leaky: snntorch.Leaky, currents: Tensor) -> Tensor:
    """Return the spikes of all steps, (T, ...), as the currents are."""
    mem, spikes = leaky.reset_mem(), []
    for current in currents:
        spike, mem = leaky(current, mem)
        spikes.append(spike)
    return torch.stack(spikes)


def build(
    problem: Problem, wrap: Wrap = eager, *, reset: str = "zero", delay: bool = True
) -> Candidate:
    """Return a network of :func:`neurons`."""
    layers = [linear(problem, n) for n in (1, 2)]
    own = [neurons(layers[0].weight.dtype, reset=reset, delay=delay) for _ in layers]

    def network(x: Tensor) -> Tensor:
        for layer, leaky in zip(layers, own, strict=True):
            x = run(leaky, layer(x))
        return x

    return autograd(problem, layers, wrap(network))


def compiled(problem: Problem) -> Candidate:
    """Return the same, compiled."""
    return build(problem, whole)
