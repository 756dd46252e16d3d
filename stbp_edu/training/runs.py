"""Runs in folders: trained from the start or from a checkpoint, and read back when finished."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from stbp_edu._support import checks, files
from stbp_edu.parameter_files import as_params, load_params, save_params
from stbp_edu.parameters import Params
from stbp_edu.training import trainer
from stbp_edu.training.data import Dataset, load_dataset
from stbp_edu.training.evaluation import Advice, evaluate
from stbp_edu.training.measurements import environment, origin
from stbp_edu.training.measurements import load_measurement as load_measurement
from stbp_edu.training.model import Passes, PassesOf, check_fit
from stbp_edu.training.optimiser import State
from stbp_edu.training.settings import Settings, from_dict, to_dict
from stbp_edu.training.trainer import TEST, Epoch, Event

CHECKPOINT, PARAMS, RECORD = "checkpoint.npz", "params.npz", "record.json"
"""The files of a run: the first while it lasts, the others when it is finished."""
GROUPS = ("params", "average", "m", "v")
"""What of a state a checkpoint has arrays of, each by the names of the parameters."""


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
        """Check what would else be found wrong when the training is done."""
        checks.count("encodings", self.encodings)

    def request(self) -> dict[str, Any]:
        """Return all from which the same run is made again, for its files."""
        return {
            "dataset": self.dataset,
            "held_out": self.held_out,
            "encodings": self.encodings,
            "source": None if self.source is None else str(self.source.resolve()),
            "settings": to_dict(self.settings),
            "data": self.data.fingerprint(),
        }


class Checkpoint(NamedTuple):
    """A run after some epochs: its state, and the request and the curves of the run."""

    state: State
    values: dict[str, Any]


def save_checkpoint(path: Path, state: State, values: dict[str, Any]) -> None:
    """Write a checkpoint; ``path`` holds the old one until the new one is whole."""
    average = {} if state.average is None else state.average.arrays()
    groups = state.params.arrays(), average, state.m, state.v
    arrays = {
        f"{group}.{name}": array
        for group, of in zip(GROUPS, groups, strict=True)
        for name, array in of.items()
    }
    more = {"shape": state.params.shape, "step": state.step, "epoch": state.epoch}
    files.write_arrays(path, arrays, values | more)


def load_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint in a file, from which a run goes on bit for bit.

    Raises:
        ValueError: if the file is damaged, or this version cannot read it.
    """
    arrays = files.read_arrays(path)
    with files.reading(path, "a checkpoint that `stbp-edu train` wrote"):
        values = files.read_values(arrays)
        groups: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
        for key, array in arrays.items():
            group, _, name = key.partition(".")
            groups[group][name] = array
        settings, shape = _read_settings(values), values["shape"]
        params = as_params(groups["params"], shape)
        check_fit(params, settings)
        average = as_params(groups["average"], shape) if settings.averaging else None
        step, epoch = values["step"], values["epoch"]
        state = State(params, average, groups["m"], groups["v"], step, epoch)
        return Checkpoint(state, values)


def _read_settings(saved: dict[str, Any]) -> Settings:
    """Return the settings of a file, in which those that came later get their defaults."""
    settings = from_dict(saved["settings"])
    saved["settings"] = to_dict(settings)
    return settings


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
    record = files.read_json(folder / RECORD)
    with files.reading(folder / RECORD, "a record that `stbp-edu train` wrote"):
        settings = _read_settings(record)
        record["accuracy"]["encodings"]
    params = load_params(folder / PARAMS)
    with files.reading(folder / PARAMS, "the parameters of this run"):
        check_fit(params, settings)
    return FinishedRun(record, settings, params)


def holds_run(folder: Path) -> bool:
    """Return whether there is a run in a folder, finished or not."""
    return (folder / CHECKPOINT).exists() or (folder / RECORD).exists()


