"""Measure one training step of this project beside those of other frameworks, in one run.

``python -m benchmarks.frameworks`` prints the times, those of the main size first; with ``--write``
it also makes ``docs/results/speed-frameworks.json``, which the performance page is made from. A
framework that is not installed gets a line that says so.
"""

from collections.abc import Sequence
from typing import Any

from benchmarks.frameworks.candidate import BY_NAME
from benchmarks.frameworks.problem import LR, NEURON, A, Size, draw
from benchmarks.frameworks.race import alone, check, measured_at, publish
from stbp_edu.training.measurements import measurements_folder

SIZES = (
    Size(),
    *(Size(T=T) for T in (10, 100)),
    *(Size(width=width) for width in (200, 3200)),
    *(Size(batch=batch) for batch in (20, 500)),
    Size(hidden=2),
    Size(rate=2),
)


def measured(
    names: Sequence[str] = (*BY_NAME,), rounds: int = 20, sizes: Sequence[Size] = SIZES
) -> dict[str, Any]:
    """Measure the candidates of these names; the first size with more rounds, and its memory."""
    entries, there = [], []
    problems = {dtype: draw(sizes[0], dtype) for dtype in ("float32", "float64")}
    for entry in map(BY_NAME.__getitem__, names):
        about = {key: getattr(entry, key) for key in ("name", "title", "form", "rule")}
        about |= {"versions": entry.versions(), "gradients": {}, "absent": ""}
        if missing := entry.missing():
            about["absent"] = f"not installed: {', '.join(missing)}"
            print(f"{entry.title}: {about['absent']}")
        else:
            there.append(entry)
            errors = {k: alone(check, entry.name, p) for k, p in problems.items()}
            about["gradients"] = {k: e for k, e in errors.items() if e is not None}
        entries.append(about)
    fewer = max(5, rounds // 2)
    return {
        "what": "One training step (forward, backward, Adam; encoding excluded), float32",
        "command": "python -m benchmarks.frameworks --write", "lr": LR,
        "neuron": {"tau": NEURON.tau, "v_th": NEURON.v_th, "gate": NEURON.gate,
                   "surrogate": f"Gaussian, variance {A}"},
        "entries": entries,
        "cells": [
            measured_at(sizes[0], there, rounds, with_memory=True),
            *(measured_at(size, there, fewer) for size in sizes[1:]),
        ],
    }  # fmt: skip


if __name__ == "__main__":
    publish(__doc__, measurements_folder() / "speed-frameworks.json", measured)
