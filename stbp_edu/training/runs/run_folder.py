"""The folder of a run: the files in it, and the run that they hold once it is finished."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stbp_edu.files import digest, load_params, read_json
from stbp_edu.network import Params
from stbp_edu.training.data.datasets import Dataset, load_dataset, validation
from stbp_edu.training.data.sources import Tell
from stbp_edu.training.settings import Settings, from_dict

CHECKPOINT = "checkpoint.npz"
PARAMS = "params.npz"
RECORD = "record.json"


@dataclass(frozen=True)
class FinishedRun:
    """A run that is done: its record, settings and parameters."""

    record: dict[str, Any]
    settings: Settings
    params: Params

    def load_data(self, folder: Path | None, tell: Tell) -> Dataset:
        """Return the images that the run was trained and evaluated on."""
        data = load_dataset(self.record["dataset"], folder, tell)
        return validation(data) if self.record.get("held_out") == "validation" else data


def open_run(folder: Path) -> FinishedRun:
    """Return the finished run in a folder.

    Raises:
        FileNotFoundError: if there is no finished run in it.
        ValueError: if its files are damaged, or do not belong together.
    """
    path = folder / RECORD
    if not path.exists():
        below = sorted(str(p.parent) for p in folder.glob(f"*/{RECORD}"))
        hint = f"there are runs in {', '.join(below)}" if below else "train one first"
        if (folder / CHECKPOINT).exists():
            hint = "the run in it is not finished: train with --resume"
        raise FileNotFoundError(f"{folder} must hold the {RECORD} of a finished run; {hint}")
    record = read_record(folder)
    settings = from_dict(record["settings"])
    params = load_params(folder / PARAMS)
    if params.sizes[1:-1] != settings.hidden:
        raise ValueError(
            f"{folder / PARAMS} must have hidden widths {settings.hidden} as the record says, "
            f"got {params.sizes[1:-1]}; these files are of two runs"
        )
    return FinishedRun(record, settings, params)


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record in a folder, after checking that the parameters beside it are its own.

    Raises:
        FileNotFoundError: if there are no parameters.
        ValueError: if the record is none, or the parameters are damaged or of another run.
    """
    path, params = folder / RECORD, folder / PARAMS
    record = read_json(path)
    try:
        from_dict(record["settings"])
        str(record["dataset"]), str(record["held_out"]), list(record["curves"])
        list(record["accuracy"]["encodings"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} must be a record that `stbp-edu train` wrote, but {error!r} is amiss; "
            "choose the folder of a run, or train with --restart"
        ) from error
    if not params.exists():
        raise FileNotFoundError(f"{params} must be there, as {path} is; train with --restart")
    known = record.get("params")  # older records have none
    if known is not None and known != digest(params):
        raise ValueError(
            f"{params} must be the file that {path} was written with, and is not: it is damaged, "
            "or a later run was stopped between the two; train with --resume or --restart"
        )
    return dict(record)
