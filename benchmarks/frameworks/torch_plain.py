"""PyTorch without a spiking framework: the plain loop, a compiled step, and our bridge."""

import torch
from torch import Tensor

from benchmarks.frameworks import torch_common
from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import NEURON, SizedProblem
from stbp_edu.torch import LIFNetwork


def run(currents: Tensor) -> Tensor:
    """Return the spikes of all steps, (T, ...), by the loop as most would write it."""
    u, spikes = currents[0], []
    for t in range(len(currents)):
        if t > 0:
            u = NEURON.tau * u * (1 - spikes[-1]) + currents[t]
        spikes.append(torch_common.HeavisideSpike.apply(u - NEURON.v_th))
    return torch.stack(spikes)


def loop(problem: SizedProblem) -> Candidate:
    """Return the network of :func:`run`."""
    return torch_common.layered(problem, lambda _: run, compiled=False)


def bridge(problem: SizedProblem, compiled: bool = False) -> Candidate:
    """Return the layers of :mod:`stbp_edu.torch`, as they come or compiled as one graph."""
    network = LIFNetwork.from_params(problem.params, NEURON)
    layers = [layer.weights for layer in network]
    run: torch_common.TorchNetwork = network
    if compiled:
        run = torch.compile(network, fullgraph=True, dynamic=False)
    return torch_common.differentiated(problem, layers, run)


def compiled(problem: SizedProblem) -> Candidate:
    """Return forward and backward written out by hand, and compiled as one graph."""
    x, y = torch_common.inputs(problem)
    layers = [torch_common.linear(problem, n) for n in range(1, problem.params.N + 1)]
    params = [p for layer in layers for p in layer.parameters()]
    run = torch.compile(_gradients, fullgraph=True, dynamic=False)

    def backward() -> None:
        with torch.no_grad():
            for p, g in zip(params, run(x, y, *params), strict=True):
                p.grad = g

    return torch_common.candidate(
        params, backward, lambda: torch_common.arrays(p.grad for p in params)
    )


def _gradients(x: Tensor, y: Tensor, *params: Tensor) -> list[Tensor]:
    """Return dL/dW and dL/db of every layer."""
    T, S = x.shape[:2]
    U, O = [x], [x]
    for W, b in zip(params[::2], params[1::2], strict=True):
        u, o = _layer(O[-1] @ W.T + b)
        U.append(u)
        O.append(o)
    above = ((O[-1].mean(0) - y) / (T * S)).expand(T, -1, -1)
    found: list[Tensor] = []
    for n in range(len(U) - 1, 0, -1):
        e = _epsilon(above, U[n], O[n])
        rows = e.flatten(0, 1)
        found = [rows.T @ O[n - 1].flatten(0, 1), rows.sum(0), *found]
        above = e @ params[2 * n - 2]
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
    e = [above[last] * torch_common.gaussian(u[last] - NEURON.v_th)]
    for t in range(last - 1, -1, -1):
        delta = above[t] - e[-1] * u[t] * NEURON.tau
        h = torch_common.gaussian(u[t] - NEURON.v_th)
        e.append(delta * h + e[-1] * NEURON.tau * (1 - o[t]))
    return torch.stack(e[::-1])
