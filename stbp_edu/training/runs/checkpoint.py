"""Checkpoints: the whole state of a run in one file, from which it goes on bit for bit.

The file is an npz without pickle: the arrays of the parameters, of their average and of the
optimizer, and one entry of JSON. It is written whole or not at all, and every entry carries a
checksum (npz is zip), so that damage is found when it is read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.arrays import tensors
from stbp_edu.convolution import AnyParams, ConvParams, hidden_layers
from stbp_edu.files import SHAPE, as_arrays, as_params, read_arrays, write_arrays
from stbp_edu.network import Gradients
from stbp_edu.training.optim import OptimizerState
from stbp_edu.training.runs.record import check_curves, explain
from stbp_edu.training.settings import Settings, from_dict, to_dict
from stbp_edu.training.training_job import State

FORMAT = 1
META = "meta"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after some epochs, its curves so far, and what it was trained with.

    ``data`` is the :meth:`.Dataset.fingerprint` of its images and labels.
    """

    settings: Settings
    data: str
    state: State
    curves: list[dict[str, Any]]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; ``path`` holds the old one until the new one is whole."""
    state = checkpoint.state
    groups = {
        "params": as_arrays(state.params),
        "average": as_arrays(state.average) if state.average else {},
        **{f"slot{i}": tensors(slot) for i, slot in enumerate(state.optimizer.slots)},
    }
    arrays = {f"{g}.{k}": a for g, of in groups.items() for k, a in of.items()}
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
        return Checkpoint(settings, str(meta["data"]), state, check_curves(meta["curves"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} must be a checkpoint that `stbp-edu train` wrote, but {explain(error)}; "
            "it belongs to something else: choose another folder with --out, or --restart"
        ) from error


def _state(
    arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], settings: Settings
) -> State:
    """Return the state from its arrays, after checking that they fit each other."""
    params = _group(arrays, "params")
    average = _group(arrays, "average", params) if settings.averaging else None
    slots = [_group(arrays, f"slot{i}", params) for i in range(settings.make_optimizer().SLOTS)]
    if (hidden := hidden_layers(params)) != settings.hidden:
        raise ValueError(f"its hidden layers are {hidden}, not {settings.hidden}")
    epoch, step = (checks.count(k, meta[k], at_least=0) for k in ("epoch", "step"))
    if epoch > settings.epochs:
        raise ValueError(f"its epoch is {epoch}, and the run has {settings.epochs}")
    optimizer = OptimizerState(step, tuple(Gradients(W=slot.W, b=slot.b) for slot in slots))
    return State(params, average, optimizer, epoch)


def _group(
    arrays: Mapping[str, NDArray[Any]], group: str, like: AnyParams | None = None
) -> AnyParams:
    """Return the arrays of a group, after comparing their shapes and dtype with ``like``."""
    prefix = f"{group}."
    own = {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
    if isinstance(like, ConvParams):
        own[SHAPE] = as_arrays(like)[SHAPE]
    params = as_params(own, group)
    like = like or params
    for name, array in tensors(params).items():
        if array.shape != (want := tensors(like)[name].shape):
            raise ValueError(f"{name} must have shape {want} throughout, got {array.shape}")
        if array.dtype != like.dtype:
            raise ValueError(f"{name} must be {like.dtype} throughout, got {array.dtype}")
    return params
