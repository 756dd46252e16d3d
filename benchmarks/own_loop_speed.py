"""What a user of ``network`` waits for: an own loop, an own neuron, and the first gradient.

``python -m benchmarks.own_loop_speed`` prints the tables; ``--write`` makes the record
``docs/results/speed-own-loop.json``. The candidates take turns on the same images. The bandwidth of
the memory is measured, too: the performance page draws it as the limit of all that grows.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import stbp_edu
from benchmarks.engine_speed import TimedStep, measure, publish, row
from benchmarks.frameworks import trainer_step
from benchmarks.frameworks.problem import LR, NEURON, Size, SizedProblem, draw
from stbp_edu import Params
from stbp_edu.program.threads import threads
from stbp_edu.training.measurements import measurements_folder
from stbp_edu.training.optimiser import adam, start

RECORD = measurements_folder() / "speed-own-loop.json"
COMMAND = "python -m benchmarks.own_loop_speed --write"
SIZES = "784-800-10"
TWO_STATES = """
i = 0.5 * i + x
u = tau * u * (1 - o) + i
o = spike(u - v_th)
"""
FIRST_GRADIENT = f"""
import numpy as np
import stbp_edu
net = stbp_edu.network("{SIZES}", stbp_edu.LIF())
params = net.init(np.random.default_rng(0), np.float32)
trace = net.forward(np.ones((30, 100, 784), np.float32), params)
net.backward(trace, np.ones((100, 10), np.float32), params)
"""
IMPORT = "import stbp_edu"
MEGABYTES = 256
"""The size of the array that is copied to measure the bandwidth."""


def columns(params: Params) -> Params:
    """Return parameters whose weights lie in memory by columns, as init and training lay them."""
    W = [None, *(np.asfortranarray(w) for w in params.W[1:])]
    return Params(W, [None, *(b.copy() for b in params.b[1:])])


def own_loop(problem: SizedProblem, neuron: Any, update: Any = None) -> TimedStep:
    """Return forward and backward through ``network``, and the update, where there is one."""
    net = stbp_edu.network(SIZES, neuron)
    params = columns(problem.params)
    spikes, targets = problem.spikes, problem.targets
    change = update(params) if update else None

    def step() -> None:
        trace = net.forward(spikes, params)
        grads = net.backward(trace, targets, params)
        if change:
            change(grads)

    return step


def adam_of_the_package(params: Params) -> Any:
    """Return an update by the optimiser that the trainer has, too."""
    state = start(params)
    return lambda grads: adam(state, grads, LR)


def adam_in_numpy(params: Params) -> Any:
    """Return an update as somebody writes it from the formulas."""
    arrays = params.arrays()
    m = {name: np.zeros_like(p) for name, p in arrays.items()}
    v = {name: np.zeros_like(p) for name, p in arrays.items()}
    k = 0

    def update(grads: Any) -> None:
        nonlocal k
        k += 1
        for name, g in grads.arrays().items():
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g * g
            m_hat, v_hat = m[name] / (1 - 0.9**k), v[name] / (1 - 0.999**k)
            arrays[name] -= LR * m_hat / (np.sqrt(v_hat) + 1e-8)

    return update


def loops(rounds: int) -> list[dict[str, Any]]:
    """Measure the trainer's step beside loops and neurons of one's own."""
    problem, _ = draw(Size())
    two = stbp_edu.derive(
        TWO_STATES, surrogate=NEURON.surrogate, tau=NEURON.tau, v_th=NEURON.v_th
    )
    candidates = {
        "the trainer's step": trainer_step.build(problem).step,
        "own loop, the package's Adam": own_loop(problem, NEURON, adam_of_the_package),
        "own loop, Adam in NumPy": own_loop(problem, NEURON, adam_in_numpy),
        "forward and backward, LIF": own_loop(problem, NEURON),
        "forward and backward, two states": own_loop(problem, two),
    }
    times = measure(candidates, rounds, SIZES)
    first = times["the trainer's step"]
    return [row(name, times[name], first) for name in candidates]


def seconds(program: str, cache: str) -> float:
    """Return how long a new process takes for a program, with Numba's cache in a folder."""
    env = {**os.environ, "XDG_CACHE_HOME": cache}
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, env=env)
    return round(time.perf_counter() - begun, 2)


def starts(rounds: int) -> list[dict[str, Any]]:
    """Measure new processes: Python alone, the import, and the first gradient."""
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        cold = seconds(FIRST_GRADIENT, cache)
        rows.append({"name": "first gradient, no cache yet", "s": cold})
        for name, program in (
            ("first gradient, from the cache", FIRST_GRADIENT),
            ("import stbp_edu", IMPORT),
            ("import numpy", "import numpy"),
        ):
            rows.append(
                {"name": name, "s": min(seconds(program, cache) for _ in range(rounds))}
            )
    return rows


def bandwidth(rounds: int) -> float:
    """Return the gigabytes a second that all cores read and write while they copy an array."""
    source = np.ones(MEGABYTES * 10**6 // 4, np.float32)
    target = np.empty_like(source)
    parts = np.array_split(np.arange(len(source)), threads())
    cuts = [slice(part[0], part[-1] + 1) for part in parts]
    best = np.inf
    with ThreadPoolExecutor(len(cuts)) as pool:
        for _ in range(rounds):
            begun = time.perf_counter()
            list(pool.map(lambda cut: np.copyto(target[cut], source[cut]), cuts))
            best = min(best, time.perf_counter() - begun)
    return round(2 * source.nbytes / best / 1e9, 1)


def measured(rounds: int) -> dict[str, Any]:
    """Return the record."""
    return {
        "what": f"A loop of one's own at {SIZES}, float32, and the first gradient of a process",
        "command": COMMAND, "T": Size().T, "S": Size().batch,
        "rows": loops(rounds), "starts": starts(max(3, rounds // 5)),
        "bandwidth_gb_s": bandwidth(max(5, rounds // 3)),
    }  # fmt: skip


if __name__ == "__main__":
    publish(__doc__, RECORD, 25, measured)
