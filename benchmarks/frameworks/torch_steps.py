"""Steps in PyTorch, with fused Adam: differentiated, written out by hand, and of our bridge."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from benchmarks.frameworks.candidate import Candidate, GradientList
from benchmarks.frameworks.problem import LR, NEURON, A, SizedProblem
from stbp_edu.torch import LIFNetwork

TorchNetwork = Callable[[Tensor], Tensor]
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


def differentiated(
    problem: SizedProblem,
    layers: Sequence[torch.nn.Linear],
    network: TorchNetwork,
    scale: float = 1.0,
) -> Candidate:
    """Return a candidate of a network of these layers that autograd differentiates."""
    x, y = map(torch.from_numpy, (problem.spikes, problem.targets))
    params = [p for layer in layers for p in layer.parameters()]
    return candidate(params, lambda: loss(network(x), y).backward(), scale)


def candidate(
    params: Sequence[Tensor], backward: Callable[[], None], scale: float = 1.0
) -> Candidate:
    """Return a step that computes gradients by ``backward``, and then one of fused Adam.

    The parameters are those of the problem times ``scale``.
    """
    adam = torch.optim.Adam(params, lr=LR, fused=True)

    def gradient() -> None:
        adam.zero_grad(set_to_none=True)
        backward()

    def gradients() -> GradientList:
        gradient()
        return [(p.grad * scale).numpy() for p in params]

    def step() -> None:
        gradient()
        adam.step()

    return Candidate(step, gradients)


def bridge(problem: SizedProblem) -> Candidate:
    """Return the layers of :mod:`stbp_edu.torch`, as they come."""
    network = LIFNetwork.from_params(problem.params, NEURON)
    layers = [layer.weights for layer in network]
    return differentiated(problem, layers, network)


def compiled(problem: SizedProblem) -> Candidate:
    """Return forward and backward written out by hand, and compiled as one graph."""
    x, y = map(torch.from_numpy, (problem.spikes, problem.targets))
    layers = [linear(problem, n) for n in range(1, problem.params.N + 1)]
    params = [p for layer in layers for p in layer.parameters()]
    run = torch.compile(_gradients, fullgraph=True, dynamic=False)

    def backward() -> None:
        with torch.no_grad():
            for p, g in zip(params, run(x, y, *params), strict=True):
                p.grad = g

    return candidate(params, backward)


def _gradients(x: Tensor, y: Tensor, *params: Tensor) -> list[Tensor]:
    """Return dL/dW and dL/db of every layer."""
    below, layers = x, []
    for W, b in zip(params[::2], params[1::2], strict=True):
        u, o = _layer(below @ W.T + b)
        layers.append((W, below, u, o))
        below = o
    T, S = x.shape[:2]
    above = ((below.mean(0) - y) / (T * S)).expand(T, -1, -1)
    found: list[Tensor] = []
    for W, below, u, o in reversed(layers):
        e = _epsilon(above, u, o)
        rows = e.flatten(0, 1)
        found = [rows.T @ below.flatten(0, 1), rows.sum(0), *found]
        above = e @ W
    return found


def _layer(current: Tensor) -> tuple[Tensor, Tensor]:
    """Return potentials and spikes."""
    u, o = [current[0]], []
    for t in range(len(current)):
        if t > 0:
            u.append(NEURON.tau * u[-1] * (1 - o[-1]) + current[t])
        o.append((u[-1] >= NEURON.v_th).to(current.dtype))
    return torch.stack(u), torch.stack(o)


def _epsilon(above: Tensor, u: Tensor, o: Tensor) -> Tensor:
    """Return dL/du, from the last step down: f' is -τ for the linear gate."""
    last = len(u) - 1
    e = [above[last] * gaussian(u[last] - NEURON.v_th)]
    for t in range(last - 1, -1, -1):
        delta = above[t] - e[-1] * u[t] * NEURON.tau
        h = gaussian(u[t] - NEURON.v_th)
        e.append(delta * h + e[-1] * NEURON.tau * (1 - o[t]))
    return torch.stack(e[::-1])
