"""snnTorch."""

from functools import partial

import snntorch
import torch
from torch import Tensor

from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import NEURON, SizedProblem
from benchmarks.frameworks.torch_common import HeavisideSpike, SpikingLayer, layered


def neurons(like: Tensor, reset: str = "zero", delay: bool = True) -> SpikingLayer:
    """Return ``Leaky`` where the weights ``like`` are, with reset to zero if no other is named.

    It multiplies the potential by β after the reset of the step before: the linear gate. The
    spike in that reset is detached, so that its gradient is that of ``detached-reset``. With
    ``reset`` "subtract" it is the soft gate; without ``delay`` the reset is within the step.
    """
    leaky = snntorch.Leaky(
        beta=like.new_tensor(NEURON.tau), threshold=NEURON.v_th,
        spike_grad=HeavisideSpike.apply, reset_mechanism=reset, reset_delay=delay,
    ).to(like.device)  # fmt: skip

    def run(currents: Tensor) -> Tensor:
        mem, spikes = leaky.reset_mem(), []
        for current in currents:
            spike, mem = leaky(current, mem)
            spikes.append(spike)
        return torch.stack(spikes)

    return run


def build(
    problem: SizedProblem,
    compiled: bool = False,
    reset: str = "zero",
    delay: bool = True,
) -> Candidate:
    """Return a network of :func:`neurons`."""
    return layered(problem, partial(neurons, reset=reset, delay=delay), compiled)
