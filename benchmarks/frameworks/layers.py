"""Networks of the neurons that PyTorch and the frameworks have.

The functions after :func:`network` make the neurons of a layer: each takes the weights ``like``
which they are to be, and options, and returns a function from currents, (T, S, ...), to spikes.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import NEURON, A, SizedProblem
from benchmarks.frameworks.torch_steps import HeavisideSpike, differentiated, linear

SpikingLayer = Callable[[Tensor], Tensor]
ALPHA = 1 / (2 * A) ** 0.5  # with which a surrogate made of erf is our Gaussian
K = 1 - NEURON.tau
SCALES = {"norse": 1 / K}
"""What the parameters are multiplied by, for neurons that take 1/scale of a current."""


def network(
    problem: SizedProblem, neurons: str, compiled: bool = False, **options: Any
) -> Candidate:
    """Return a network with one product a layer for all steps.

    Args:
        problem: its parameters, spikes and targets.
        neurons: the name of a function of this module.
        compiled: whether the whole network goes through ``torch.compile``.
        options: of that function.
    """
    scale = SCALES.get(neurons, 1.0)
    layers = [linear(problem, n, scale) for n in range(1, problem.params.N + 1)]
    own = [globals()[neurons](layer.weight, **options) for layer in layers]

    def run(x: Tensor) -> Tensor:
        for layer, spikes in zip(layers, own, strict=True):
            x = spikes(layer(x))
        return x

    through = torch.compile(run, dynamic=False) if compiled else run
    return differentiated(problem, layers, through, scale)


def plain(_: Tensor) -> SpikingLayer:
    """Return the loop as most would write it."""

    def run(currents: Tensor) -> Tensor:
        u, spikes = currents[0], []
        for t in range(len(currents)):
            if t > 0:
                u = NEURON.tau * u * (1 - spikes[-1]) + currents[t]
            spikes.append(HeavisideSpike.apply(u - NEURON.v_th))
        return torch.stack(spikes)

    return run


def stepped(
    cell: Callable[[Tensor, Any], Any], start: Callable[[Tensor], Any]
) -> SpikingLayer:
    """Return the loop over a framework's cell, which takes and returns a state."""

    def run(currents: Tensor) -> Tensor:
        state, spikes = start(currents[0]), []
        for current in currents:
            spike, state = cell(current, state)
            spikes.append(spike)
        return torch.stack(spikes)

    return run


def norse(like: Tensor) -> SpikingLayer:
    """Return ``LIFBoxCell`` with its own surrogate.

    It has v ← v + k (i - v), k = dt/τ_m: with k = 1 - τ and the parameters divided by k, that is
    τ v + x. Its ``heavi_erfc`` with α = 2 is the Gaussian of variance 1/8. Its reset is not
    detached.
    """
    from norse.torch import LIFBoxCell
    from norse.torch.functional.lif_box import LIFBoxFeedForwardState, LIFBoxParameters

    dt = 0.001
    numbers = {
        "tau_mem_inv": K / dt, "v_leak": 0.0, "v_th": NEURON.v_th, "v_reset": 0.0,
    }  # fmt: skip
    given = {name: like.new_tensor(value) for name, value in numbers.items()}
    box = LIFBoxParameters(**given, method="heavi_erfc", alpha=ALPHA)
    return stepped(
        LIFBoxCell(box, dt=dt), lambda x: LIFBoxFeedForwardState(v=torch.zeros_like(x))
    )


def snntorch(like: Tensor, reset: str = "zero", delay: bool = True) -> SpikingLayer:
    """Return ``Leaky`` with reset to zero if no other is named.

    It multiplies the potential by β after the reset of the step before: the linear gate. The
    spike in that reset is detached, so that its gradient is that of ``detached-reset``. With
    ``reset`` "subtract" it is the soft gate; without ``delay`` the reset is within the step.
    """
    from snntorch import Leaky

    leaky = Leaky(
        beta=like.new_tensor(NEURON.tau), threshold=NEURON.v_th,
        spike_grad=HeavisideSpike.apply, reset_mechanism=reset, reset_delay=delay,
    ).to(like.device)  # fmt: skip
    return stepped(leaky, lambda _: leaky.reset_mem())


def spikingjelly(_: Tensor, detach: bool = False) -> SpikingLayer:
    """Return ``LIFNode`` in multi-step mode, with its own surrogate.

    Without decay of the input it has u ← (1 - 1/τ_s) u + x, so that its τ_s is 1 / (1 - τ). Its
    ``Erf`` with α = 2 is the Gaussian of variance 1/8. Its reset is detached only where asked.
    """
    from spikingjelly.activation_based import functional, neuron, surrogate

    node = neuron.LIFNode(
        tau=1 / K, decay_input=False, v_threshold=NEURON.v_th, v_reset=0.0,
        detach_reset=detach, step_mode="m", surrogate_function=surrogate.Erf(alpha=ALPHA),
    )  # fmt: skip

    def run(currents: Tensor) -> Tensor:
        functional.reset_net(node)
        return node(currents)  # type: ignore[no-any-return]

    return run
