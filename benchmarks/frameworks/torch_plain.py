"""PyTorch without a spiking framework: the plain loop, a compiled step, and our bridge."""

import torch
from torch import Tensor

from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import NEURON, Problem
from benchmarks.frameworks.torch_common import (
    Spike,
    candidate,
    differentiated,
    gaussian,
    linear,
    parameters,
    two_layers,
)
from stbp_edu.torch import LIFNetwork


def run(currents: Tensor) -> Tensor:
    """Return the spikes of all steps, (T, ...), by the loop as most would write it."""
    u, spikes = currents[0], []
    for t in range(len(currents)):
        if t > 0:
            u = NEURON.tau * u * (1 - spikes[-1]) + currents[t]
        spikes.append(Spike.apply(u - NEURON.v_th))
    return torch.stack(spikes)


def loop(problem: Problem) -> Candidate:
    """Return the network of :func:`run`."""
    return two_layers(problem, lambda _: run, compiled=False)


def bridge(problem: Problem) -> Candidate:
    """Return the layers of :mod:`stbp_edu.torch`, as they come."""
    network = LIFNetwork.from_params(problem.params, NEURON)
    return differentiated(problem, [layer.weights for layer in network], network)


def compiled(problem: Problem) -> Candidate:
    """Return forward and backward written out by hand, and compiled as one graph."""
    x, y = torch.from_numpy(problem.spikes), torch.from_numpy(problem.targets)
    params = parameters([linear(problem, n) for n in (1, 2)])
    run = torch.compile(_gradients, fullgraph=True, dynamic=False)

    def backward() -> None:
        with torch.no_grad():
            for p, g in zip(params, run(*params, x, y), strict=True):
                p.grad = g

    return candidate(params, backward, lambda: [p.grad.numpy() for p in params])


def _gradients(
    W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return dL/dW and dL/db of both layers."""
    T, S = x.shape[:2]
    u1, o1 = _layer(x @ W1.T + b1)
    u2, o2 = _layer(o1 @ W2.T + b2)
    direct = (o2.mean(0) - y) / (T * S)
    e2 = _epsilon(direct.expand(T, -1, -1), u2, o2)
    e1 = _epsilon(e2 @ W2, u1, o1)
    rows1, rows2 = e1.flatten(0, 1), e2.flatten(0, 1)
    W1_slope, W2_slope = rows1.T @ x.flatten(0, 1), rows2.T @ o1.flatten(0, 1)
    return W1_slope, rows1.sum(0), W2_slope, rows2.sum(0)


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
