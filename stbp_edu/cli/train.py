"""The command that trains: its options, what it shows meanwhile, and its report."""

import argparse
import errno
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm
from tqdm.std import EMA

from stbp_edu.cli.main import format_duration, tell
from stbp_edu.rules import CASE_RULES
from stbp_edu.training import runs
from stbp_edu.training.data import CATALOGUE, load_dataset
from stbp_edu.training.data.datasets import HELD_OUT
from stbp_edu.training.evaluation import Advice, plus_minus
from stbp_edu.training.model import PassesOf, passes
from stbp_edu.training.settings import TRAINED, Settings, text_of
from stbp_edu.training.trainer import Epoch, Event, Step

LINES = 10  # about this many lines where there is no progress bar
SMOOTHING = 0.05  # weight of the newest step in the means that are shown


def train_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``train``: where to read and write, and one option for each setting."""
    add = parser.add_argument
    listed = "; ".join(f"{name}: {entry.words}" for name, entry in CATALOGUE.items())
    add("dataset", choices=CATALOGUE, metavar="DATASET", help=listed)
    add("--out", type=Path, help="folder for the results (runs/DATASET)")
    add("--data", type=Path, help="folder with the files of the data set")
    add("--held-out", choices=HELD_OUT, default="test",
        help="images to judge on; validation: some of the training images, to choose settings",
    )  # fmt: skip
    add(
        "--encodings",
        type=int,
        default=5,
        help="encodings for the final evaluation (5)",
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint"
    )
    again.add_argument(
        "--restart", action="store_true", help="begin anew, whatever is there"
    )
    group = parser.add_argument_group("settings")
    for f in fields(Settings):
        flag, text = f"--{f.name.replace('_', '-')}", f.metadata["help"]
        kind: Any = type(f.default)
        shown = "LINES" if f.name in ("neuron", "readout") else "X"
        if kind is tuple:
            kind, shown = _parts, "X[,X]"
        if f.name == "rule":
            text += (
                f": {', '.join(TRAINED)}, truncated-K, or your own as module:name; "
                "both (the digits') for the first two"
            )
        group.add_argument(flag, type=kind, metavar=shown, help=text)


def _parts(text: str) -> tuple[str, ...]:
    """Return the parts of a list such as ``"tau,v_th"`` or ``"15C5,P2,300"``."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def chosen_settings(args: argparse.Namespace) -> Settings:
    """Return the recipe of the data set, with the settings that were given instead."""
    named = {
        f.name: getattr(args, f.name) for f in fields(Settings) if f.name != "rule"
    }
    given = {k: v for k, v in named.items() if v is not None}
    for name in {"neuron", "readout"} & {*given}:
        given[name] = text_of(name, given[name])
    settings = replace(CATALOGUE[args.dataset].recipe, **given)
    constants = [neuron.lines.constants for neuron in settings.make_neurons()]
    for name in ("tau", "v_th", "gate"):
        read = given.get(name) in [of.get(name) for of in constants]
        if name in given and not (read or (name == "gate" and not settings.neuron)):
            raise ValueError(
                f"{name} must be left out, since no line of the neuron reads it; write it into "
                "the lines, or give it no value there"
            )
    return settings


def planned(args: argparse.Namespace) -> list[runs.RunConfig]:
    """Return the runs that were asked for, one for each rule."""
    settings = chosen_settings(args)
    data = load_dataset(args.dataset, args.data, tell, args.held_out)
    rule = args.rule or ("both" if args.dataset == "digits" else settings.rule)
    folder = args.out or Path("runs") / args.dataset
    config = runs.RunConfig(
        args.dataset, settings, data, folder, args.held_out, args.encodings
    )
    return [
        replace(
            config,
            settings=replace(settings, rule=rule),
            folder=folder / rule.replace(":", "-"),  # which Windows allows in no name
        )
        for rule in (CASE_RULES if rule == "both" else (rule,))
    ]


