"""Runs in folders: trained from the start or from a checkpoint, and read back when finished."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stbp_edu._support import checks, files
from stbp_edu.parameter_files import load_params, save_params
from stbp_edu.parameters import Params
from stbp_edu.training import trainer
from stbp_edu.training.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from stbp_edu.training.data import Dataset
from stbp_edu.training.data.datasets import HELD_OUT
from stbp_edu.training.evaluation import MOST_ENCODINGS, evaluate
from stbp_edu.training.measurements import environment, origin
from stbp_edu.training.measurements import load_measurement as load_measurement
from stbp_edu.training.model import Passes, PassesOf, check_fit
from stbp_edu.training.settings import Settings, from_dict, to_dict
from stbp_edu.training.trainer import TEST, Epoch, Event

CHECKPOINT, PARAMS, RECORD = "checkpoint.npz", "params.npz", "record.json"
"""The files of a run: the first while it lasts, the others when it is finished."""

KIND = files.Sealed(
    "a record that `stbp-edu train` wrote",
    "choose the folder of a run, or train with --restart",
)


@dataclass(frozen=True)
class RunConfig:
    """What to train, on which images, and the folder where its files go.

    Attributes:
        held_out: ``"test"`` or ``"validation"``, for the record.
        encodings: of the held-out images, for the final evaluation.
        source: the folder or file that the images were read from, if the user named one.
    """

    dataset: str
    settings: Settings
    data: Dataset
    folder: Path
    held_out: str = "test"
    encodings: int = 5
    source: Path | None = None

    def __post_init__(self) -> None:
        """Check the fields before anything is trained; a path may be given as a string."""
        for name in ("folder", "source"):
            if isinstance(value := getattr(self, name), str):
                object.__setattr__(self, name, Path(value))
        kinds = {"dataset": str, "settings": Settings, "data": Dataset, "folder": Path}
        checks.fields("a run", self, **kinds, source=(Path, type(None)))
        checks.choice("held_out", self.held_out, HELD_OUT)
        checks.count("encodings", self.encodings, at_most=MOST_ENCODINGS)

    @property
    def request(self) -> dict[str, Any]:
        """The fields besides the settings from which the same run is made again, for its files."""
        return {
            "dataset": self.dataset,
            "held_out": self.held_out,
            "encodings": self.encodings,
            "source": None if self.source is None else str(self.source.resolve()),
        }


@dataclass(frozen=True)
class FinishedRun:
    """A run that is done."""

    record: dict[str, Any]
    settings: Settings
    params: Params


def open_run(folder: str | Path) -> FinishedRun:
    """Return the finished run in a folder.

    Raises:
        FileNotFoundError: if there is no finished run in it.
        ValueError: if its files are damaged, or do not belong together.
    """
    folder = files.as_path("folder", folder)
    if not (folder / RECORD).exists():
        below = sorted(str(p.parent) for p in folder.glob(f"*/{RECORD}"))
        hint = f"there are runs in {', '.join(below)}" if below else "train one first"
        if (folder / CHECKPOINT).exists():
            hint = "the run in it is not finished: train with --resume"
        raise FileNotFoundError(
            f"{folder} must hold the {RECORD} of a finished run; {hint}"
        )
    record = read_record(folder)
    settings, params = from_dict(record["settings"]), load_params(folder / PARAMS)
    with KIND.reading(folder / RECORD):
        check_fit(params, settings)
    return FinishedRun(record, settings, params)


def read_record(folder: str | Path) -> dict[str, Any]:
    """Return the record in a folder, after checking that the parameters beside it are its own."""
    folder = files.as_path("folder", folder)
    path, params = folder / RECORD, folder / PARAMS
    record = KIND.read(path)
    with KIND.reading(path):
        # With the defaults of settings that the record does not have.
        record["settings"] = to_dict(from_dict(record["settings"]))
        digest = record["params"]
    if not params.exists():
        raise FileNotFoundError(
            f"{params} must be there, as {path} is; train with --restart"
        )
    if digest != files.digest(params):
        raise ValueError(
            f"{params} must be the file that {path} was written with, and is not: it is damaged, "
            "or a later run was stopped between the two; train with --resume or --restart"
        )
    return record


def earlier_work(
    config: RunConfig, *, resume: bool = False, restart: bool = False
) -> tuple[Checkpoint | None, dict[str, Any] | None]:
    """Return the checkpoint to go on from, or the record of this very run where it is finished.

    Args:
        config: what is to be trained.
        resume: whether an unfinished run may be gone on with.
        restart: whether whatever lies in the folder may be replaced.

    Raises:
        ValueError: if the folder holds an unfinished run and ``resume`` is false, or a run with
            other settings or images, or damaged files: nothing is replaced unasked.
    """
    folder = checks.instance("config", config, RunConfig).folder
    checks.instance("resume", resume, bool), checks.instance("restart", restart, bool)
    if restart:
        if folder.is_symlink():  # the files in the folder that it names would be lost
            raise ValueError(
                f"{folder} must be a folder with restart, and is a link to {folder.resolve()}; "
                "name that one, or remove the link"
            )
        return None, None
    if not (folder / CHECKPOINT).exists():
        return None, _finished(config)
    checkpoint = _unfinished(config)
    if not resume:
        raise ValueError(
            f"{folder} holds an unfinished run, {checkpoint.state.epoch} of "
            f"{config.settings.epochs} epochs done: --resume to go on, --restart to start again"
        )
    return checkpoint, None


def _unfinished(config: RunConfig) -> Checkpoint:
    """Return the checkpoint in the folder; raise ValueError if it is another run's."""
    path = config.folder / CHECKPOINT
    checkpoint = load_checkpoint(path)
    hint = "to resume it, --restart to start again, or --out for another folder"
    if changed := _changed(to_dict(checkpoint.settings), to_dict(config.settings)):
        raise ValueError(
            f"{path} belongs to a run with {changed}; give the same settings {hint}"
        )
    if checkpoint.data != config.data.fingerprint():
        raise ValueError(
            f"{path} belongs to a run on other images than these; give the same data {hint}"
        )
    return checkpoint


