"""What the results page shows of the published records of training, beside their numbers."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from stbp_edu.cli.main import format_duration
from stbp_edu.training import RECIPES, Settings, to_dict
from stbp_edu.training.measurements import half_width
from stbp_edu.training.settings import ENDED
from tools.pages import records as reader
from tools.pages.records import Record, differences, processor

# Records of other pages.
ELSEWHERE = ("speed", "framework", "time", "two-processes", "predictions", "sign")
UNKNOWN = "not recorded"
MANY = 100  # steps of the longer answers
BUSY = 1.5  # load for each core, from which on a time says little


def names(records: Mapping[str, Record]) -> dict[str, object]:
    """Return the names in ``docs/results.md``."""
    trained = {k: v for k, v in records.items() if not k.startswith(ELSEWHERE)}
    return {
        **vars(reader),
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
                found[-1]["many"] = row
            else:
                runs = row["runs"]
                load = max(run["load_before"] / run["machine"]["cores"] for run in runs)
                time = "–" if load > BUSY else format_duration(row["seconds"])
                epochs = runs[0]["settings"].get("epochs", "")
                found.append({**row, "record": name, "epochs": epochs, "time": time})
    return found


def plain(value: Any) -> str:
    """Return the value of a setting as text."""
    if isinstance(value, (list, tuple)):
        return "-".join(map(str, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def changed(changes: Record) -> str:
    """Return settings as a list of `name` value."""
    return ", ".join(f"`{k}`\xa0{plain(v)}" for k, v in changes.items()) or "nothing"


def unlike_recipe(record: Record) -> list[dict[str, Any]]:
    """Return the settings of each row that differ from the recipe."""
    recipe = {**ENDED, **to_dict(RECIPES.get(record["dataset"], Settings()))}
    own = (
        r["changes"].items() for r in record["rows"]
    )  # some name settings that are gone
    return [{k: v for k, v in changes if v != recipe.get(k, v)} for changes in own]


def shared(record: Record) -> dict[str, Any]:
    """Return the settings that all rows of a record change in the same way."""
    first, *others = unlike_recipe(record)
    return {k: v for k, v in first.items() if all(o.get(k) == v for o in others)}


def beyond_chance(row: Record, other: Record) -> bool:
    """Return whether the 95 % interval of a mean difference leaves out 0."""
    gaps = differences(row, other)
    return abs(sum(gaps) / len(gaps)) > half_width(gaps)


def runs_of(record: Record) -> list[Record]:
    """Return the runs of a record that holds each of them."""
    rows = record.get("rows", ())
    return [
        run for row in rows for run in row.get("runs", ()) if isinstance(run, Mapping)
    ]


def load_before(record: Record) -> str:
    """Return the lowest and the highest load of the machine before a run."""
    runs = runs_of(record)
    loads = [run["load_before"] for run in runs if "load_before" in run] or ["–"]
    return " to ".join(map(str, dict.fromkeys((min(loads), max(loads)))))


def origin(record: Record) -> list[str]:
    """Return commit, date, processor, kernels of the BLAS, NumPy and Numba of a record.

    They are in the record, or in each of its runs. Predictions were made on no machine.
    """
    made = [one for one in (record, *runs_of(record)) if "machine" in one]
    found = [
        {processor(one) for one in made},
        {one["machine"].get("kernels") for one in made},
        {one["versions"].get("numpy") for one in made},
        {one["versions"].get("numba") for one in made},
    ]
    unknown = "–" if "predictions" in record else UNKNOWN
    said = ["; ".join(sorted(filter(None, names))) or unknown for names in found]
    return [*(record.get(key, UNKNOWN) for key in ("commit", "date")), *said]
