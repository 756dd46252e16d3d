"""What the results page shows of the published records of training: accuracies and a figure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from statistics import mean
from typing import Any

import numpy as np

from stbp_edu import plotting
from stbp_edu.cli.main import format_duration
from stbp_edu.plotting.palette import GRID, INK, SERIES
from stbp_edu.training import RECIPES, Settings, to_dict
from stbp_edu.training.measurements import half_width
from stbp_edu.training.settings import ENDED
from tools.pages import Record, figure_html, processor

NAMES = {"the paper": "usually quoted", "the earlier port": "the notes"}
ELSEWHERE = (
    "speed",
    "framework",
    "time",
    "two-processes",
    "predictions",
    "sign",
)  # records of other pages
UNKNOWN = "not recorded"
MANY = 100  # steps of the longer answers
BUSY = 1.5  # load for each core, from which on a time says little


def names(records: Mapping[str, Record]) -> dict[str, object]:
    """Return the names in ``docs/results.md``; any record may be missing."""
    trained = {k: v for k, v in records.items() if not k.startswith(ELSEWHERE)}
    return {
        **globals(),
        "records": trained,
        "every_record": with_sources(records),
        "settings": fields(Settings),
    }


def with_sources(records: Mapping[str, Record]) -> dict[str, Record]:
    """Return every record by its name; of one that holds several, each source by its own."""
    found: dict[str, Record] = {}
    for name, record in records.items():
        sources = record.get("sources", [record])
        found |= {source.get("name", name): source for source in sources}
    return found


def networks(trained: Mapping[str, Record]) -> list[dict[str, Any]]:
    """Return for each trained network its record's name, its accuracies, and its time."""
    found: list[dict[str, Any]] = []
    for name, record in trained.items():
        for row in record["rows"]:
            if (
                row["changes"].get("T_test") == MANY
            ):  # the same network, as the row before
                found[-1]["many"] = row["accuracy"]
            else:
                epochs = row["runs"][0]["settings"].get("epochs", "")
                load = max(
                    run["load_before"] / run["machine"]["cores"] for run in row["runs"]
                )
                time = "–" if load > BUSY else format_duration(row["seconds"])
                found.append({**row, "record": name, "epochs": epochs, "time": time})
    return found


def percent(accuracy: Record) -> str:
    """Return a mean in percent ± its 95 % interval, if it has several seeds, by hard spaces."""
    middle, seeds = f"{100 * accuracy['mean']:.2f}", accuracy.get("seeds", ())
    return (
        f"{middle}\xa0±\xa0{100 * half_width(seeds):.2f}" if len(seeds) > 1 else middle
    )