def train(args: argparse.Namespace, passes: PassesOf = passes) -> int:
    r"""Train a spiking network, and save its parameters and a record of the run.

    Options that are not given come from the recipe of the data set. A neuron of your own is a
    text of forward lines and constants, or a file with them:

        stbp-edu train digits --hidden 64R --rule e-prop --loss membrane --read 5 \
            --neuron "i = 0.5 * i + x; u = tau * u + i - v_th * o; o = spike(u - v_th)"
    """
    configs, how = planned(args), {"resume": args.resume, "restart": args.restart}
    for config in configs:  # before any of them trains
        checkpoint, record = runs.earlier_work(config, **how)
        if record and not args.resume:
            tell(
                f"{config.folder} holds this very run, finished; --restart to train it again"
            )
        if args.resume and not (checkpoint or record):
            tell(f"{config.folder} holds no run to resume; this one begins anew")
    for config in configs:
        label = f"{config.dataset}, {config.settings.rule}"
        with saying_how_to_go_on(config.folder):
            watch(
                runs.train_in_folder(config, passes=passes, **how),
                config.settings,
                label,
            )
    print(report(configs))
    return 0


@contextmanager
def saying_how_to_go_on(folder: Path) -> Iterator[None]:
    """Where the user or the system stops a run, say what is kept, and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        kept = folder / runs.CHECKPOINT
        tell(
            f"\n{kept} is kept: add --resume to go on"
            if kept.exists()
            else "\nnothing saved yet"
        )
        raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        mend = "make room" if full else "make the folder writable"
        raise OSError(
            f"{folder} could not be written ({error}); what was saved before is whole: "
            f"{mend}, and add --resume to go on"
        ) from error


def watch(events: Iterable[Event], settings: Settings, label: str) -> None:
    """Show the events as they come."""
    loss, accuracy = EMA(SMOOTHING), EMA(SMOOTHING)
    form = "{desc} {percentage:3.0f}% |{bar}| {remaining} left"
    shown: dict[str, Any] = {
        "bar_format": form,
        "ncols": shutil.get_terminal_size().columns,
    }
    with tqdm(total=1.0, desc=label, disable=None, leave=False, **shown) as bar:
        for event in events:
            if isinstance(event, Step):
                if not bar.disable:
                    means = f"loss {loss(event.loss):.3f}  accuracy {accuracy(event.accuracy):5.1%}"
                    text = f"{label}: epoch {event.epoch}/{settings.epochs}  {means}"
                    bar.set_description_str(f"{text}  {firing(event)}", refresh=False)
                bar.update(event.done - bar.n)
            elif isinstance(event, Advice):
                bar.write(f"  ! {event.message}", file=sys.stderr)
            elif bar.disable and event.epoch % max(1, settings.epochs // LINES) == 0:
                tell(
                    f"{label}: epoch {event.epoch}/{settings.epochs}  loss {event.loss:.4f}  "
                    f"learned {event.accuracy:.2%}  held out {event.test:.2%}  {firing(event)}"
                )


def firing(event: Step | Epoch) -> str:
    """Return the firing rates of the layers as text."""
    return "firing " + " ".join(f"{rate:.2f}" for rate in event.rates)


def report(configs: Sequence[runs.RunConfig]) -> str:
    """Return the results of finished runs as text: one line for each rule."""
    first, data, s = configs[0], configs[0].data, configs[0].settings
    lines = [
        f"{first.dataset}: {s.shape(data.shape, data.classes)}, T = {s.T}, seed {s.seed}. "
        f"Accuracy on {len(data.test_labels)} held-out images ({first.held_out}), "
        f"mean and standard deviation over {first.encodings} encodings:"
    ]
    for config in configs:
        record = runs.read_record(config.folder)
        accuracy, time = record["accuracy"], format_duration(record["seconds"])
        around = plus_minus(accuracy["spread"], first.encodings)
        mean, rule = accuracy["mean"], config.settings.rule
        lines.append(f"  {rule:<14} {mean:7.2%}{around}   {time:>8}   {config.folder}/")
    return "\n".join(lines)
