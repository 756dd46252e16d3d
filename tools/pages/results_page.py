"""The results page: accuracies, made from the published records of training.

``python -m tools.pages.results_page`` prints it. Times are on the performance page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import accumulate
from pathlib import Path
from typing import Any

from stbp_edu import plotting
from stbp_edu.cli.progress_bar import format_duration
from stbp_edu.plotting.palette import DASHES, GRID, SERIES
from stbp_edu.training.settings import RECIPES, Settings, to_dict
from tools.pages.markdown_tables import folded, table
from tools.pages.published_records import Record, read_records
from tools.templates import filled

TEMPLATE = Path(__file__).with_name("templates") / "results.md"
NAMES = {"the paper": "usually quoted", "the earlier port": "the notes"}
DIFFERS = "differs from the recipe in"


def page(records: Mapping[str, Record]) -> str:
    """Return the page as Markdown: ``templates/results.md`` with its tables.

    Args:
        records: those of ``docs/results`` by name without ``.json``; any may be missing.
    """
    return filled(
        TEMPLATE, records=records, recipe=to_dict(RECIPES["mnist"]), figure=figure,
        ladder_table=ladder_table, comparison_table=comparison_table, recipe_table=recipe_table,
        ablations_table=ablations_table, provenance=provenance,
    )  # fmt: skip


def ladder_table(record: Record) -> str:
    """Return a row for each variant: accuracy, time, and when the known figures were passed."""
    goals = sorted(record["passed"].items(), key=lambda pair: pair[1])
    head = ["", DIFFERS, "accuracy, %", "each seed, %", "time of a run"]
    head += [f"past {_percent(goal)}\xa0% after" for _, goal in goals]
    rows = []
    for row, changes in zip(record["rows"], _differences(record), strict=True):
        line = [row["name"], _changes(changes), *_accuracy(row), format_duration(row["seconds"])]
        rows.append(line + [_passed(row["passed_after"][name]) for name, _ in goals])
    return table(head, rows)


def recipe_table(record: Record) -> str:
    """Return the settings that every row starts from, folded."""
    settings = to_dict(RECIPES[record["dataset"]])
    rows = [[f"`{f.name}`", _plain(settings[f.name]), f.metadata["help"]] for f in fields(Settings)]
    return folded("The recipe", table(("setting", "value", "what it is"), rows))


def comparison_table(record: Record) -> str:
    """Return a row for each variant: accuracy and time."""
    accuracy = [f"accuracy on {record['held_out']} images, %"]
    if several := any(len(row["runs"]) > 1 for row in record["rows"]):
        accuracy.append("each seed, %")
    rows = []
    for row, changes in zip(record["rows"], _differences(record), strict=True):
        known = _accuracy(row)[: 1 + several]
        rows.append([row["name"], _changes(changes), *known, format_duration(row["seconds"])])
    return table(["", DIFFERS, *accuracy, "time of a run"], rows)


def provenance(record: Record) -> str:
    """Return a sentence on how a record was made: command, machine, versions and load."""
    runs = [run for row in record["rows"] for run in row["runs"]]
    machines = sorted({f"{r['machine']['processor']}, {r['machine']['cores']} cores" for r in runs})
    numpys = sorted({f"NumPy {r['versions']['numpy']}, {r['versions']['blas']}" for r in runs})
    loads = [run["load_before"] for run in runs]
    ends = (min(loads), max(loads))
    together = "The seeds were trained side by side. " if record.get("together") else ""
    return (
        f"Made by `{record['command']}` on {'; '.join(machines)}; {'; '.join(numpys)}. {together}"
        f"Load of the machine before a run: {' to '.join(map(str, dict.fromkeys(ends)))}.\n"
    )


def ablations_table(record: Record) -> str:
    """Return the settings that notebooks 14 and 15 discuss, folded."""
    rows = [
        [r["table"], _changes(r["shown"]), f"{r['lr']:g}", _percent(r["mean"], r["spread"])]
        for r in record["rows"]
    ]
    head = ("what is compared", "setting", "learning rate", "accuracy, %")
    return folded(f"All {len(rows)} settings", table(head, rows))


def figure(record: Record, hour: Record | None) -> str:
    """Return a chart of error on held-out images against training time, a line for each seed."""
    fig, ax = plotting.figure(height=3.4)
    rows = [*record["rows"], *(hour["rows"][:1] if hour else [])]
    for k, row in enumerate(rows):
        for j, run in enumerate(row["runs"]):
            minutes, errors = _curve(run["curves"])
            ax.plot(minutes, errors, color=SERIES[k], linestyle=DASHES[k], linewidth=1.2,
                    label="" if j else row["name"])  # fmt: skip
    for name, goal in record["passed"].items():
        error, words = 100 * (1 - goal), f"{NAMES[name]}: {_percent(goal)}\xa0%"
        ax.axhline(error, color=GRID, linewidth=0.8)
        ax.annotate(words, (0, error), (4, 2), ha="left", fontsize=9,
                    xycoords=("axes fraction", "data"), textcoords="offset points")  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel="minutes of training", ylabel="error, %")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_yticks([1, 2, 4, 8], labels=["1", "2", "4", "8"], minor=False)
    ax.set_yticks([], minor=True)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    ends = "; ".join(f"{r['name']}: {_accuracy(r)[0]}\xa0%" for r in rows)
    alt = f"Error on held-out images against minutes of training. Accuracy at the end: {ends}."
    return f'<div class="stbp-figure">{plotting.show(fig, alt=alt).svg}</div>\n'


def _curve(curves: Sequence[Record]) -> tuple[list[float], list[float]]:
    """Return minutes of training and the error in percent after each epoch."""
    minutes = list(accumulate(point["seconds"] / 60 for point in curves))
    return minutes, [100 * (1 - point["held_out"]) for point in curves]


def _accuracy(row: Record) -> list[str]:
    """Return the mean with its spread, and each seed."""
    a = row["accuracy"]
    return [_percent(a["mean"], a["spread"]), ", ".join(f"{100 * x:.2f}" for x in a["seeds"])]


def _percent(mean: float, spread: float | None = None) -> str:
    """Return an accuracy in percent, joined by spaces that do not break."""
    return f"{100 * mean:.2f}" + ("" if spread is None else f"\xa0±\xa0{100 * spread:.2f}")


def _passed(after: Sequence[float | None]) -> str:
    """Return when the seeds passed a goal: the last of them, or how many did."""
    times = [s for s in after if s is not None]
    if len(times) == len(after):
        return format_duration(max(times))
    return f"{len(times)} of {len(after)} seeds" if times else "not passed"


def _changes(changes: Record) -> str:
    """Return settings as a list of `name` value."""
    return ", ".join(f"`{k}`\xa0{_plain(v)}" for k, v in changes.items()) or "nothing"


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "-".join(map(str, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _differences(record: Record) -> list[dict[str, Any]]:
    """Return the settings of each row that differ from the recipe."""
    recipe = to_dict(RECIPES[record["dataset"]])
    return [{k: v for k, v in r["changes"].items() if v != recipe[k]} for r in record["rows"]]


if __name__ == "__main__":
    print(page(read_records()))
