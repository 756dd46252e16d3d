"""A training step of 15C5-P2-40C5-P2-300-10 beside PyTorch, SpikingJelly and snnTorch.

``python -m benchmarks.convolution_speed`` prints the table; with ``--write`` it also makes the
record ``docs/results/speed-convolution.json``. Everyone has one thread, the same parameters, input,
surrogate and Adam. The input stays the same at every step, so everyone's first convolution is
computed once. Before anything is timed, the gradients are held against ours in float64. Candidates
take turns, and the least processor time of each counts: other work on the machine can only add.
"""

import os
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any, NamedTuple

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is loaded

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.engine_speed import publish
from benchmarks.frameworks import snn_torch, spiking_jelly, torch_plain
from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.candidate_process import distance
from benchmarks.frameworks.problem import LR, NEURON
from benchmarks.frameworks.torch_common import SpikingLayer, candidate, loss, through
from stbp_edu.arrows import hard_reset, network
from stbp_edu.parameters import Params, by_layer, by_name
from stbp_edu.program.program import Program
from stbp_edu.program.threads import limit_threads
from stbp_edu.training.data import RECIPES, load_dataset
from stbp_edu.training.measurements import measurements_folder
from stbp_edu.training.model import initial_params
from stbp_edu.training.optimiser import adam, start

RECORD = measurements_folder() / "speed-convolution.json"
COMMAND = "python -m benchmarks.convolution_speed --write"
PACKAGES = ("torch", "spikingjelly", "snntorch")
SHAPE, T, S = "28x28-15C5-P2-40C5-P2-300-10", 4, 50


class ConvolutionProblem(NamedTuple):
    """Parameters by layer, images (S, 784) and targets (S, 10), in one dtype."""

    params: list[Any]
    pixels: np.ndarray
    targets: np.ndarray


def draw(dtype: Any) -> ConvolutionProblem:
    """Return initial parameters, and the first images of MNIST."""
    data, settings = load_dataset("mnist"), RECIPES["mnist-conv"]
    params = initial_params(
        settings, data.shape, data.classes, np.random.default_rng(0)
    )
    layers = [
        None,
        *({k: a.astype(dtype) for k, a in p.items()} for p in by_layer(params)[1:]),
    ]
    pixels = data.train_images[:S].reshape(S, -1).astype(dtype) / 255
    return ConvolutionProblem(
        layers, pixels, np.eye(10, dtype=dtype)[data.train_labels[:S]]
    )


def ours(problem: ConvolutionProblem, rule: str = "exact") -> Candidate:
    """Return the engine's step, of every image, those without an error included."""
    program = Program(network(SHAPE, hard_reset(NEURON)), rule)
    state = start(Params(**by_name(problem.params), shape=SHAPE))
    still = np.broadcast_to(problem.pixels, (T, *problem.pixels.shape))

    def gradient() -> Any:
        states = program.forward(problem.params, still)
        errors = {"o": program.net.loss.direct(states[-1]["o"], problem.targets)}
        return program.backward(problem.params, states, errors)

    def gradients() -> list[np.ndarray]:
        return [found[name] for found in gradient()[1:] for name in "Wb"]

    return Candidate(lambda: adam(state, gradient(), LR), gradients)


def modules(problem: ConvolutionProblem) -> list[Any]:
    """Return the four layers of weights as modules of PyTorch, with our parameters."""
    made: list[Any] = []
    for p in problem.params[1:]:
        units, below, *kernel = p["W"].shape
        module = (
            nn.Conv2d(below, units, kernel[0]) if kernel else nn.Linear(below, units)
        )
        module = module.to(torch.from_numpy(p["W"]).dtype)
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(p["W"]))
            module.bias.copy_(torch.from_numpy(p["b"]))
        made.append(module)
    return made


def of_torch(
    problem: ConvolutionProblem,
    make: Callable[[Tensor], SpikingLayer],
    compiled: bool = False,
) -> Candidate:
    """Return the step of a network that autograd differentiates.

    ``make`` makes its neurons, from weights of its dtype.
    """
    weights = modules(problem)
    neurons = [make(weights[0].weight) for _ in range(4)]
    params = [p for module in weights for p in module.parameters()]
    x = torch.from_numpy(problem.pixels).reshape(S, 1, 28, 28)
    y = torch.from_numpy(problem.targets)

    def network(x: Tensor) -> Tensor:
        o = neurons[0](weights[0](x).expand(T, -1, -1, -1, -1))
        for n in (1, 2, 3):
            seen = o.flatten(0, 1)  # one call for all steps
            seen = nn.functional.avg_pool2d(seen, 2) if n < 3 else seen
            seen = seen.flatten(1) if n > 1 else seen
            o = neurons[n](weights[n](seen).unflatten(0, (T, S)))
        return o

    run = through(network, compiled)

    def gradients() -> list[np.ndarray]:
        return [p.grad.numpy() for p in params]

    return candidate(params, lambda: loss(run(x), y).backward(), gradients)


def candidates(problem: ConvolutionProblem) -> dict[str, Candidate]:
    """Return all that take part."""
    return {
        "stbp_edu": ours(problem),
        "PyTorch, plain loop": of_torch(problem, lambda _: torch_plain.run),
        "PyTorch, compiled": of_torch(
            problem, lambda _: torch_plain.run, compiled=True
        ),
        "SpikingJelly": of_torch(problem, spiking_jelly.neurons),
        "snnTorch": of_torch(problem, snn_torch.neurons),
    }


def rule_of(name: str) -> str:
    """Return the rule that a candidate follows: snnTorch detaches its reset."""
    return "detached-reset" if name == "snnTorch" else "exact"


def gaps(problem: ConvolutionProblem) -> dict[str, float]:
    """Return how far each one's gradients lie from ours, as a share of the largest entry."""
    found = {}
    for name, run in candidates(problem).items():
        wanted = [g.copy() for g in ours(problem, rule_of(name)).gradients()]
        found[name] = distance(run.gradients(), wanted)
    return found


def least_times(runs: dict[str, Candidate], rounds: int) -> dict[str, float]:
    """Return the least time of a step of each in ms, after two to warm up."""
    best = dict.fromkeys(runs, float("inf"))
    for i in range(rounds + 2):
        for name, run in runs.items():
            start = time.process_time()
            run.step()
            if i > 1:
                best[name] = min(best[name], (time.process_time() - start) * 1e3)
    return best


def measured(rounds: int) -> dict[str, Any]:
    """Compare the gradients, measure, and return the record."""
    torch.set_num_threads(1)
    limit_threads(1)
    gap = gaps(draw(np.float64))
    assert max(gap.values()) < 1e-10, gap
    times = least_times(candidates(draw(np.float32)), rounds)
    return {
        "what": f"One training step of {SHAPE} (forward, backward, Adam), float32, one thread",
        "command": COMMAND, "T": T, "S": S,
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "rows": [
            {"name": name, "ms": round(ms, 1), "ratio": round(ms / times["stbp_edu"], 3),
             "rule": rule_of(name), "gradients": gap[name]}
            for name, ms in times.items()
        ],
    }  # fmt: skip


if __name__ == "__main__":
    publish(__doc__, RECORD, 30, measured)
