"""The record of a finished run: read back with the settings and parameters that belong to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stbp_edu import checks, files
from stbp_edu.arrays import Trained, hidden_of
from stbp_edu.training.data.datasets import HELD_OUT
from stbp_edu.training.model import check_fit
from stbp_edu.training.settings import Settings, from_dict, to_dict

CHECKPOINT = "checkpoint.npz"
PARAMS = "params.npz"
RECORD = "record.json"
"""The files in the folder of a run: the first while it lasts, the others when it is finished."""

OTHERS = "checkpoint.pt"
"""What earlier versions of ``python -m stbp_edu.torch.train`` kept in place of a checkpoint."""

KIND = files.Sealed(
    "a record that `stbp-edu train` wrote",
    "choose the folder of a run, or train with --restart",
    version=2,
    unsealed=1,
)


@dataclass(frozen=True)
class FinishedRun:
    """A run that is done: its record, settings and parameters."""

    record: dict[str, Any]
    settings: Settings
    params: Trained


def open_run(folder: Path) -> FinishedRun:
    """Return the finished run in a folder.

    Raises:
        FileNotFoundError: if there is no finished run in it.
        ValueError: if its files are damaged, or do not belong together.
    """
    checks.instance("folder", folder, Path)
    if not (folder / RECORD).exists():
        below = sorted(str(p.parent) for p in folder.glob(f"*/{RECORD}"))
        hint = f"there are runs in {', '.join(below)}" if below else "train one first"
        if (folder / CHECKPOINT).exists():
            hint = "the run in it is not finished: train with --resume"
        raise FileNotFoundError(f"{folder} must hold the {RECORD} of a finished run; {hint}")
    record = read_record(folder)
    settings, params = from_dict(record["settings"]), files.load_params(folder / PARAMS)
    if (hidden := hidden_of(params)) != settings.hidden:
        raise ValueError(
            f"{folder / PARAMS} must have hidden layers {settings.hidden} as the record says, "
            f"got {hidden}; these files are of two runs"
        )
    with KIND.reading(folder / RECORD):
        check_fit(params, settings)
    return FinishedRun(record, settings, params)


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record in a folder, after checking that the parameters beside it are its own."""
    path, params = folder / RECORD, folder / PARAMS
    record = KIND.read(path)
    with KIND.reading(path):
        check_record(record)
        record["settings"] = to_dict(from_dict(record["settings"]))  # with those of later versions
    if not params.exists():
        raise FileNotFoundError(f"{params} must be there, as {path} is; train with --restart")
    if record.get("params") not in (None, files.digest(params)):  # older records have none
        raise ValueError(
            f"{params} must be the file that {path} was written with, and is not: it is damaged, "
            "or a later run was stopped between the two; train with --resume or --restart"
        )
    return record


def check_record(record: dict[str, Any]) -> None:
    """Check that a record has all that is read of it; raise KeyError, TypeError or ValueError."""
    from_dict(checks.instance("settings", record["settings"], dict))
    checks.instance("dataset", record["dataset"], str)
    checks.choice("held_out", record["held_out"], HELD_OUT)
    if not check_curves(record["curves"]):
        raise ValueError("its curves have no point")
    accuracy = record["accuracy"]
    checks.count("images", accuracy["images"])
    if not checks.instance("encodings", accuracy["encodings"], list):
        raise ValueError("it has no accuracy")
    numbers = [*accuracy["encodings"], accuracy["mean"], accuracy["spread"], record["seconds"]]
    for value in numbers:
        checks.number("accuracy and seconds", value)


def check_curves(curves: Any) -> list[dict[str, Any]]:
    """Return the curves of a run after checking each of their points; raise as check_record."""
    for point in checks.instance("curves", curves, list):
        for key in ("epoch", "loss", "held_out", "seconds"):
            checks.number(key, point[key])
        for rate in checks.instance("rates", point["rates"], list):
            checks.number("rates", rate)
        if len(point["rates"]) != len(curves[0]["rates"]):
            raise ValueError("its curves have other layers from one epoch to the next")
    return list(curves)
