r"""Train a spiking network, and save its parameters and a record of the run.

Options that are not given come from the recipe of the data set. A neuron of your own is a text of
forward lines and constants, or a file with them:

    stbp-edu train digits --hidden 64R --rule e-prop --loss membrane --read 5 \
        --neuron "i = 0.5 * i + x; u = tau * u + i - v_th * o; o = spike(u - v_th)"
"""

import argparse
import errno
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from stbp_edu.cli.messages import format_duration, tell
from stbp_edu.convolution import hidden_layer
from stbp_edu.rules import RULES
from stbp_edu.training.data import CATALOGUE, Dataset, load_dataset
from stbp_edu.training.data.datasets import HELD_OUT
from stbp_edu.training.diagnosis import Advice
from stbp_edu.training.evaluation import plus_minus
from stbp_edu.training.neuron_text import text_of
from stbp_edu.training.runs import CHECKPOINT, RunConfig, earlier_work, train_in_folder
from stbp_edu.training.settings import TRAINED, Settings, from_dict
from stbp_edu.training.trainer import Epoch, Event, Step

LINES = 10  # about as many lines, where there is no bar
SMOOTH = 0.95


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``train``: where to read and write, and one option for each setting."""
    add = parser.add_argument
    listed = "; ".join(f"{name}: {entry.words}" for name, entry in CATALOGUE.items())
    add("dataset", choices=CATALOGUE, metavar="DATASET", help=listed)
    add("--out", type=Path, help="folder for the results (runs/DATASET)")
    add("--data", type=Path, help="folder with the files of the data set")
    add(
        "--held-out",
        choices=HELD_OUT,
        default="test",
        help="images to judge on; validation: some of the training images, to choose settings",
    )
    add("--encodings", type=int, default=5, help="encodings for the last word (5)")
    add("--checkpoint-every", type=int, default=1, metavar="EPOCHS", help="how often (1)")
    add("--shards", type=int, help=argparse.SUPPRESS)  # of earlier versions
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    again.add_argument("--restart", action="store_true", help="begin anew, whatever is there")
    _add_settings(parser.add_argument_group("settings"))


def _add_settings(group: argparse._ArgumentGroup) -> None:
    """Add one option for each setting."""
    for f in fields(Settings):
        flag, text = f"--{f.name.replace('_', '-')}", f.metadata["help"]
        kind, shown = PARSERS.get(f.name, (type(f.default), "X"))
        if f.name == "rule":
            text += f": {', '.join(TRAINED)}, truncated-K; both (the digits') for the first two"
        group.add_argument(flag, type=kind, metavar=shown, help=text)


def _layers(text: str) -> tuple[int | str, ...]:
    """Parse ``"800"``, ``"400,64R"`` or ``"15C5,P2,300"``."""
    try:
        return tuple(hidden_layer("--hidden", part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _names(text: str) -> tuple[str, ...]:
    """Parse ``"tau,v_th"``."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


PARSERS: dict[str, tuple[Any, str]] = {
    "hidden": (_layers, "N[,N]"),
    "neuron": (str, "LINES"),
    "readout": (str, "LINES"),
    "learn": (_names, "NAME[,NAME]"),
    "learn_each": (_names, "NAME[,NAME]"),
}
"""How the command line reads settings that are no word or number, and what its help calls them."""


def chosen_settings(args: argparse.Namespace) -> Settings:
    """Return the recipe of the data set, with the settings that were given instead."""
    named = {f.name: getattr(args, f.name) for f in fields(Settings) if f.name != "rule"}
    given = {k: v for k, v in named.items() if v is not None}
    for name in {"neuron", "readout"} & {*given}:
        given[name] = text_of(name, given[name])
    settings = replace(CATALOGUE[args.dataset].recipe, **given)
    gate = "soft" if settings.gate == "linear" else "linear"
    others: dict[str, Any] = {"tau": settings.tau / 2, "v_th": settings.v_th + 1, "gate": gate}
    for name in others.keys() & given.keys() if settings.is_derived else ():
        changed = replace(settings, **{name: others[name]})
        both = ([n.lines for n in one.make_neurons()] for one in (settings, changed))
        if next(both) == next(both):
            raise ValueError(
                f"{name} must be left out, since no line of the neuron reads it; write it into "
                "the lines, or give it no value there"
            )
    return settings


def run(args: argparse.Namespace) -> int:
    """Train with each rule that was asked for, and print the results side by side."""
    settings = chosen_settings(args)
    if args.shards is not None:
        tell("--shards is not needed any more: a batch is no longer shared among processes")
    data = load_dataset(args.dataset, args.data, tell, args.held_out)
    rule = args.rule or ("both" if args.dataset == "digits" else settings.rule)
    folder = args.out or Path("runs") / args.dataset
    config = RunConfig(
        args.dataset, settings, data, folder, args.held_out, args.encodings, args.checkpoint_every
    )
    configs = [
        replace(config, settings=replace(settings, rule=rule), folder=folder / rule)
        for rule in (RULES if rule == "both" else (rule,))
    ]
    for config in configs:  # before any of them trains
        _look(config, args)
    records = [_train(config, args) for config in configs]
    print(report(records, data, folder))
    return 0


