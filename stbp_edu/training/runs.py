"""Runs in folders: trained from the start or from a checkpoint, and read back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stbp_edu._support import checks, files
from stbp_edu.parameters import Params, as_params, load_params, save_params
from stbp_edu.training import trainer
from stbp_edu.training.data import Dataset, load_dataset
from stbp_edu.training.evaluation import MOST_ENCODINGS, Advice, evaluate
from stbp_edu.training.measurements import environment, origin
from stbp_edu.training.measurements import load_measurement as load_measurement
from stbp_edu.training.model import NetworkOf, check_fit, network_for
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
        checks.count("encodings", self.encodings, at_most=MOST_ENCODINGS)

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


@dataclass(frozen=True)
class Run:
    """What the files in a folder say of a run.

    Attributes:
        record: the request and the curves; of a finished run also the accuracy and the machine.
        settings: those of the record; settings that came later have their defaults.
        params: the parameters to use.
        state: from which an unfinished run goes on, bit for bit; None of a finished one.
    """

    record: dict[str, Any]
    settings: Settings
    params: Params
    state: State | None = None


def requested(
    folder: Path, request: Mapping[str, Any], source: Path | None = None
) -> RunConfig:
    """Return the run that was asked for; ``source`` is where its data is now, if it was moved."""
    if source is None and request.get("source"):
        source = Path(request["source"])
    name, held_out = request["dataset"], request["held_out"]
    return RunConfig(
        name,
        from_dict(request["settings"]),
        load_dataset(name, source, held_out),
        folder,
        held_out,
        request.get("encodings", RunConfig.encodings),
        source,
    )


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


def load_checkpoint(path: Path) -> Run:
    """Return the unfinished run whose checkpoint is in a file.

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
        settings, shape = from_dict(values["settings"]), values["shape"]
        params = as_params(groups["params"], shape)
        check_fit(params, settings)
        average = as_params(groups["average"], shape) if settings.averaging else None
        step, epoch = values["step"], values["epoch"]
        state = State(params, average, groups["m"], groups["v"], step, epoch)
        return Run(values, settings, state.kept, state)


def open_run(folder: str | Path) -> Run:
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
        settings = from_dict(record["settings"])
        record["accuracy"]["encodings"]
    params = load_params(folder / PARAMS)
    with files.reading(folder / PARAMS, "the parameters of this run"):
        check_fit(params, settings)
    return Run(record, settings, params)


def run_in(folder: Path) -> Run | None:
    """Return the run in a folder, finished or not; None if there is none."""
    if (folder / CHECKPOINT).exists():
        return load_checkpoint(folder / CHECKPOINT)
    return open_run(folder) if (folder / RECORD).exists() else None


def earlier_run(
    config: RunConfig, *, resume: bool = False, restart: bool = False
) -> Run | None:
    """Return this very run as its folder has it, to go on from or finished; None if it has none.

    Args:
        config: what is to be trained.
        resume: whether an unfinished run may be gone on with.
        restart: whether whatever lies in the folder may be replaced.

    Raises:
        ValueError: if the folder holds an unfinished run and ``resume`` is false, or a run with
            other settings or images, or damaged files: nothing is replaced unasked.
    """
    if restart:
        return None
    folder, run = config.folder, run_in(config.folder)
    if run is None:
        if (folder / PARAMS).exists():
            raise ValueError(
                f"{folder / PARAMS} must have its {RECORD} beside it, and has none; --restart to "
                "replace it, or --out for another folder"
            )
        return None
    before = {**run.record, **to_dict(run.settings)}
    now = {**config.request(), **to_dict(config.settings)}
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
    if run.state and not resume:
        raise ValueError(
            f"{folder} holds an unfinished run, {run.state.epoch} of "
            f"{config.settings.epochs} epochs done: --resume to go on, --restart to start again"
        )
    return run


def train_in_folder(
    config: RunConfig,
    *,
    resume: bool = False,
    restart: bool = False,
    network: NetworkOf = network_for,
) -> Iterator[Event]:
    """Train, yield the events, and at the end save parameters and record; see :func:`earlier_run`.

    Where this very run is finished, nothing is done. ``network`` makes what the passes go through.
    One process at a time trains in a folder.
    """
    folder, request = config.folder.resolve(), config.request()
    lock = folder.with_name(f".{folder.name}.lock")  # one, whatever link leads there
    message = (
        f"{folder} is in use by another run; wait for it, or choose another folder"
    )
    with files.claimed(lock, message):
        run = earlier_run(config, resume=resume, restart=restart)
        if run and not run.state:
            found = "this very run, finished; --restart to train it again"
            yield Advice("folder", "finished", f"{config.folder} holds {found}")
            return
        if resume and not run:
            found = "no run to resume; this one starts at the beginning"
            yield Advice("folder", "new", f"{config.folder} holds {found}")
        folder.mkdir(parents=True, exist_ok=True)
        files.remove_parts(folder, (CHECKPOINT, PARAMS, RECORD))
        state, curves = (run.state, run.record["curves"]) if run else (None, [])
        for event in trainer.train(config.settings, config.data, state, network):
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
        "backend": network_for(params, config.settings).computes,
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
