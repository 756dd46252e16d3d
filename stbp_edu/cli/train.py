"""The command train, with its options, its progress bar and its report."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

from stbp_edu._support import checks
from stbp_edu.cases import CASE_RULES
from stbp_edu.cli.main import format_duration, parse, tell
from stbp_edu.training import runs
from stbp_edu.training.data import CATALOGUE, load_dataset
from stbp_edu.training.data.datasets import HELD_OUT
from stbp_edu.training.evaluation import Advice, Step
from stbp_edu.training.measurements import mean_share
from stbp_edu.training.model import NetworkOf, network_for
from stbp_edu.training.runs import RunConfig
from stbp_edu.training.settings import Settings
from stbp_edu.training.trainer import Event

LINES = 10  # about this many lines where there is no progress bar
SMOOTHING = 0.05  # weight of the newest step in the means that are shown


def train_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``train``: where to read and write, and one option for each setting."""
    add = parser.add_argument
    listed = "; ".join(f"{name}: {entry.words}" for name, entry in CATALOGUE.items())
    csv = "your own data: in each line a label, 0, 1, ..., and then values from 0"
    npz = "your own data: arrays images (n, height, width) and labels (n,)"
    judged = "images to judge on (test); validation: some of the training images"
    data = parser.add_mutually_exclusive_group()
    data.add_argument(
        "dataset", nargs="?", choices=CATALOGUE, metavar="DATASET", help=listed
    )
    data.add_argument("--csv", type=Path, metavar="FILE", help=csv)
    data.add_argument("--npz", type=Path, metavar="FILE", help=npz)
    add("--out", type=Path, help="folder for the results (runs/DATASET)")
    add("--data", type=Path, help="folder with the files of the data set")
    add("--held-out", choices=HELD_OUT, default=RunConfig.held_out, help=judged)
    add("--encodings", type=int, default=RunConfig.encodings,
        help=f"encodings for the final evaluation ({RunConfig.encodings})")  # fmt: skip
    again = parser.add_mutually_exclusive_group()
    go_on = (
        "go on from the last checkpoint; of the run in FOLDER, without any other option"
    )
    again.add_argument("--resume", nargs="?", type=Path, const=True, default=False,
        metavar="FOLDER", help=go_on)  # fmt: skip
    again.add_argument("--restart", action="store_true",
        help="start again, whatever is there")  # fmt: skip
    group = parser.add_argument_group("settings")
    for setting in fields(Settings):
        add_setting(group, setting)


def add_setting(group: Any, setting: Field[Any]) -> None:
    """Add the option of a setting."""
    kind: Any = type(setting.default)
    option, shown = f"--{setting.name.replace('_', '-')}", "X"
    text = setting.metadata["help"]
    if kind is bool:
        switch = argparse.BooleanOptionalAction
        group.add_argument(option, action=switch, help=text)
        return
    if kind is tuple:
        kind, shown = _parts, "X[,X]"
    group.add_argument(option, type=kind, metavar=shown, help=text)


def _parts(text: str) -> tuple[str, ...]:
    """Return the parts of a list such as ``"tau,v_th"`` or ``"15C5,P2,300"``."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def train(args: argparse.Namespace, network: NetworkOf = network_for) -> int:
    r"""Train a spiking network, and save its parameters and a record of the run.

    Options that are not given come from the recipe of the data set. Your own data is a CSV file
    or arrays in an npz file, and your own neuron is a text of forward lines and constants, or a
    file with them:

        stbp-edu train --csv flowers.csv
        stbp-edu train digits --hidden 64R --rule e-prop --loss membrane --read 5 \
            --neuron "i = 0.5 * i + x; u = tau * u + i - v_th * o; o = spike(u - v_th)"
        stbp-edu train --resume runs/digits/e-prop
    """
    configs = planned(args)
    for config in configs:
        events = runs.train_in_folder(
            config, network=network, resume=bool(args.resume), restart=args.restart
        )
        with saying_how_to_go_on(config.folder):
            watch(events, config.settings, f"{config.dataset}, {config.settings.rule}")
    print(report(configs))
    return 0


@contextmanager
def saying_how_to_go_on(folder: Path) -> Iterator[None]:
    """If the user or the system stops a run, name the files that are kept, and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        kept = folder / runs.CHECKPOINT
        if kept.exists():
            tell(f"\n{kept} is kept: add --resume to go on")
        else:
            tell("\nnothing saved yet")
        raise
    except OSError as error:
        raise OSError(
            f"{folder} could not be written ({error}); the files saved before are whole: "
            "make room, or make the folder writable, and add --resume to go on"
        ) from error