def _look(config: RunConfig, args: argparse.Namespace) -> None:
    """Say what was found in the folder of a run, or raise where it must not be replaced."""
    checkpoint, record = earlier_work(config, resume=args.resume, restart=args.restart)
    if record and not args.resume:
        tell(f"{config.folder} holds this very run, finished; --restart to train it again")
    if args.resume and not (checkpoint or record):
        tell(f"{config.folder} holds no run to resume; this one begins anew")


def _train(config: RunConfig, args: argparse.Namespace) -> dict[str, Any]:
    """Train in the folder and return the record; if it is stopped, say how to go on."""
    label = f"{config.dataset}, {config.settings.rule}"
    try:
        show = partial(watch, settings=config.settings, label=label)
        with saying_how_to_go_on(config.folder):
            return train_in_folder(config, show, resume=args.resume, restart=args.restart)
    except KeyboardInterrupt:
        kept = config.folder / CHECKPOINT
        tell(f"\n{kept} is kept: add --resume to go on" if kept.exists() else "\nnothing saved yet")
        raise


@contextmanager
def saying_how_to_go_on(folder: Path) -> Iterator[None]:
    """Say in an error of the system which folder it is about, and what to do."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        mend = "make room" if full else "make the folder writable"
        raise OSError(
            f"{folder} could not be written ({error}); what was saved before is whole: "
            f"{mend}, and add --resume to go on"
        ) from error


def watch(events: Iterable[Event], settings: Settings, label: str) -> Iterator[Epoch]:
    """Show the events as they pass, and yield the epochs."""
    loss = accuracy = 0.0
    columns, form = shutil.get_terminal_size().columns, "{desc} {percentage:3.0f}% |{bar}|"
    with tqdm(
        total=1.0, desc=label, disable=None, leave=False, bar_format=form, ncols=columns
    ) as bar:
        for event in events:
            if isinstance(event, Step):
                weight = 1 / min(1 / (1 - SMOOTH), event.step + (event.epoch - 1) * 1e3)
                loss += weight * (event.loss - loss)
                accuracy += weight * (event.accuracy - accuracy)
                if not bar.disable:
                    text = step_text(event, settings, loss, accuracy)
                    bar.set_description_str(f"{label}: {text}", refresh=False)
                bar.update(event.done - bar.n)
            elif isinstance(event, Advice):
                bar.write(f"  ! {event.message}", file=sys.stderr)
            else:
                if bar.disable and event.epoch % max(1, settings.epochs // LINES) == 0:
                    tell(f"{label}: {epoch_line(event, settings)}")
                yield event


def step_text(step: Step, settings: Settings, loss: float, accuracy: float) -> str:
    """Return the text before the bar: the epoch, what was smoothed, and the time left."""
    rates = " ".join(f"{rate:.2f}" for rate in step.rates)
    return (
        f"epoch {step.epoch}/{settings.epochs}  loss {loss:.3f}  accuracy {accuracy:5.1%}  "
        f"firing {rates}  {format_duration(step.left)} left"
    )


def epoch_line(epoch: Epoch, settings: Settings) -> str:
    """Return one line about an epoch."""
    rates = " ".join(f"{rate:.2f}" for rate in epoch.rates)
    return (
        f"epoch {epoch.epoch}/{settings.epochs}  loss {epoch.loss:.4f}  learned "
        f"{epoch.accuracy:.2%}  held out {epoch.test:.2%}  firing {rates}"
    )


def report(records: Sequence[dict[str, Any]], data: Dataset, folder: Path) -> str:
    """Return the results as text: one line for each rule."""
    first = records[0]
    images, encodings = first["accuracy"]["images"], len(first["accuracy"]["encodings"])
    settings = from_dict(first["settings"])
    sizes = settings.shape(data.shape, data.classes)
    lines = [
        f"{first['dataset']}: {sizes}, T = {first['settings']['T']}, seed "
        f"{first['settings']['seed']}. Accuracy on {images} held-out images ({first['held_out']}), "
        f"mean and standard deviation over {encodings} encodings:",
    ]
    for record in records:
        a, rule = record["accuracy"], record["settings"]["rule"]
        around, time = plus_minus(a["spread"], encodings), format_duration(record["seconds"])
        lines.append(f"  {rule:<14} {a['mean']:7.2%}{around}   {time:>8}   {folder / rule}/")
    return "\n".join(lines)
