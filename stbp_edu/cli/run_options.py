"""Which runs the options of ``train`` ask for: data set, settings, rules and folders."""

import argparse
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from stbp_edu.case_rules import CASE_RULES
from stbp_edu.training import runs
from stbp_edu.training.data import CATALOGUE, load_dataset
from stbp_edu.training.own import text_of
from stbp_edu.training.saved_settings import from_dict
from stbp_edu.training.settings import Settings

ENCODINGS = 5
"""Encodings of the held-out images for the final evaluation, if none are given."""
OWN = ("csv", "npz")
"""The data sets of the catalogue that are a user's own."""
TEXTS = ("neuron", "readout")
"""The settings that are forward lines, or a file with them."""


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the command line gives, by name."""
    values = {field.name: getattr(args, field.name) for field in fields(Settings)}
    return {name: value for name, value in values.items() if value is not None}


def chosen_data(args: argparse.Namespace) -> tuple[str, Path | None]:
    """Return the name of the data set, and the file or folder to read it from, if one is given."""
    own = {"csv": args.csv, "npz": args.npz}
    named = [(name, file) for name, file in own.items() if file is not None]
    if not named:
        if args.dataset is None:
            raise ValueError(
                "train needs a data set, such as digits, your own with --csv FILE or --npz FILE, "
                "or a run with --resume FOLDER; see stbp-edu train --help"
            )
        return args.dataset, args.data
    if args.dataset is not None or args.data is not None:
        raise ValueError(
            f"--{named[0][0]} names the data, got {args.dataset or args.data} as well; leave "
            "one of them out"
        )
    return named[0]


def chosen_settings(args: argparse.Namespace) -> Settings:
    """Return the recipe of the data set, with the settings that were given instead."""
    dataset, _ = chosen_data(args)
    given = given_settings(args)
    given.pop("rule", None)
    for name in TEXTS:
        if name in given:
            given[name] = text_of(name, given[name])
    settings = replace(CATALOGUE[dataset].recipe, **given)
    check_constants(settings, given)
    return settings


def check_constants(settings: Settings, given: Mapping[str, Any]) -> None:
    """Raise ValueError where a constant was given that no neuron of the run reads."""
    read = [neuron.lines.constants for neuron in settings.make_neurons()]
    for name in ("tau", "v_th", "gate"):
        if name not in given or (name == "gate" and not settings.neuron):
            continue
        if not any(constants.get(name) == given[name] for constants in read):
            raise ValueError(
                f"{name} must be left out, since no line of the neuron reads it; write it into "
                "the lines, or give it no value there"
            )


def planned(args: argparse.Namespace) -> list[runs.RunConfig]:
    """Return the runs that were asked for, one for each rule."""
    if isinstance(args.resume, Path):
        return saved_runs(args)
    dataset, source = chosen_data(args)
    settings = chosen_settings(args)
    held_out = args.held_out or "test"
    encodings = ENCODINGS if args.encodings is None else args.encodings
    data = load_dataset(dataset, source, held_out)
    name = dataset if source is None or dataset not in OWN else source.stem
    out = args.out or Path("runs") / name
    rule = args.rule or ("both" if dataset == "digits" else settings.rule)
    configs = []
    for one in CASE_RULES if rule == "both" else (rule,):
        folder = out / one.replace(":", "-")  # Windows allows no colon in a name
        chosen = replace(settings, rule=one)
        configs.append(
            runs.RunConfig(dataset, chosen, data, folder, held_out, encodings, source)
        )
    return configs


def saved_runs(args: argparse.Namespace) -> list[runs.RunConfig]:
    """Return the run in the folder of ``--resume``, or those in the folders below it.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if other options are given, or a checkpoint does not name its data set.
    """
    folder = args.resume
    options = given_settings(args)
    for name in ("dataset", "csv", "npz", "out", "held_out", "encodings"):
        if getattr(args, name) is not None:
            options[name] = getattr(args, name)
    if options:
        raise ValueError(
            f"--resume {folder} takes all options from the run's files, got "
            f"{', '.join(options)}; leave them out, or give --resume without a folder"
        )
    folders = (
        [folder] if holds_run(folder) else sorted(filter(holds_run, folder.glob("*")))
    )
    if not folders:
        raise FileNotFoundError(
            f"{folder} must hold a run, with {runs.CHECKPOINT} or {runs.RECORD}, and does not; "
            "check the path"
        )
    return [saved_config(place, args.data) for place in folders]


def holds_run(folder: Path) -> bool:
    """Return whether a folder has the files of a run, finished or not."""
    return (folder / runs.CHECKPOINT).exists() or (folder / runs.RECORD).exists()


def saved_config(folder: Path, source: Path | None) -> runs.RunConfig:
    """Return the run in a folder as its files describe it; ``source`` is where its data is now."""
    checkpoint = folder / runs.CHECKPOINT
    if checkpoint.exists():
        saved = runs.load_checkpoint(checkpoint)
        settings, request = saved.settings, saved.request
    else:
        request = runs.read_record(folder)
        settings = from_dict(request["settings"])
        request["encodings"] = len(request["accuracy"]["encodings"])
    if "dataset" not in request:
        raise ValueError(
            f"{checkpoint} does not name its data set; give the same command as before, with "
            "--resume and without a folder"
        )
    if source is None and request.get("source"):
        source = Path(request["source"])
    dataset, held_out = request["dataset"], request["held_out"]
    data = load_dataset(dataset, source, held_out)
    encodings = request["encodings"]
    return runs.RunConfig(dataset, settings, data, folder, held_out, encodings, source)
