"""Which runs the options of ``train`` ask for: data set, settings, rules and folders."""

import argparse
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from stbp_edu.case_rules import CASE_RULES
from stbp_edu.training import runs
from stbp_edu.training.data import CATALOGUE, load_dataset
from stbp_edu.training.own import text_of
from stbp_edu.training.settings import Settings, from_dict

ENCODINGS = 5
"""Encodings of the held-out images for the final evaluation, if none are given."""
TEXTS = ("neuron", "readout")
"""The settings that are forward lines, or a file with them."""


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the command line gives, by name."""
    values = {field.name: getattr(args, field.name) for field in fields(Settings)}
    return {name: value for name, value in values.items() if value is not None}


def chosen_data(args: argparse.Namespace) -> tuple[str, Path | None]:
    """Return the name of the data set, and the file or folder to read it from, if one is given."""
    own = "csv" if args.csv else "npz" if args.npz else ""
    if not own and args.dataset is None:
        raise ValueError(
            "train needs a data set, such as digits, your own with --csv FILE or --npz FILE, "
            "or a run with --resume FOLDER; see stbp-edu train --help"
        )
    if own and (args.dataset or args.data):
        raise ValueError(
            f"--{own} names the data, got {args.dataset or args.data} as well; leave one of them "
            "out"
        )
    return own or args.dataset, args.csv or args.npz or args.data


def chosen_settings(args: argparse.Namespace) -> Settings:
    """Return the recipe of the data set, with the settings that were given instead."""
    dataset, _ = chosen_data(args)
    given = given_settings(args)
    given.pop("rule", None)
    for name in TEXTS:
        if name in given:
            given[name] = text_of(name, given[name])
    settings = replace(CATALOGUE[dataset].recipe, **given)
    read = [neuron.lines.constants for neuron in settings.make_neurons()]
    for name in ("tau", "v_th", "gate") if settings.neuron else ():
        if name in given and not any(one.get(name) == given[name] for one in read):
            raise ValueError(
                f"{name} must be left out, since no line of the neuron reads it; write it into "
                "the lines, or give it no value there"
            )
    return settings


def planned(args: argparse.Namespace) -> list[runs.RunConfig]:
    """Return the runs that were asked for, one for each rule."""
    if isinstance(args.resume, Path):
        return saved_runs(args)
    dataset, source = chosen_data(args)
    settings = chosen_settings(args)
    held_out = args.held_out or "test"
    encodings = ENCODINGS if args.encodings is None else args.encodings
    data = load_dataset(dataset, source, held_out)
    name = source.stem if source and dataset in ("csv", "npz") else dataset
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
        ValueError: if other options are given.
    """
    folder, options = args.resume, given_settings(args)
    for name in ("dataset", "csv", "npz", "out", "held_out", "encodings"):
        if getattr(args, name) is not None:
            options[name] = getattr(args, name)
    if options:
        raise ValueError(
            f"--resume {folder} takes all options from the run's files, got "
            f"{', '.join(options)}; leave them out, or give --resume without a folder"
        )
    found = [
        saved_config(place, args.data)
        for place in (folder, *sorted(folder.glob("*")))
        if (place / runs.CHECKPOINT).exists() or (place / runs.RECORD).exists()
    ]
    if not found:
        raise FileNotFoundError(
            f"{folder} must hold a run, with {runs.CHECKPOINT} or {runs.RECORD}, and does not; "
            "check the path"
        )
    return found


def saved_config(folder: Path, source: Path | None) -> runs.RunConfig:
    """Return the run in a folder as its files describe it; ``source`` is where its data is now."""
    checkpoint = folder / runs.CHECKPOINT
    if checkpoint.exists():
        saved = runs.load_checkpoint(checkpoint).values
    else:
        saved = runs.read_record(folder)
    settings, dataset, held_out = (
        saved[k] for k in ("settings", "dataset", "held_out")
    )
    if source is None and saved["source"]:
        source = Path(saved["source"])
    data = load_dataset(dataset, source, held_out)
    encodings = (
        len(saved["accuracy"]["encodings"])
        if "accuracy" in saved
        else saved["encodings"]
    )
    return runs.RunConfig(
        dataset, from_dict(settings), data, folder, held_out, encodings, source
    )
