"""SpikingJelly."""

from functools import partial

from spikingjelly.activation_based import functional, neuron, surrogate
from torch import Tensor

from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import NEURON, SizedProblem
from benchmarks.frameworks.torch_common import SpikingLayer, layered


def neurons(_: Tensor, detach: bool = False) -> SpikingLayer:
    """Return ``LIFNode`` in multi-step mode, with its own surrogate.

    Without decay of the input it has u ← (1 - 1/τ_s) u + x, so that its τ_s is 1 / (1 - τ). Its
    ``Erf`` with α = 2 is the Gaussian of variance 1/8. Its reset is detached only where asked.
    """
    node = neuron.LIFNode(
        tau=1 / (1 - NEURON.tau), decay_input=False, v_threshold=NEURON.v_th, v_reset=0.0,
        detach_reset=detach, step_mode="m",
        surrogate_function=surrogate.Erf(alpha=1 / (2 * NEURON.surrogate.a) ** 0.5),
    )  # fmt: skip

    def run(currents: Tensor) -> Tensor:
        functional.reset_net(node)
        return node(currents)  # type: ignore[no-any-return]

    return run


def build(
    problem: SizedProblem, compiled: bool = False, detach: bool = False
) -> Candidate:
    """Return a network of :func:`neurons`."""
    return layered(problem, partial(neurons, detach=detach), compiled)
