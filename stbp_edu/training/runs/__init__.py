"""Runs in folders: checkpoints, parameters and records.

- ``run``: train in a folder, from the start or from a checkpoint, to the record; read it back.
- ``measurements``: the records of long measurements that are published in ``docs/results``.
"""

from stbp_edu.training.runs.measurements import (
    environment,
    load_measurement,
    measurements_folder,
    origin,
)
from stbp_edu.training.runs.run import (
    CHECKPOINT,
    PARAMS,
    RECORD,
    Checkpoint,
    RunConfig,
    earlier_work,
    finish,
    folder_lock,
    open_run,
    train_in_folder,
)

__all__ = [
    "CHECKPOINT",
    "PARAMS",
    "RECORD",
    "Checkpoint",
    "RunConfig",
    "earlier_work",
    "environment",
    "finish",
    "folder_lock",
    "load_measurement",
    "measurements_folder",
    "open_run",
    "origin",
    "train_in_folder",
]
