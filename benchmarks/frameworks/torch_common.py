"""What the candidates that run on PyTorch share: parameters, loss, fused Adam."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from benchmarks.frameworks.candidate import Arrays, Candidate
from benchmarks.frameworks.problem import LR, NEURON, Problem

Network = Callable[[Tensor], Tensor]
Wrap = Callable[[Network], Network]
A = NEURON.surrogate.a
HEIGHT = 1 / math.sqrt(2 * math.pi * A)


class Spike(torch.autograd.Function):
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


def tensors(problem: Problem) -> tuple[Tensor, Tensor]:
    """Return spikes and targets."""
    return torch.from_numpy(problem.spikes), torch.from_numpy(problem.targets)


def linear(problem: Problem, n: int, scale: float = 1.0) -> torch.nn.Linear:
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


def eager(network: Network) -> Network:
    """Return the network as it is."""
    return network


def whole(network: Network) -> Network:
    """Return the network compiled by ``torch.compile`` for one size."""
    compiled: Network = torch.compile(network, dynamic=False)
    return compiled


def parameters(layers: Sequence[torch.nn.Linear]) -> list[Tensor]:
    """Return W1, b1, W2, b2."""
    return [p for layer in layers for p in (layer.weight, layer.bias)]


def autograd(
    problem: Problem,
    layers: Sequence[torch.nn.Linear],
    network: Network,
    scale: float = 1.0,
) -> Candidate:
    """Return a candidate of a network that autograd differentiates.

    ``scale`` is what the layers' parameters were multiplied by.
    """
    x, y = tensors(problem)
    params = parameters(layers)
    adam = torch.optim.Adam(params, lr=LR, fused=True)

    def gradient() -> None:
        adam.zero_grad(set_to_none=True)
        loss(network(x), y).backward()

    def gradients() -> Arrays:
        gradient()
        return [(p.grad * scale).numpy() for p in params if p.grad is not None]

    def step() -> None:
        gradient()
        adam.step()

    return Candidate(step, gradients)