def _finished(config: RunConfig) -> dict[str, Any] | None:
    """Return the record in the folder, if there is one; raise ValueError if it is another's."""
    path, hint = (
        config.folder / RECORD,
        "--restart to replace it, or --out for another folder",
    )
    if not path.exists():
        if (params := config.folder / PARAMS).exists():
            raise ValueError(
                f"{params} must have its {RECORD} beside it, and has none; {hint}"
            )
        return None
    record = read_record(config.folder)
    ours = {key: getattr(config, key) for key in ("dataset", "held_out", "encodings")}
    theirs = {**record, "encodings": len(record["accuracy"]["encodings"])}
    if changed := _changed(
        {**theirs, **record["settings"]}, {**to_dict(config.settings), **ours}
    ):
        raise ValueError(f"{config.folder} holds a finished run with {changed}; {hint}")
    return record


def _changed(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Return how a run differs from what was asked for; empty where it does not."""
    return ", ".join(
        f"{k} = {theirs[k]!r} (now {ours[k]!r})" for k in ours if theirs[k] != ours[k]
    )


def train_in_folder(
    config: RunConfig,
    *,
    resume: bool = False,
    restart: bool = False,
    passes: PassesOf = Passes,
) -> Iterator[Event]:
    """Train, yield the events, and at the end save parameters and record; see :func:`earlier_work`.

    Where this very run is finished, nothing is done. ``passes`` makes the passes of the run. One
    process at a time trains in a folder.
    """
    checks.instance("config", config, RunConfig)
    settings, data, folder = (
        config.settings,
        config.data.fingerprint(),
        config.folder.resolve(),
    )
    with folder_lock(config.folder):
        start, record = earlier_work(config, resume=resume, restart=restart)
        if record:
            return
        files.remove_parts(folder, (CHECKPOINT, PARAMS, RECORD))
        state, curves = (start.state, [*start.curves]) if start else (None, [])
        for event in trainer.train(settings, config.data, state, passes):
            if isinstance(event, Epoch):
                point = {
                    "epoch": event.epoch,
                    "loss": event.loss,
                    "train": event.accuracy,
                    "held_out": event.test,
                    "rates": list(event.rates),
                    "outputs": list(event.outputs),
                    "gradient_norms": list(event.gradient_norms),
                    "commonest_answer": event.commonest_answer,
                    "seconds": event.seconds,
                }
                state, curves = event.state, [*curves, point]
                checkpoint = Checkpoint(settings, data, state, curves, config.request)
                save_checkpoint(folder / CHECKPOINT, checkpoint)
            yield event
        assert state is not None  # a run has at least one epoch
        finish(config, state.kept, curves)


def folder_lock(folder: Path) -> AbstractContextManager[None]:
    """Return a lock that keeps the folder of a run for one process, unless a file is there."""
    lock = folder.resolve()  # one lock, whatever link leads there
    there = next(path for path in (lock, *lock.parents) if path.exists())
    if not there.is_dir():
        raise ValueError(
            f"{folder} must be a folder, and {there} is a file; choose another --out"
        )
    message = (
        f"{folder} is in use by another run; wait for it, or choose another folder"
    )
    return files.claimed(lock.with_name(f".{lock.name}.lock"), message)


def finish(config: RunConfig, params: Params, curves: list[dict[str, Any]]) -> None:
    """Evaluate trained parameters; write them and then the record."""
    images, labels = config.data.test_images, config.data.test_labels
    rng = trainer.stream(config.settings, TEST)
    result = evaluate(
        params, images, labels, config.settings, rng, encodings=config.encodings
    )
    config.folder.mkdir(parents=True, exist_ok=True)
    save_params(config.folder / PARAMS, params)
    record = {
        "dataset": config.dataset,
        "held_out": config.held_out,
        "source": config.request["source"],
        "settings": to_dict(config.settings),
        **origin(),
        **environment(),
        "backend": Passes(params, config.settings).net.computes,
        "params": files.digest(
            config.folder / PARAMS
        ),  # to tell them from those of another run
        "curves": curves,
        "seconds": sum(point["seconds"] for point in curves),
        "accuracy": {
            "mean": result.mean,
            "spread": result.spread,
            "encodings": list(result.accuracies),
            "images": len(labels),
        },
    }
    KIND.write(config.folder / RECORD, record)
    (config.folder / CHECKPOINT).unlink(missing_ok=True)
