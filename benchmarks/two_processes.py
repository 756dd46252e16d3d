"""Computing a gradient against sending it: two processes of this machine that share a batch.

``OMP_NUM_THREADS=1 python -m benchmarks.two_processes`` writes ``docs/results/two-processes.json``,
which the notebook ``many_machines`` reads. The processes are connected by a pipe. All candidates
take turns, and each figure is the quickest of its rounds: whatever else runs on the machine can
only add to it. Messages are timed by the clock, and gradients by what the processor does for one
process, which is what they take where each process has a core of its own.
"""

import multiprocessing
import os
import sys
import time
from itertools import pairwise
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from tqdm import tqdm

import stbp_edu
from stbp_edu import LIF, Gaussian
from stbp_edu._support.files import write_json
from stbp_edu.parameters import named_arrays
from stbp_edu.program.threads import one_blas_thread
from stbp_edu.training.measurements import environment, measurements_folder, origin

RECORD = measurements_folder() / "two-processes.json"
COMMAND = "OMP_NUM_THREADS=1 python -m benchmarks.two_processes"
SIZES, T = (784, 800, 10), 30
BATCHES = (10, 30, 100)
GRADIENT = 4 * sum(a * b + b for a, b in pairwise(SIZES))  # bytes
MESSAGES = (8, 1_000, 10_000, 100_000, 1_000_000, GRADIENT)  # bytes
NEURON = LIF(tau=0.1, v_th=0.5, surrogate=Gaussian(a=0.25))
ROUNDS = 40
TRIPS = 2  # there and back in one round


class HalfBatch:
    """One of the two: its network and samples, and the pipe to the other."""

    def __init__(self, other: Connection, first: bool) -> None:
        one_blas_thread()
        rng = np.random.default_rng(0)
        self.other, self.first = other, first
        self.net = stbp_edu.network(SIZES, NEURON)
        self.params = stbp_edu.init_params(SIZES, rng, np.float32, scheme="uniform")
        self.spikes = (rng.random((T, max(BATCHES), SIZES[0])) < 0.13).astype(
            np.float32
        )
        self.targets = np.eye(SIZES[-1], dtype=np.float32)[
            rng.integers(0, 10, max(BATCHES))
        ]
        self.received = np.empty(GRADIENT // 4, np.float32)
        self.message = memoryview(bytearray(max(MESSAGES)))

    def one(self, S: int) -> np.ndarray:
        """Return the gradient of the first S samples as one array."""
        trace = self.net.forward(self.spikes[:, :S], self.params)
        grads = self.net.backward(trace, self.targets[:S], self.params)
        return np.concatenate([g.ravel() for g in named_arrays(grads).values()])

    def two(self, S: int) -> np.ndarray:
        """Return the gradient of S samples, of which each process computes the half."""
        mine = self.one(S // 2)
        self.exchange(mine, self.received)
        return (mine + self.received) / 2

    def trips(self, size: int) -> None:
        """Send so many bytes there and back, a few times."""
        for _ in range(TRIPS):
            self.exchange(self.message[:size], self.message)

    def exchange(self, sent: Any, received: Any) -> None:
        """Send, and receive; the other process does it in the other order."""
        if self.first:
            self.other.send_bytes(sent)
        self.other.recv_bytes_into(received)
        if not self.first:
            self.other.send_bytes(sent)


def answer(other: Connection) -> None:
    """Take part in what the first process asks for, until it hangs up."""
    process = HalfBatch(other, first=False)
    while (asked := other.recv()) is not None:
        name, size = asked
        other.send("ready")
        getattr(process, name)(size)


def seconds(process: HalfBatch, name: str, size: int) -> float:
    """Return what one round takes."""
    clock = time.perf_counter if name == "trips" else time.process_time
    if name != "one":
        process.other.send((name, size))
        process.other.recv()
    begun = clock()
    getattr(process, name)(size)
    return clock() - begun


def main() -> None:
    """Time everything in turns, and write the record."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    other = spawn.Process(target=answer, args=(there,))
    other.start()
    process, best = HalfBatch(here, first=True), dict[tuple[str, int], float]()
    what = [
        *((name, S) for S in BATCHES for name in ("one", "two")),
        *(("trips", m) for m in MESSAGES),
    ]
    for _ in tqdm(range(ROUNDS), desc="rounds", file=sys.stderr):
        for key in what:
            best[key] = min(best.get(key, np.inf), seconds(process, *key))
    here.send(None)
    other.join()
    write_json(RECORD, record(best))


def record(best: dict[tuple[str, int], float]) -> dict[str, Any]:
    """Return the record: messages one way, and gradients by one process and by two."""
    sent = {size: best["trips", size] / TRIPS / 2 for size in MESSAGES}
    latency = sent[MESSAGES[0]]
    return {
        "what": "Computing a gradient against sending it, two processes of one machine and a pipe",
        "command": COMMAND, "sizes": SIZES, "T": T, "dtype": "float32", "rounds": ROUNDS,
        **environment(), **origin(), "load": round(os.getloadavg()[0], 2),
        "gradient_bytes": GRADIENT, "send_gradient": sent[GRADIENT], "latency": latency,
        "bandwidth": GRADIENT / (sent[GRADIENT] - latency),
        "messages": [{"bytes": size, "seconds": s} for size, s in sent.items()],
        "rows": [
            {"samples": S, "compute": best["one", S], "each_of_two": best["two", S]}
            for S in BATCHES
        ],
    }  # fmt: skip


if __name__ == "__main__":
    main()
