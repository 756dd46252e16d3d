"""Checkpoints: the whole state of a run in one file, from which it goes on bit for bit.

The file is an npz without pickle, with all arrays, and one entry of JSON with a checksum.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stbp_edu._support import checks, files
from stbp_edu.parameter_files import as_params, shape_of
from stbp_edu.parameters import LayerArrays, Params, by_layer, named_arrays
from stbp_edu.training.model import check_fit
from stbp_edu.training.optimiser import State
from stbp_edu.training.settings import Settings, from_dict, to_dict

UNFINISHED = files.Sealed(
    "a checkpoint that `stbp-edu train` wrote",
    "choose another folder with --out, or --restart",
)


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after some epochs, its curves, and its settings and images.

    ``data`` is the :meth:`.Dataset.fingerprint` of the images, and ``request`` is that of
    :class:`RunConfig`.
    """

    settings: Settings
    data: str
    state: State
    curves: list[dict[str, Any]]
    request: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; ``path`` holds the old one until the new one is whole."""
    path = files.as_path("path", path)
    state = checkpoint.state
    groups: dict[str, LayerArrays] = {
        "params": state.params,
        "average": state.average or [None],
    }
    groups |= {"slot0": state.m, "slot1": state.v}
    values = {
        **shape_of(state.params),
        "settings": to_dict(checkpoint.settings),
        "data": checkpoint.data,
        "epoch": state.epoch,
        "step": state.step,
        "curves": checkpoint.curves,
        "request": checkpoint.request,
    }
    arrays = {
        f"{g}.{k}": a for g, of in groups.items() for k, a in named_arrays(of).items()
    }
    UNFINISHED.write_arrays(path, values, arrays)


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Return the checkpoint in a file; raise ValueError if this version cannot read it."""
    path = files.as_path("path", path)
    values, arrays = UNFINISHED.read_arrays(path)

    def group(name: str) -> Params:
        """Return the arrays of a group."""
        own = {
            k.removeprefix(f"{name}."): a
            for k, a in arrays.items()
            if k.startswith(f"{name}.")
        }
        return as_params(own, values)

    with UNFINISHED.reading(path):
        settings, params = from_dict(values["settings"]), group("params")
        check_fit(params, settings)
        average = group("average") if settings.averaging else None
        m, v = by_layer(group("slot0")), by_layer(group("slot1"))
        state = State(params, average, m, v, values["step"], values["epoch"])
        data = checks.instance("data", values["data"], str)
        curves = checks.instance("curves", values["curves"], list)
        request = checks.instance("request", values.get("request", {}), dict)
        return Checkpoint(settings, data, state, curves, request)
