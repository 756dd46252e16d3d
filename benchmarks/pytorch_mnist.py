"""MNIST in PyTorch, and once more in NumPy with the same settings.

``OMP_NUM_THREADS=1 python -m benchmarks.pytorch_mnist`` writes
``docs/results/pytorch-mnist.json``: a row for ``python -m stbp_edu.torch.train`` and one for
``stbp-edu train``. Both begin with the same weights and see the same spikes in the same order, so
that rounding alone differs. What is finished is not trained again, and a run that was interrupted
goes on from its last checkpoint. Give the same command.
"""

import os
from argparse import Namespace
from typing import Any

import torch

from benchmarks.accuracy import (
    PASSED,
    ROOT,
    MeasuredTable,
    in_words,
    record,
    run,
    summary,
)
from stbp_edu._support.files import write_json
from stbp_edu.torch import train
from stbp_edu.training.measurements import measurements_folder
from stbp_edu.training.runs import RECORD

WORK = ROOT / "runs" / "results"
PLAIN = {"averaging": 0.0, "shift": 0, "epochs": 5}
PLAN = MeasuredTable("In PyTorch and in NumPy, 5 epochs", {"NumPy": PLAIN}, seeds=(0,))
WORDS = [PLAN.dataset, *(f"--{name}={value}" for name, value in PLAIN.items())]
WORDS += ["--device", "cpu", "--resume"]


def in_pytorch(seed: int) -> dict[str, Any]:
    """Train in PyTorch, or go on where it stopped; return the record of the run."""
    out, load = WORK / "in-pytorch" / f"seed={seed}", os.getloadavg()[0]
    folder = out / "exact"
    if not (folder / RECORD).exists():
        status = train.main([*WORDS, "--seed", str(seed), "--out", str(out)])
        if status:
            raise SystemExit(status)
    return record(folder, round(load, 2))


def row(name: str, made: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a row of the record: the runs with every seed, and what they reached."""
    found = {"name": name, "changes": PLAN.rows["NumPy"], **summary(made), "runs": made}
    print(in_words(found), flush=True)
    return found


def main() -> None:
    """Train both, and write the record."""
    rows = [row("PyTorch", [in_pytorch(seed) for seed in PLAN.seeds])]
    where = Namespace(work=WORK, data=None)
    rows.append(row("NumPy", run(PLAN, "in-numpy", "NumPy", where)))
    found = {
        "title": PLAN.title, "command": "OMP_NUM_THREADS=1 python -m benchmarks.pytorch_mnist",
        "passed": PASSED, "dataset": PLAN.dataset, "held_out": PLAN.held_out,
        "torch": torch.__version__, "rows": rows,
    }  # fmt: skip
    write_json(measurements_folder() / "pytorch-mnist.json", found)


if __name__ == "__main__":
    main()
