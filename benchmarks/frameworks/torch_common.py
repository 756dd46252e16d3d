"""What the candidates that run on PyTorch share: layers, loss and fused Adam."""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from benchmarks.frameworks.candidate import Candidate, GradientList
from benchmarks.frameworks.problem import LR, NEURON, SizedProblem

TorchNetwork = Callable[[Tensor], Tensor]
SpikingLayer = Callable[[Tensor], Tensor]
"""The neurons of a layer: its currents at every step, (T, S, ...), to its spikes."""
A = NEURON.surrogate.a
HEIGHT = 1 / math.sqrt(2 * math.pi * A)


class HeavisideSpike(torch.autograd.Function):
    """The Heaviside spike of v = u - V_th, with the Gaussian for its derivative."""

    @staticmethod
    def forward(ctx, v: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        """Return 1 where v >= 0."""
        ctx.save_for_backward(v)
        return (v >= 0).to(v.dtype)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:  # type: ignore[no-untyped-def,override]
        """Return grad times h(v)."""
        (v,) = ctx.saved_tensors
        return grad * gaussian(v)


def gaussian(v: Tensor) -> Tensor:
    """Return h(v)."""
    return torch.exp(v * v * (-0.5 / A)) * HEIGHT


def inputs(problem: SizedProblem) -> tuple[Tensor, Tensor]:
    """Return spikes and targets."""
    return torch.from_numpy(problem.spikes), torch.from_numpy(problem.targets)


def arrays(tensors: Iterable[Tensor]) -> GradientList:
    """Return the values of tensors as arrays."""
    return [one.detach().numpy() for one in tensors]


def linear(problem: SizedProblem, n: int, scale: float = 1.0) -> torch.nn.Linear:
    """Return layer n as a module that holds the parameters, times ``scale``."""
    W, b = problem.params.W[n], problem.params.b[n]
    layer = torch.nn.Linear(W.shape[1], W.shape[0], dtype=torch.from_numpy(W).dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(W) * scale)
        layer.bias.copy_(torch.from_numpy(b) * scale)
    return layer


def loss(output: Tensor, targets: Tensor) -> Tensor:
    """Return the rate loss of the output spikes, shape (T, S, 10)."""
    miss = output.mean(0) - targets
    return (miss * miss).sum() / (2 * len(targets))


def through(network: TorchNetwork, compiled: bool) -> TorchNetwork:
    """Return the network, compiled by ``torch.compile`` for one size where asked."""
    return torch.compile(network, dynamic=False) if compiled else network


def layered(
    problem: SizedProblem,
    neurons: Callable[[Tensor], SpikingLayer],
    compiled: bool,
    scale: float = 1.0,
) -> Candidate:
    """Return a network with one product a layer for all steps.

    Args:
        problem: its parameters, spikes and targets.
        neurons: makes the neurons of a layer, from weights of its dtype.
        compiled: whether the whole network goes through ``torch.compile``.
        scale: what the parameters are multiplied by, for neurons that take 1/scale of a current.
    """
    layers = [linear(problem, n, scale) for n in range(1, problem.params.N + 1)]
    own = [neurons(layer.weight) for layer in layers]

    def network(x: Tensor) -> Tensor:
        for layer, spikes in zip(layers, own, strict=True):
            x = spikes(layer(x))
        return x

    return differentiated(problem, layers, through(network, compiled), scale)


def differentiated(
    problem: SizedProblem,
    layers: Sequence[torch.nn.Linear],
    network: TorchNetwork,
    scale: float = 1.0,
) -> Candidate:
    """Return a candidate of a network of these layers that autograd differentiates."""
    x, y = inputs(problem)
    params = [p for layer in layers for p in layer.parameters()]

    def backward() -> None:
        loss(network(x), y).backward()

    return candidate(params, backward, lambda: arrays(p.grad * scale for p in params))


def candidate(
    params: Sequence[Tensor],
    backward: Callable[[], None],
    found: Callable[[], GradientList],
) -> Candidate:
    """Return a step that computes gradients by ``backward``, and then one of fused Adam."""
    adam = torch.optim.Adam(params, lr=LR, fused=True)

    def gradient() -> None:
        adam.zero_grad(set_to_none=True)
        backward()

    def gradients() -> GradientList:
        gradient()
        return found()

    def step() -> None:
        gradient()
        adam.step()

    return Candidate(step, gradients)
