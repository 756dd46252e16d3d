"""The record of a run: what was set, on what machine, and what came of it."""

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import stbp_edu
from stbp_edu.training.evaluation import Evaluation
from stbp_edu.training.settings import Settings, to_dict
from stbp_edu.training.trainer import Epoch

FORMAT = 1


def run_record(
    dataset: str,
    settings: Settings,
    curves: Sequence[dict[str, Any]],
    result: Evaluation,
    *,
    held_out: str,
) -> dict[str, Any]:
    """Return the record of a finished run, as JSON can hold it.

    Args:
        dataset: its name.
        settings: of the run, the seed among them.
        curves: a :func:`point` for each epoch.
        result: the final evaluation on the images held out.
        held_out: ``"test"``, or ``"validation"`` where settings are being chosen.
    """
    return {
        "format": FORMAT,
        "dataset": dataset,
        "held_out": held_out,
        "settings": to_dict(settings),
        "versions": versions(),
        "machine": machine(),
        "curves": list(curves),
        "seconds": sum(c["seconds"] for c in curves),
        "accuracy": {
            "mean": result.mean,
            "spread": result.spread,
            "encodings": list(result.accuracies),
            "images": int(result.confusion.sum()) // len(result.accuracies),
        },
    }


def point(epoch: Epoch) -> dict[str, Any]:
    """Return what the curves of a record hold of an epoch."""
    return {
        "epoch": epoch.epoch,
        "loss": epoch.loss,
        "train": epoch.accuracy,
        "held_out": epoch.test,
        "rates": list(epoch.rates),
        "outputs": list(epoch.outputs),
        "seconds": epoch.seconds,
    }


def versions() -> dict[str, str]:
    """Return the versions of Python, NumPy, its BLAS library and this package."""
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "stbp-edu": stbp_edu.__version__,
    }


def machine() -> dict[str, str | int]:
    """Return the processor, cores, system and byte order of this machine."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "byteorder": sys.byteorder,
    }


def _processor() -> str:
    """Return the processor's name as far as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"
