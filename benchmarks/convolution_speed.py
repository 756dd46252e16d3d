"""A training step of 15C5-P2-40C5-P2-300-10 beside PyTorch, SpikingJelly and snnTorch.

``python -m benchmarks.convolution_speed`` prints the table; with ``--write`` it also makes the
record ``docs/results/speed-convolution.json``. Everyone has one thread, the same parameters, input,
surrogate and Adam. The input stays the same at every step, so everyone's first convolution is
computed once. Before anything is timed, the gradients are held against ours in float64. Candidates
take turns, and the least processor time of each counts: other work on the machine can only add.
"""

import argparse
import os
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any, NamedTuple

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is loaded

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.frameworks import snn_torch, spiking_jelly, torch_plain
from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.candidate_process import distance
from benchmarks.frameworks.problem import LR, NEURON
from benchmarks.frameworks.torch_common import Neurons, candidate, loss, through
from stbp_edu.convolution import ConvParams, init_conv_params
from stbp_edu.engine import Engine
from stbp_edu.files import write_json
from stbp_edu.training.data import load_dataset
from stbp_edu.training.optim import start, update
from stbp_edu.training.runs import environment, measurements_folder, origin

RECORD = measurements_folder() / "speed-convolution.json"
COMMAND = "python -m benchmarks.convolution_speed --write"
SHAPE, T, S = "28x28-15C5-P2-40C5-P2-300-10", 4, 50


class Problem(NamedTuple):
    """Parameters, images (S, 784) and targets (S, 10), in one dtype."""

    params: ConvParams
    pixels: np.ndarray
    targets: np.ndarray


def draw(dtype: Any) -> Problem:
    """Return initial parameters, and the first images of MNIST."""
    data = load_dataset("mnist")
    params = init_conv_params(SHAPE, np.random.default_rng(0), dtype, scheme="uniform")
    pixels = data.train_images[:S].reshape(S, -1).astype(dtype) / 255
    return Problem(params, pixels, np.eye(10, dtype=dtype)[data.train_labels[:S]])


def ours(problem: Problem, rule: str = "exact") -> Candidate:
    """Return the engine's step, of every image, those without an error included."""
    engine = Engine(problem.params, NEURON, rule)
    state = start(problem.params)
    still = np.broadcast_to(problem.pixels, (T, *problem.pixels.shape))

    def gradient() -> Any:
        return engine.gradients(engine.forward(still), problem.targets)

    def gradients() -> list[np.ndarray]:
        found = gradient()
        return [a for pair in zip(found.W[1:], found.b[1:], strict=True) for a in pair]

    return Candidate(lambda: update(problem.params, gradient(), state, LR), gradients)


def modules(problem: Problem) -> list[Any]:
    """Return the four layers of weights as modules of PyTorch, with our parameters."""
    made: list[Any] = []
    for layer, W, b in zip(
        problem.params.layers, problem.params.W[1:], problem.params.b[1:], strict=True
    ):
        k, channels = layer.kernel, layer.read[2]
        image = (k, k, channels) if k else layer.read
        turned = W.reshape(-1, *image).transpose(0, 3, 1, 2)
        module = nn.Conv2d(channels, layer.units, k) if k else nn.Linear(*W.shape[::-1])
        module = module.to(torch.from_numpy(W).dtype)
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(turned.copy() if k else turned.reshape(W.shape)))
            module.bias.copy_(torch.from_numpy(b))
        made.append(module)
    return made


def of_torch(
    problem: Problem, make: Callable[[torch.dtype], Neurons], compiled: bool = False
) -> Candidate:
    """Return the step of a network that autograd differentiates; ``make`` makes its neurons."""
    weights = modules(problem)
    neurons = [make(weights[0].weight.dtype) for _ in range(4)]
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
        return [_as_ours(p.grad.numpy(), problem, i) for i, p in enumerate(params)]

    return candidate(params, lambda: loss(run(x), y).backward(), gradients)


def _as_ours(grad: np.ndarray, problem: Problem, i: int) -> np.ndarray:
    """Return a gradient with the channels last, a row for each channel or neuron."""
    if i % 2:
        return grad
    layer = problem.params.layers[i // 2]
    rows, columns, channels = layer.read
    k = layer.kernel
    image = (channels, k, k) if k else (channels, rows, columns)
    return grad.reshape(len(grad), *image).transpose(0, 2, 3, 1).reshape(len(grad), -1)


def candidates(problem: Problem) -> dict[str, Candidate]:
    """Return all that take part."""
    return {
        "stbp_edu": ours(problem),
        "PyTorch, plain loop": of_torch(problem, lambda _: torch_plain.run),
        "PyTorch, compiled": of_torch(problem, lambda _: torch_plain.run, compiled=True),
        "SpikingJelly": of_torch(problem, spiking_jelly.neurons),
        "snnTorch": of_torch(problem, snn_torch.neurons),
    }


def rule_of(name: str) -> str:
    """Return the rule that a candidate follows: snnTorch detaches its reset."""
    return "detached-reset" if name == "snnTorch" else "exact"


def gaps(problem: Problem) -> dict[str, float]:
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


def main() -> None:
    """Compare the gradients, measure, print, and write the record where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--write", action="store_true", help=f"write {RECORD.name}")
    args = parser.parse_args()
    torch.set_num_threads(1)
    gap = gaps(draw(np.float64))
    assert max(gap.values()) < 1e-10, gap
    runs = candidates(draw(np.float32))
    times = least_times(runs, args.rounds)
    rows = [
        {"name": name, "ms": round(ms, 1), "ratio": round(ms / times["stbp_edu"], 3),
         "rule": rule_of(name), "gradients": gap[name]}
        for name, ms in times.items()
    ]  # fmt: skip
    for row in rows:
        print("  ".join(f"{k} {v}" for k, v in row.items()))
    if args.write:
        packages = {name: metadata.version(name) for name in ("torch", "spikingjelly", "snntorch")}
        record = {
            "what": f"One training step of {SHAPE} (forward, backward, Adam), float32, one thread",
            "command": COMMAND, "T": T, "S": S, "rounds": args.rounds, "packages": packages,
            **environment(), **origin(), "rows": rows,
        }  # fmt: skip
        write_json(RECORD, record)


if __name__ == "__main__":
    main()