def plain(value: Any) -> str:
    """Return the value of a setting as text."""
    if isinstance(value, (list, tuple)):
        return "-".join(map(str, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def changed(changes: Record) -> str:
    """Return settings as a list of `name` value."""
    return ", ".join(f"`{k}`\xa0{plain(v)}" for k, v in changes.items()) or "nothing"


def differences(record: Record) -> list[dict[str, Any]]:
    """Return the settings of each row that differ from the recipe."""
    recipe = {**ENDED, **to_dict(RECIPES.get(record["dataset"], Settings()))}
    own = (
        r["changes"].items() for r in record["rows"]
    )  # some name settings that are gone
    return [{k: v for k, v in changes if v != recipe.get(k, v)} for changes in own]


def shared(record: Record) -> dict[str, Any]:
    """Return the settings that all rows of a record change in the same way."""
    first, *others = differences(record)
    return {k: v for k, v in first.items() if all(o.get(k) == v for o in others)}


def gaps(record: Record, row: Record, against: str) -> list[float]:
    """Return how far a row is above another one, for each seed, in percent."""
    other = next(r for r in record["rows"] if r["name"] == against)
    pairs = zip(row["accuracy"]["seeds"], other["accuracy"]["seeds"], strict=True)
    return [100 * (a - b) for a, b in pairs]


def signed(gap: float) -> str:
    """Return a difference in percent with its sign."""
    return f"{round(gap, 2) + 0.0:+.2f}".replace("-", "−")  # + 0.0 makes of −0.0 a 0.0


def beyond_chance(found: Sequence[float]) -> bool:
    """Return whether the 95 % interval of a mean difference leaves out 0."""
    return abs(mean(found)) > half_width(found)


def mean_gap(found: Sequence[float]) -> str:
    """Return the mean of differences ± its 95 % interval."""
    return f"{signed(mean(found))}\xa0±\xa0{half_width(found):.2f}"


def repeated(records: Mapping[str, Record]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield two accuracies and their processors of one run made on both, and the images it saw."""
    seen: dict[tuple[str, str, str], tuple[str, str]] = {}
    others = {**to_dict(Settings()), **ENDED}  # that a record may not name
    for record in records.values():
        for run in runs_of(record):
            here, accuracy = processor(run), percent({"mean": run["accuracy"]["mean"]})
            settings = json.dumps(others | run["settings"], sort_keys=True)
            key = (record["dataset"], record["held_out"], settings)
            there, before = seen.setdefault(key, (here, accuracy))
            if there != here:
                yield before, there, accuracy, here, record["held_out"]


def runs_of(record: Record) -> list[Record]:
    """Return the runs of a record that holds each of them."""
    return [run for row in record["rows"] for run in row.get("runs", ())]


def load_before(record: Record) -> str:
    """Return the lowest and the highest load of the machine before a run."""
    runs = runs_of(record)
    loads = [run["load_before"] for run in runs if "load_before" in run] or ["–"]
    return " to ".join(map(str, dict.fromkeys((min(loads), max(loads)))))


def origin(record: Record) -> list[str]:
    """Return commit, date, processor, kernels of the BLAS, NumPy and Numba of a record.

    They are in the record, or in each of its runs. Predictions were made on no machine.
    """
    if "predictions" in record:
        return [*(record.get(key, UNKNOWN) for key in ("commit", "date")), *["–"] * 4]
    whole = [record] if "machine" in record else runs_of(record)
    made = [one for one in whole if isinstance(one, Mapping) and "machine" in one]
    found = [
        {processor(one) for one in made},
        {one["machine"].get("kernels") for one in made},
        {one["versions"].get("numpy") for one in made},
        {one["versions"].get("numba") for one in made},
    ]
    said = ["; ".join(sorted(filter(None, names))) or UNKNOWN for names in found]
    return [*(record.get(key, UNKNOWN) for key in ("commit", "date")), *said]


def figure(rows: Sequence[Record], passed: Mapping[str, float], alt: str) -> str:
    """Return the accuracy of each row as a dot with its 95 % interval, and what is compared."""
    fig, ax = plotting.figure(height=1.1 + 0.32 * len(rows))
    for k, row in enumerate(reversed(rows)):
        found = {name: 100 * np.array(value) for name, value in row["accuracy"].items()}
        ax.plot(
            found["seeds"],
            np.full(len(found["seeds"]), k),
            "|",
            color=GRID,
            markersize=9,
        )
        around = half_width(found["seeds"])
        ax.errorbar(found["mean"], k, xerr=around, fmt="o", color=INK, capsize=3)
    for name, goal in passed.items():
        ax.axvline(100 * goal, color=SERIES[1], linestyle="--", linewidth=1)
        words = f"{NAMES[name]}\n{percent({'mean': goal})}\xa0%"
        ax.text(100 * goal, len(rows) - 0.45, words, ha="center", va="bottom", size=9)
    ax.set(ylim=(-0.6, len(rows) - 0.4), xlabel="accuracy on the test images, %")
    ax.set_yticks(
        range(len(rows)), [row["name"].replace(", ", ",\n") for row in reversed(rows)]
    )
    return figure_html(fig, alt)
