"""Measure one training step of this project beside those of other frameworks, in one run.

``python -m benchmarks.frameworks`` prints the tables; with ``--write`` it also makes
``docs/results/speed-frameworks.json``, which the performance page is made from. A framework that is
not installed gets a line that says so.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from tqdm import tqdm

from benchmarks.frameworks.candidate import BY_NAME, Entry
from benchmarks.frameworks.problem import LR, NEURON, A, Size, SizedProblem, draw
from benchmarks.frameworks.race import alone, check, measured_at
from benchmarks.timing import publish
from stbp_edu.training.measurements import measurements_folder

SIZES = (
    Size(),
    *(Size(T=T) for T in (10, 100)),
    *(Size(width=width) for width in (200, 3200)),
    *(Size(batch=batch) for batch in (20, 500)),
    Size(hidden=2),
    Size(rate=2),
)


def describe(entry: Entry, problem: SizedProblem) -> dict[str, Any]:
    """Return what an entry is, and how its gradients agree with ours."""
    absent = entry.missing()
    return {
        **{key: getattr(entry, key) for key in ("name", "title", "form", "rule")},
        "versions": entry.versions(),
        "absent": f"not installed: {', '.join(absent)}" if absent else "",
        "gradients": {} if absent else alone(check, entry.name, problem),
    }


def measured(
    names: Sequence[str], rounds: int, sizes: Sequence[Size] = SIZES
) -> dict[str, Any]:
    """Measure the candidates of these names; the first size with more rounds, and its memory."""
    wanted = [BY_NAME[name] for name in names]
    entries = [e for e in wanted if not e.missing()]
    problem, _ = draw(sizes[0])
    fewer = max(5, rounds // 2)
    return {
        "what": "One training step (forward, backward, Adam; encoding excluded), float32",
        "command": "python -m benchmarks.frameworks --write", "lr": LR,
        "neuron": {"tau": NEURON.tau, "v_th": NEURON.v_th, "gate": NEURON.gate,
                   "surrogate": f"Gaussian, variance {A}"},
        "entries": [describe(e, problem) for e in tqdm(wanted, leave=False)],
        "cells": [
            measured_at(sizes[0], entries, rounds, with_memory=True),
            *(measured_at(size, entries, fewer) for size in sizes[1:]),
        ],
    }  # fmt: skip


if __name__ == "__main__":
    path = measurements_folder() / "speed-frameworks.json"
    publish(__doc__, path, 20, partial(measured, [*BY_NAME]))