def watch(events: Iterable[Event], settings: Settings, label: str) -> None:
    """Show the events as they come."""
    tqdm = checks.require("tqdm", "the command")
    loss, accuracy = tqdm.std.EMA(SMOOTHING), tqdm.std.EMA(SMOOTHING)
    every, form = (
        max(1, settings.epochs // LINES),
        "{desc} {percentage:3.0f}% |{bar}| {remaining}",
    )
    with tqdm.tqdm(
        total=1.0,
        desc=label,
        disable=None,
        leave=False,
        bar_format=form,
        dynamic_ncols=True,
    ) as bar:
        for event in events:
            if isinstance(event, Advice):
                bar.write(f"  ! {event.message}", file=sys.stderr)
                continue
            firing = "firing " + " ".join(f"{rate:.2f}" for rate in event.rates)
            where = f"{label}: epoch {event.epoch}/{settings.epochs}  loss"
            if isinstance(event, Step):
                means = (
                    f"{loss(event.loss):.3f}  accuracy {accuracy(event.accuracy):5.1%}"
                )
                bar.set_description_str(f"{where} {means}  {firing}", refresh=False)
                bar.update(event.done - bar.n)
            elif bar.disable and event.epoch % every == 0:
                tell(
                    f"{where} {event.loss:.4f}  learned {event.accuracy:.2%}  "
                    f"held out {event.test:.2%}  {firing}"
                )


def report(configs: Sequence[RunConfig]) -> str:
    """Return the results of finished runs as text: one line for each rule."""
    first, data, s = configs[0], configs[0].data, configs[0].settings
    lines = [
        f"{first.dataset}: {s.shape(data.shape, data.classes)}, T = {s.T}, seed {s.seed}. "
        f"Accuracy on {len(data.test_labels)} held-out images ({first.held_out}), "
        f"mean and 95 % interval over {first.encodings} encodings:"
    ]
    for config in configs:
        record = runs.open_run(config.folder).record
        accuracy = mean_share(record["accuracy"]["encodings"])
        time, rule = format_duration(record["seconds"]), config.settings.rule
        lines.append(f"  {rule:<14} {accuracy}   {time:>8}   {config.folder}/")
    return "\n".join(lines)


def chosen_data(args: argparse.Namespace) -> tuple[str, Path | None]:
    """Return the name of the data set, and the file or folder to read it from, if one is given."""
    own = "csv" if args.csv else "npz" if args.npz else ""
    if not (own or args.dataset):
        raise ValueError(
            "train needs a data set, such as digits, your own with --csv FILE or --npz FILE, "
            "or a run with --resume FOLDER; see stbp-edu train --help"
        )
    if own and args.data:
        raise ValueError(
            f"--{own} names the data, got --data {args.data} as well; leave it out"
        )
    return own or args.dataset, args.csv or args.npz or args.data


def chosen_settings(args: argparse.Namespace) -> Settings:
    """Return the recipe of the data set, with the settings that were given instead."""
    dataset, _ = chosen_data(args)
    values = {field.name: getattr(args, field.name) for field in fields(Settings)}
    given = {name: value for name, value in values.items() if value is not None}
    given.pop("rule", None)
    settings = replace(CATALOGUE[dataset].recipe, **given)
    read = [neuron.lines.constants for neuron in settings.make_neurons()]
    for name in ("tau", "v_th", "gate") if settings.neuron else ():
        if name in given and not any(one.get(name) == given[name] for one in read):
            raise ValueError(
                f"{name} must be left out, since no line of the neuron reads it; write it into "
                "the lines, or give it no value there"
            )
    return settings


def planned(args: argparse.Namespace) -> list[RunConfig]:
    """Return the runs that were asked for, one for each rule."""
    if isinstance(args.resume, Path):
        return saved_runs(args)
    dataset, source = chosen_data(args)
    settings = chosen_settings(args)
    data = load_dataset(dataset, source, args.held_out)
    name = source.stem if source and dataset in ("csv", "npz") else dataset
    out = args.out or Path("runs") / name
    rule = args.rule or ("both" if dataset == "digits" else settings.rule)
    return [
        RunConfig(
            dataset, replace(settings, rule=one), data,
            out / one,
            args.held_out, args.encodings, source,
        )
        for one in (CASE_RULES if rule == "both" else (rule,))
    ]  # fmt: skip


def saved_runs(args: argparse.Namespace) -> list[RunConfig]:
    """Return the run in the folder of ``--resume``, or those in the folders below it."""
    folder, plain = args.resume, parse(["train", "--resume", str(args.resume)])
    free = {"resume", "data"}
    given = [
        k for k, v in vars(plain).items() if k not in free and getattr(args, k) != v
    ]
    if given:
        raise ValueError(
            f"--resume {folder} takes all options from the run's files, got {', '.join(given)}; "
            "leave them out, or give --resume without a folder"
        )
    places = [folder, *sorted(folder.glob("*"))]
    found = [(place, run) for place in places if (run := runs.run_in(place))]
    if not found:
        raise FileNotFoundError(
            f"{folder} must hold a run, with {runs.CHECKPOINT} or {runs.RECORD}, and does not; "
            "check the path"
        )
    return [runs.requested(place, run.record, args.data) for place, run in found]
