"""A run in a folder: its checkpoints while it lasts, its parameters and record when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stbp_edu import checks
from stbp_edu.files import digest, locked, read_json, save_params, write_json
from stbp_edu.network import Params
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.loop.evaluation import Evaluation, evaluate
from stbp_edu.training.loop.state import TEST, State, stream
from stbp_edu.training.loop.trainer import Epoch, Event, train
from stbp_edu.training.runs.checkpoint import Checkpoint, fingerprint, load, save
from stbp_edu.training.runs.records import point, record
from stbp_edu.training.settings import Settings, from_dict, to_dict

CHECKPOINT, PARAMS, RECORD = "checkpoint.npz", "params.npz", "record.json"
Watch = Callable[[Iterable[Event]], Iterator[Epoch]]
"""Hands on the epochs among the events, and shows what it likes of the rest."""


@dataclass(frozen=True)
class Job:
    """What to run.

    Attributes:
        dataset: name of the data set, for the record.
        held_out: ``"test"`` or ``"validation"``, for the record.
        folder: where checkpoints, parameters and the record go.
        encodings: encodings of the held-out images for the last word.
        every: epochs between checkpoints.
    """

    dataset: str
    settings: Settings
    data: Dataset
    folder: Path
    held_out: str = "test"
    encodings: int = 5
    every: int = 1

    def __post_init__(self) -> None:
        """Check the numbers before anything is trained."""
        checks.count("encodings", self.encodings)
        checks.count("checkpoint_every", self.every)


def unfinished(job: Job) -> Checkpoint | None:
    """Return the checkpoint in the folder, if there is one.

    Raises:
        ValueError: if it is damaged, or belongs to a run with other settings or data.
    """
    path = job.folder / CHECKPOINT
    if not path.exists():
        return None
    found = load(path)
    theirs, ours = to_dict(found.settings), to_dict(job.settings)
    if other := [k for k in ours if theirs[k] != ours[k]]:
        words = ", ".join(f"{k} = {theirs[k]!r} (now {ours[k]!r})" for k in other)
        raise ValueError(
            f"{path} belongs to a run with {words}; give the same settings to resume it, "
            "--restart to begin anew, or --out for another folder"
        )
    if found.data != fingerprint(job.data):
        raise ValueError(
            f"{path} belongs to a run on other images than these; give the same data to resume "
            "it, --restart to begin anew, or --out for another folder"
        )
    return found


def finished(job: Job) -> dict[str, Any] | None:
    """Return the record in the folder, if it is of this very job, done.

    Raises:
        ValueError: if the record or the parameters are damaged.
    """
    path = job.folder / RECORD
    if not path.exists() or not (job.folder / PARAMS).exists():
        return None
    found = read_record(job.folder)
    same = (found["dataset"], found["held_out"]) == (job.dataset, job.held_out)
    same = same and from_dict(found["settings"]) == job.settings  # whatever settings came later
    return found if same and len(found["accuracy"]["encodings"]) == job.encodings else None


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record in a folder, if it is one and the parameters are those it is of.

    Raises:
        FileNotFoundError: if there are no parameters.
        ValueError: if the record is none, or the parameters are damaged or of another run.
    """
    path, params = folder / RECORD, folder / PARAMS
    found = read_json(path)
    try:
        from_dict(found["settings"])
        str(found["dataset"]), str(found["held_out"]), list(found["curves"])
        list(found["accuracy"]["encodings"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} must be a record that `stbp-edu train` wrote, but {error!r} is amiss; "
            "choose the folder of a run, or train with --restart"
        ) from error
    if not params.exists():
        raise FileNotFoundError(f"{params} must be there, as {path} is; train with --restart")
    known = found.get("params")  # records of before have none
    if known is not None and known != digest(params):
        raise ValueError(
            f"{params} must be the file that {path} was written with, and is not: it is damaged, "
            "or a later run was stopped between the two; train with --resume or --restart"
        )
    return dict(found)


def run(job: Job, watch: Watch, start: Checkpoint | None = None) -> dict[str, Any]:
    """Train to the end, from ``start`` if given; save the parameters and return the record.

    Raises:
        ValueError: if another process is at work in the folder.
    """
    lock = job.folder.with_name(f".{job.folder.name}.lock")
    words = f"{job.folder} is in use by another run; wait for it, or choose another folder"
    with locked(lock, words):
        return _run(job, watch, start)


def _run(job: Job, watch: Watch, start: Checkpoint | None) -> dict[str, Any]:
    """Do it, alone in the folder."""
    job.folder.mkdir(parents=True, exist_ok=True)
    for stray in job.folder.glob(".*.part"):  # left by a process that was killed
        stray.unlink(missing_ok=True)
    data = fingerprint(job.data)
    curves: list[dict[str, Any]] = [] if start is None else list(start.curves)
    state = None if start is None else start.state
    for epoch in watch(train(job.settings, job.data, state)):
        curves.append(point(epoch))
        state = epoch.state
        if epoch.epoch % job.every == 0 or epoch.epoch == job.settings.epochs:
            save(job.folder / CHECKPOINT, Checkpoint(job.settings, data, state, curves))
    if state is None:
        raise RuntimeError("a run has at least one epoch")
    return _finish(job, state, curves)


def _finish(job: Job, state: State, curves: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the last word on the held-out images; write the parameters, then the record."""
    result = judge(job, state.kept)
    summary = record(job.dataset, job.settings, curves, result, held_out=job.held_out)
    save_params(job.folder / PARAMS, state.kept)
    summary["params"] = digest(job.folder / PARAMS)  # so that nobody takes another run's for them
    write_json(job.folder / RECORD, summary)
    (job.folder / CHECKPOINT).unlink(missing_ok=True)
    return summary


def judge(job: Job, params: Params) -> Evaluation:
    """Evaluate the parameters to be kept on the held-out images, over several encodings."""
    rng = stream(job.settings, TEST)
    return evaluate(
        params,
        job.data.test_images,
        job.data.test_labels,
        job.settings,
        rng,
        encodings=job.encodings,
    )
