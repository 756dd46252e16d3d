"""The time and memory of a step of the engine, beside those of its matrix products alone.

``python -m benchmarks.engine_speed`` prints the table; with ``--write`` it also makes the record
``docs/results/speed.json`` that the notebook ``full_speed`` and the performance page read. Every
figure is a median over rounds in which all candidates take turns, so that other load hits them all.
Each timed step follows others of its own kind, but for one line that shows what it takes otherwise.
"""

import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import stbp_edu
from benchmarks.frameworks.problem import Size, draw
from benchmarks.frameworks.race import alone
from benchmarks.timing import TimedStep, measure, products, publish, row
from stbp_edu import LIF, Gaussian, Params, arrows, forward_pass
from stbp_edu.parameters import by_layer
from stbp_edu.program.program import Program
from stbp_edu.training.measurements import measurements_folder
from stbp_edu.training.optimiser import adam, start

SIZES, T, S = (784, 800, 10), 30, 100
NEURON = LIF(tau=0.1, v_th=0.5, surrogate=Gaussian(a=0.25))
OTHER_SIZES = (
    (10, 100),
    (30, 100),
    (100, 100),
    (30, 20),
    (30, 50),
    (30, 200),
    (30, 500),
)


def problem(T: int, S: int) -> tuple[Params, np.ndarray, np.ndarray]:
    """Draw parameters, spikes as dense as MNIST's, and targets, in float32."""
    rng = np.random.default_rng(0)
    params = stbp_edu.init_params(SIZES, rng, np.float32, scheme="uniform")
    spikes = (rng.random((T, S, SIZES[0])) < 0.13).astype(np.float32)
    targets = np.eye(SIZES[-1], dtype=np.float32)[rng.integers(0, SIZES[-1], S)]
    return params, spikes, targets


def products_step(T: int, S: int) -> TimedStep:
    """Return the products of a step at one size."""
    params, spikes, _ = problem(T, S)
    return products(spikes, params)


def engine_step(
    T: int,
    S: int,
    backend: str = "auto",
    columns: bool = False,
    updates: bool = False,
    images: bool = False,
) -> TimedStep:
    """Return the engine's passes; with weights by columns, as training lays them, and Adam."""
    params, spikes, targets = problem(T, S)
    if images:
        drawn, _ = draw(Size(T, S))
        spikes, targets = drawn.spikes, drawn.targets
    if columns:
        params = Params([None, *map(np.asfortranarray, params.W[1:])], params.b)
    program = Program(arrows.network(SIZES, arrows.hard_reset(NEURON)), backend=backend)
    state, layers = start(params) if updates else None, by_layer(params)
    loss = program.net.loss

    def run() -> None:
        states = program.forward(layers, spikes)
        direct = loss.direct(states[-1]["o"], targets)
        gradients = program.backward(layers, states, {"o": direct})
        if state:
            adam(state, gradients, 1e-6)  # so small that the network stays what it is

    return run


def readable_step(T: int, S: int) -> TimedStep:
    """Return the step-by-step forward and the sweep of the five cases."""
    params, spikes, targets = problem(T, S)

    def run() -> None:
        trace = forward_pass.forward(spikes, params, NEURON)
        stbp_edu.cases.sweep(trace, targets, params, NEURON)

    return run


MAKERS: dict[str, Callable[[int, int], TimedStep]] = {
    "five cases": readable_step,
    "engine, NumPy alone": partial(engine_step, backend="numpy"),
    "engine": engine_step,
    "engine, weights by columns": partial(engine_step, columns=True),
    "the same, with Adam": partial(engine_step, columns=True, updates=True),
    "the same, spikes of images": partial(
        engine_step, columns=True, updates=True, images=True
    ),
    "products alone": products_step,
}


def peak_megabytes(make: Callable[[int, int], TimedStep]) -> float:
    """Return the peak of what NumPy holds in a step, parameters and input included."""
    tracemalloc.start()
    make(T, S)()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(peak / 1e6, 1)


def after_products(rounds: int) -> tuple[list[float], list[float]]:
    """Time the engine right after products, which still occupy a core, and these."""
    pair = {"products": products_step(T, S), "engine": engine_step(T, S)}
    times = measure(pair, rounds, "right after products", settle=0)
    return times["engine"], times["products"]


def measured(rounds: int) -> dict[str, Any]:
    """Return the record: at the paper's size, and over T and the batch."""
    times = measure({name: make(T, S) for name, make in MAKERS.items()}, rounds)
    limit = times["products alone"]
    again = alone(after_products, rounds, OPENBLAS_THREAD_TIMEOUT="4")
    ladder = [
        *(
            row(name, times[name], limit, peak_mb=peak_megabytes(make))
            for name, make in MAKERS.items()
        ),
        row("engine, right after products", *after_products(rounds)),
        row("the same, if BLAS threads stop at once", *again),
    ]
    scaling = []
    for steps, batch in OTHER_SIZES:
        pair = {"e": engine_step(steps, batch), "p": products_step(steps, batch)}
        times = measure(pair, max(5, rounds // 3), f"T {steps}, batch {batch}")
        line = row("engine", times["e"], times["p"], T=steps, S=batch)
        per_sample = round(line["ms"] * 1e3 / steps / batch, 2)
        scaling.append({**line, "us_per_step_and_sample": per_sample})
    return {
        "what": f"One forward and backward step at {'-'.join(map(str, SIZES))}, float32",
        "command": "python -m benchmarks.engine_speed --write", "T": T, "S": S,
        "ladder": ladder, "scaling": scaling,
    }  # fmt: skip


if __name__ == "__main__":
    publish(__doc__, measurements_folder() / "speed.json", 25, measured)
