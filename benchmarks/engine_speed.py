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
from benchmarks.frameworks.race import process
from benchmarks.timing import TimedStep, measure, products, publish, row
from stbp_edu import LIF, Gaussian, Params, arrows, forward_pass
from stbp_edu.parameters import by_layer
from stbp_edu.program.program import Program
from stbp_edu.training.measurements import measurements_folder
from stbp_edu.training.optimiser import adam, start

RECORD = measurements_folder() / "speed.json"
COMMAND = "python -m benchmarks.engine_speed --write"
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
    return (
        params,
        spikes,
        np.eye(SIZES[-1], dtype=np.float32)[rng.integers(0, SIZES[-1], S)],
    )


def products_step(T: int, S: int) -> TimedStep:
    """Return the products of a step at one size."""
    params, spikes, _ = problem(T, S)
    return products(spikes, params)


def engine_step(T: int, S: int, backend: str = "auto") -> TimedStep:
    """Return the engine's forward and backward."""
    params, spikes, targets = problem(T, S)
    program = Program(arrows.network(SIZES, arrows.hard_reset(NEURON)), backend=backend)
    layers, loss = by_layer(params), program.net.loss

    def run() -> None:
        states = program.forward(layers, spikes)
        direct = loss.direct(states[-1]["o"], targets)
        program.backward(layers, states, {"o": direct})

    return run


def training_step(
    T: int, S: int, images: bool = False, updates: bool = True
) -> TimedStep:
    """Return the engine's passes with weights by columns, as training lays them, and Adam."""
    params, spikes, targets = problem(T, S)
    if images:
        drawn, _ = draw(Size(T, S))
        spikes, targets = drawn.spikes, drawn.targets
    W = [None, *map(np.asfortranarray, params.W[1:])]
    state = start(stbp_edu.Params(W, params.b))
    program = Program(arrows.network(SIZES, arrows.hard_reset(NEURON)))
    layers, loss = by_layer(state.params), program.net.loss

    def run() -> None:
        states = program.forward(layers, spikes)
        direct = loss.direct(states[-1]["o"], targets)
        gradients = program.backward(layers, states, {"o": direct})
        if updates:
            adam(state, gradients, 1e-6)  # so small that the network stays what it is

    return run


def readable_step(T: int, S: int) -> TimedStep:
    """Return the step-by-step forward and the sweep of the five cases."""
    params, spikes, targets = problem(T, S)

    def run() -> None:
        trace = forward_pass.forward(spikes, params, NEURON)
        stbp_edu.cases.sweep(trace, targets, params, NEURON)

    return run


def peak_megabytes(make: Callable[[int, int], TimedStep], T: int, S: int) -> float:
    """Return the peak of what NumPy holds in a step, parameters and input included."""
    tracemalloc.start()
    make(T, S)()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(peak / 1e6, 1)


def ladder(rounds: int) -> list[dict[str, Any]]:
    """Measure the readable step, the engine and the limit at the paper's size."""
    makers = {
        "five cases": readable_step,
        "engine, NumPy alone": partial(engine_step, backend="numpy"),
        "engine": engine_step,
        "engine, weights by columns": partial(training_step, updates=False),
        "the same, with Adam": training_step,
        "the same, spikes of images": partial(training_step, images=True),
        "products alone": products_step,
    }
    steps = {name: make(T, S) for name, make in makers.items()}
    times = measure(steps, rounds, "ladder")
    limit = times["products alone"]
    rows = [
        row(name, times[name], limit, peak_mb=peak_megabytes(make, T, S))
        for name, make in makers.items()
    ]
    after = {"engine, right after products": after_products(rounds)}
    with process(OPENBLAS_THREAD_TIMEOUT="4") as other:
        again = other.submit(after_products, rounds).result()
        after["the same, if BLAS threads stop at once"] = again
    return [*rows, *(row(name, *times) for name, times in after.items())]


def after_products(rounds: int) -> tuple[list[float], list[float]]:
    """Time the engine right after products, which still occupy a core, and these."""
    pair = {"products": products_step(T, S), "engine": engine_step(T, S)}
    times = measure(pair, rounds, "right after products", settle=0)
    return times["engine"], times["products"]


def scaling(rounds: int) -> list[dict[str, Any]]:
    """Measure the engine over T and over the batch, each beside its own limit."""
    rows = []
    for steps, batch in OTHER_SIZES:
        pair = {
            "engine": engine_step(steps, batch),
            "products alone": products_step(steps, batch),
        }
        times = measure(pair, rounds, f"T {steps}, batch {batch}")
        summary = row(
            "engine", times["engine"], times["products alone"], T=steps, S=batch
        )
        per_sample = round(summary["ms"] * 1e3 / steps / batch, 2)
        rows.append({**summary, "us_per_step_and_sample": per_sample})
    return rows


def measured(rounds: int) -> dict[str, Any]:
    """Return the record: at the paper's size, and over T and the batch."""
    return {
        "what": f"One forward and backward step at {'-'.join(map(str, SIZES))}, float32",
        "command": COMMAND, "T": T, "S": S,
        "ladder": ladder(rounds), "scaling": scaling(max(5, rounds // 3)),
    }  # fmt: skip


if __name__ == "__main__":
    publish(__doc__, RECORD, 25, measured)
