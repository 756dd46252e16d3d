"""A run in a folder: its checkpoints while it lasts, its parameters and record when it is done."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stbp_edu import checks
from stbp_edu.files import digest, locked, remove_parts, save_params, write_json
from stbp_edu.network import Params
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.evaluation import Evaluation, evaluate
from stbp_edu.training.runs.checkpoint import (
    Checkpoint,
    fingerprint,
    load_checkpoint,
    save_checkpoint,
)
from stbp_edu.training.runs.run_folder import CHECKPOINT, PARAMS, RECORD, read_record
from stbp_edu.training.runs.run_records import point, run_record
from stbp_edu.training.settings import Settings, from_dict, to_dict
from stbp_edu.training.state import TEST, stream
from stbp_edu.training.trainer import Epoch, Event, train

Watch = Callable[[Iterable[Event]], Iterator[Epoch]]
"""Yields the epochs among the events, and may show the others."""


@dataclass(frozen=True)
class RunConfig:
    """What to train, on which images, and where its files go.

    Attributes:
        dataset: name of the data set, for the record.
        held_out: ``"test"`` or ``"validation"``, for the record.
        folder: where checkpoints, parameters and the record go.
        encodings: encodings of the held-out images for the final evaluation.
        checkpoint_every: epochs between checkpoints.
    """

    dataset: str
    settings: Settings
    data: Dataset
    folder: Path
    held_out: str = "test"
    encodings: int = 5
    checkpoint_every: int = 1

    def __post_init__(self) -> None:
        """Check the numbers before anything is trained."""
        checks.count("encodings", self.encodings)
        checks.count("checkpoint_every", self.checkpoint_every)

    @cached_property
    def fingerprint(self) -> str:
        """Fingerprint of the images and labels, computed when a checkpoint first needs it."""
        return fingerprint(self.data)


def unfinished_run(config: RunConfig) -> Checkpoint | None:
    """Return the checkpoint in the folder, if there is one.

    Raises:
        ValueError: if it is damaged, or belongs to a run with other settings or data.
    """
    path = config.folder / CHECKPOINT
    if not path.exists():
        return None
    checkpoint = load_checkpoint(path)
    theirs, ours = to_dict(checkpoint.settings), to_dict(config.settings)
    if other := [k for k in ours if theirs[k] != ours[k]]:
        differences = ", ".join(f"{k} = {theirs[k]!r} (now {ours[k]!r})" for k in other)
        raise ValueError(
            f"{path} belongs to a run with {differences}; give the same settings to resume it, "
            "--restart to begin anew, or --out for another folder"
        )
    if checkpoint.data != config.fingerprint:
        raise ValueError(
            f"{path} belongs to a run on other images than these; give the same data to resume "
            "it, --restart to begin anew, or --out for another folder"
        )
    return checkpoint


def finished_run(config: RunConfig) -> dict[str, Any] | None:
    """Return the record in the folder, if it is of a finished run of this very configuration.

    Raises:
        ValueError: if the record or the parameters are damaged.
    """
    if not (config.folder / RECORD).exists() or not (config.folder / PARAMS).exists():
        return None
    record = read_record(config.folder)
    same = (
        (record["dataset"], record["held_out"]) == (config.dataset, config.held_out)
        and from_dict(record["settings"]) == config.settings  # newer settings at their defaults
        and len(record["accuracy"]["encodings"]) == config.encodings
    )
    return record if same else None


def train_in_folder(
    config: RunConfig, watch: Watch, start: Checkpoint | None = None
) -> dict[str, Any]:
    """Train to the end, from ``start`` if given; save the parameters and return the record.

    Raises:
        ValueError: if another process trains in the folder.
    """
    folder = config.folder
    message = f"{folder} is in use by another run; wait for it, or choose another folder"
    with locked(folder.with_name(f".{folder.name}.lock"), message):
        folder.mkdir(parents=True, exist_ok=True)
        remove_parts(folder)
        curves: list[dict[str, Any]] = [] if start is None else list(start.curves)
        state = None if start is None else start.state
        for epoch in watch(train(config.settings, config.data, state)):
            curves.append(point(epoch))
            state = epoch.state
            if epoch.epoch % config.checkpoint_every == 0 or epoch.epoch == config.settings.epochs:
                checkpoint = Checkpoint(config.settings, config.fingerprint, state, curves)
                save_checkpoint(folder / CHECKPOINT, checkpoint)
        if state is None:
            raise RuntimeError("a run has at least one epoch")
        return finish(config, state.kept, curves)


def finish(config: RunConfig, params: Params, curves: list[dict[str, Any]]) -> dict[str, Any]:
    """Evaluate trained parameters; write them and then the record, which is returned."""
    result = evaluate_run(config, params)
    record = run_record(config.dataset, config.settings, curves, result, held_out=config.held_out)
    save_params(config.folder / PARAMS, params)
    record["params"] = digest(config.folder / PARAMS)  # tells them from another run's
    write_json(config.folder / RECORD, record)
    (config.folder / CHECKPOINT).unlink(missing_ok=True)
    return record


def evaluate_run(config: RunConfig, params: Params) -> Evaluation:
    """Return the accuracy of parameters on the held-out images, over several encodings."""
    images, labels = config.data.test_images, config.data.test_labels
    rng = stream(config.settings, TEST)
    return evaluate(params, images, labels, config.settings, rng, encodings=config.encodings)
