"""Runs in folders: checkpoints, parameters, records and figures.

- ``run``: train in a folder, from the start or from a checkpoint, to the record.
- ``run_folder``: the files of a run, and a finished run read back.
- ``checkpoint``: the whole state of a run in one file.
- ``run_records``: what the record of a run says: settings, versions, machine, curves, accuracy.
- ``run_figures``: curves, spikes and weights, drawn; needs matplotlib.
- ``measurements``: the published records of long measurements, in ``docs/results``.
"""

from stbp_edu.training.runs.checkpoint import Checkpoint
from stbp_edu.training.runs.measurements import load_measurement, measurements_folder
from stbp_edu.training.runs.run import (
    RunConfig,
    finish,
    finished_run,
    train_in_folder,
    unfinished_run,
)
from stbp_edu.training.runs.run_folder import CHECKPOINT, PARAMS, RECORD, FinishedRun, open_run
from stbp_edu.training.runs.run_records import machine, versions

__all__ = [
    "CHECKPOINT",
    "PARAMS",
    "RECORD",
    "Checkpoint",
    "FinishedRun",
    "RunConfig",
    "finish",
    "finished_run",
    "load_measurement",
    "machine",
    "measurements_folder",
    "open_run",
    "train_in_folder",
    "unfinished_run",
    "versions",
]
