"""SpikingJelly."""

from __future__ import annotations

from spikingjelly.activation_based import functional, neuron, surrogate
from torch import Tensor, nn

from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import NEURON, Problem
from benchmarks.frameworks.torch_common import Wrap, autograd, eager, linear, whole


def neurons(*, detach: bool = False) -> neuron.LIFNode:
    """Return ``LIFNode`` in multi-step mode, with its own surrogate.

    Without decay of the input it has u ← (1 - 1/τ_s) u + x, so that its τ_s is 1 / (1 - τ). Its
    ``Erf`` with α = 2 is the Gaussian of variance 1/8. Its reset is detached only where asked.
    """
    return neuron.LIFNode(
        tau=1 / (1 - NEURON.tau),
        decay_input=False,
        v_threshold=NEURON.v_th,
        v_reset=0.0,
        detach_reset=detach,
        surrogate_function=surrogate.Erf(alpha=1 / (2 * NEURON.surrogate.a) ** 0.5),
        step_mode="m",
    )


def build(problem: Problem, wrap: Wrap = eager, *, detach: bool = False) -> Candidate:
    """Return a network of :func:`neurons`."""
    layers = [linear(problem, n) for n in (1, 2)]
    nodes = [neurons(detach=detach) for _ in layers]
    stack = nn.Sequential(layers[0], nodes[0], layers[1], nodes[1])

    def network(x: Tensor) -> Tensor:
        functional.reset_net(stack)
        output: Tensor = stack(x)
        return output

    return autograd(problem, layers, wrap(network))


def compiled(problem: Problem) -> Candidate:
    """Return the same, compiled."""
    return build(problem, whole)