def saved_config(folder: Path, source: Path | None = None) -> RunConfig:
    """Return the run in a folder as its files describe it; ``source`` is where its data is now."""
    if (folder / CHECKPOINT).exists():
        saved = load_checkpoint(folder / CHECKPOINT).values
    else:
        saved = open_run(folder).record
    if source is None and saved["source"]:
        source = Path(saved["source"])
    name, held_out, encodings = saved["dataset"], saved["held_out"], saved["encodings"]
    data, settings = load_dataset(name, source, held_out), from_dict(saved["settings"])
    return RunConfig(name, settings, data, folder, held_out, encodings, source)


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
    folder, theirs = config.folder, None
    checkpoint = record = None
    if restart:
        return None, None
    if (folder / CHECKPOINT).exists():
        checkpoint = load_checkpoint(folder / CHECKPOINT)
        theirs = checkpoint.values
    elif (folder / RECORD).exists():
        record = theirs = open_run(folder).record
    elif (folder / PARAMS).exists():
        raise ValueError(
            f"{folder / PARAMS} must have its {RECORD} beside it, and has none; --restart to "
            "replace it, or --out for another folder"
        )
    if theirs:
        _check_same(folder, theirs, config.request())
    if checkpoint and not resume:
        raise ValueError(
            f"{folder} holds an unfinished run, {checkpoint.state.epoch} of "
            f"{config.settings.epochs} epochs done: --resume to go on, --restart to start again"
        )
    return checkpoint, record


def _check_same(folder: Path, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    """Raise ValueError if the run in a folder is another one than what was asked for."""
    before, now = ({**run, **run["settings"]} for run in (theirs, ours))
    changed = [
        f"{name} = {before[name]!r} (now {now[name]!r})"
        for name in now.keys() - {"settings", "source"}  # files may have been moved
        if name in before and before[name] != now[name]
    ]
    if changed:
        raise ValueError(
            f"{folder} belongs to a run with {', '.join(sorted(changed))}; give the same settings "
            "and data, --restart to replace it, or --out for another folder"
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
    folder, request = config.folder.resolve(), config.request()
    with folder_lock(config.folder):
        start, record = earlier_work(config, resume=resume, restart=restart)
        if record:
            found = "this very run, finished; --restart to train it again"
            yield Advice("folder", "finished", f"{config.folder} holds {found}")
            return
        if resume and not start:
            found = "no run to resume; this one starts at the beginning"
            yield Advice("folder", "new", f"{config.folder} holds {found}")
        folder.mkdir(parents=True, exist_ok=True)
        files.remove_parts(folder, (CHECKPOINT, PARAMS, RECORD))
        state, curves = (start.state, start.values["curves"]) if start else (None, [])
        for event in trainer.train(config.settings, config.data, state, passes):
            if isinstance(event, Epoch):
                point = {
                    "epoch": event.epoch, "loss": event.loss, "train": event.accuracy,
                    "held_out": event.test, "rates": event.rates, "seconds": event.seconds,
                }  # fmt: skip
                state, curves = event.state, [*curves, point]
                saved = {**request, "curves": curves}
                save_checkpoint(folder / CHECKPOINT, state, saved)
            yield event
        assert state is not None  # a run has at least one epoch
        finish(config, state.kept, curves)


def folder_lock(folder: Path) -> AbstractContextManager[None]:
    """Return a lock that keeps the folder of a run for one process."""
    place = folder.resolve()  # one lock, whatever link leads there
    message = (
        f"{folder} is in use by another run; wait for it, or choose another folder"
    )
    return files.claimed(place.with_name(f".{place.name}.lock"), message)


def finish(config: RunConfig, params: Params, curves: list[dict[str, Any]]) -> None:
    """Evaluate trained parameters; write them and then the record."""
    images, labels = config.data.test_images, config.data.test_labels
    rng = trainer.stream(config.settings, TEST)
    result = evaluate(
        params, images, labels, config.settings, rng, encodings=config.encodings
    )
    folder = config.folder
    # An earlier run's record goes first, so that none lies beside the parameters of another run.
    (folder / RECORD).unlink(missing_ok=True)
    save_params(folder / PARAMS, params)
    record = {
        **config.request(),
        **origin(),
        **environment(),
        "backend": Passes(params, config.settings).net.computes,
        "params": files.digest(folder / PARAMS),
        "curves": curves,
        "seconds": sum(point["seconds"] for point in curves),
        "accuracy": {
            "mean": result.mean,
            "spread": result.spread,
            "encodings": list(result.accuracies),
            "images": len(labels),
        },
    }
    files.write_json(folder / RECORD, record)
    (folder / CHECKPOINT).unlink(missing_ok=True)
