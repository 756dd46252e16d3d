"""Checkpoints: the whole state of a run in one file, from which it goes on bit for bit.

The file is an npz without pickle: the arrays of the parameters, of their average and of the
optimizer, and one entry of JSON with a checksum of all. It is written whole or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.arrays import Trained, by_layer, hidden_of, tensors
from stbp_edu.files import Sealed, as_params, shape_of
from stbp_edu.training.model import check_fit
from stbp_edu.training.optim import SLOTS, OptimizerState
from stbp_edu.training.settings import Settings, from_dict, to_dict
from stbp_edu.training.trainer import State

KIND = Sealed(
    "a checkpoint that `stbp-edu train` wrote",
    "choose another folder with --out, or --restart",
    version=2,
    unsealed=1,
)


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
        "params": tensors(state.params),
        "average": tensors(state.average) if state.average else {},
        **{f"slot{i}": tensors(slot) for i, slot in enumerate(state.optimizer.slots)},
    }
    values = {
        **shape_of(state.params),
        "settings": to_dict(checkpoint.settings),
        "data": checkpoint.data,
        "epoch": state.epoch,
        "step": state.optimizer.step,
        "curves": checkpoint.curves,
    }
    KIND.write_arrays(
        path, values, {f"{g}.{k}": a for g, of in groups.items() for k, a in of.items()}
    )


def load_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint in a file.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is damaged, or no checkpoint that this version reads.
    """
    values, arrays = KIND.read_arrays(checks.instance("path", path, Path))
    with KIND.reading(path):
        if "params.shape" in arrays:  # as version 1 kept it
            values["shape"] = arrays.pop("params.shape").tobytes().decode()
            arrays.pop("average.shape", None)
        settings = from_dict(checks.instance("settings", values["settings"], dict))
        state = _state(arrays, values, settings)
        data = checks.instance("data", values["data"], str)
        return Checkpoint(settings, data, state, checks.instance("curves", values["curves"], list))


def _state(
    arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any], settings: Settings
) -> State:
    """Return the state from its arrays."""

    def group(name: str) -> Trained:
        """Return the arrays of a group."""
        own = {k.removeprefix(f"{name}."): a for k, a in arrays.items() if k.startswith(f"{name}.")}
        return as_params(own, values)

    params = group("params")
    average = group("average") if settings.averaging else None
    slots = tuple(by_layer(group(f"slot{i}")) for i in range(SLOTS))
    check_fit(params, settings)
    if (hidden := hidden_of(params)) != settings.hidden:
        raise ValueError(f"its hidden layers are {hidden}, not {settings.hidden}")
    return State(params, average, OptimizerState(values["step"], slots), values["epoch"])
