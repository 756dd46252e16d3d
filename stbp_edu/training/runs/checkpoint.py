"""Checkpoints: the whole state of a run in one file, from which it goes on bit for bit.

The file is an npz without pickle: the arrays of the parameters, of their average and of the
optimizer, and one entry of JSON. It is written whole or not at all, and every entry carries a
checksum (npz is zip), so that damage is found when it is read.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.arrays import tensors
from stbp_edu.files import as_params, read_arrays, write_arrays
from stbp_edu.network import Gradients, Params
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.optim import OptimizerState
from stbp_edu.training.settings import Settings, from_dict, to_dict
from stbp_edu.training.state import State

FORMAT = 1
META = "meta"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run, and what tells whether another run may go on from it.

    Attributes:
        settings: of the run.
        data: fingerprint of the images and labels.
        state: after a whole number of epochs.
        curves: the points of the record so far.
    """

    settings: Settings
    data: str
    state: State
    curves: list[dict[str, Any]]


def fingerprint(data: Dataset) -> str:
    """Return a SHA-256 of all images and labels, their shapes and dtypes."""
    digest = hashlib.sha256()
    for a in (data.train_images, data.train_labels, data.test_images, data.test_labels):
        digest.update(f"{a.shape}{a.dtype.str}".encode())
        digest.update(np.ascontiguousarray(a).data)
    return digest.hexdigest()


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; ``path`` holds the old one until the new one is whole."""
    state = checkpoint.state
    groups: dict[str, Params | Gradients] = {"params": state.params}
    if state.average is not None:
        groups["average"] = state.average
    groups |= {f"slot{i}": slot for i, slot in enumerate(state.optimizer.slots)}
    arrays = {f"{g}.{name}": a for g, of in groups.items() for name, a in tensors(of).items()}
    meta = {
        "format": FORMAT,
        "settings": to_dict(checkpoint.settings),
        "data": checkpoint.data,
        "epoch": state.epoch,
        "step": state.optimizer.step,
        "curves": checkpoint.curves,
    }
    write_arrays(path, {**arrays, META: np.frombuffer(json.dumps(meta).encode(), np.uint8)})


def load_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint in a file.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is damaged, or no checkpoint of this format.
    """
    arrays = read_arrays(path)
    try:
        meta = json.loads(arrays.pop(META).tobytes())
        if meta["format"] != FORMAT:
            raise ValueError(f"its format is {meta['format']!r}, and this version reads {FORMAT}")
        settings = from_dict(meta["settings"])
        state = _state(arrays, meta, settings)
        return Checkpoint(settings, str(meta["data"]), state, list(meta["curves"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} must be a checkpoint that `stbp-edu train` wrote, but {error}; "
            "it belongs to something else: choose another folder with --out, or --restart"
        ) from error


def _state(
    arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], settings: Settings
) -> State:
    """Return the state from its arrays, after checking that they fit each other."""
    params = _group(arrays, "params")
    average = None if settings.averaging == 0 else _group(arrays, "average")
    count = len(settings.make_optimizer().start(params).slots)
    found = [_group(arrays, f"slot{i}") for i in range(count)]
    slots = tuple(Gradients(W=slot.W, b=slot.b) for slot in found)
    if params.sizes[1:-1] != settings.hidden:
        raise ValueError(f"its hidden widths are {params.sizes[1:-1]}, not {settings.hidden}")
    epoch, step = (checks.count(k, meta[k], at_least=0) for k in ("epoch", "step"))
    if epoch > settings.epochs or not all(isinstance(p, dict) for p in meta["curves"]):
        raise ValueError(f"its epoch {epoch} of {settings.epochs} or its curves cannot be")
    if average is not None:
        _check_like(average, params)
    for slot in slots:
        _check_like(slot, params)
    return State(params, average, OptimizerState(step, slots), epoch)


def _check_like(group: Params | Gradients, params: Params) -> None:
    """Check that the arrays of a group have the shapes and the dtype of the parameters."""
    for name, array in tensors(group).items():
        if array.shape != (want := tensors(params)[name].shape):
            raise ValueError(f"{name} must have shape {want} throughout, got {array.shape}")
        if array.dtype != params.dtype:
            raise ValueError(f"{name} must be {params.dtype} throughout, got {array.dtype}")


def _group(arrays: Mapping[str, NDArray[Any]], group: str) -> Params:
    """Return the arrays whose names begin with the group's, as parameters."""
    prefix = f"{group}."
    own = {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
    return as_params(own, group)
