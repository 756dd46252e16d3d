"""The results page: accuracies, made from the published records of training.

``python -m tools.pages.results_page`` prints it. Times are on the performance page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import accumulate
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from stbp_edu import plotting
from stbp_edu.cli.progress_bar import format_duration
from stbp_edu.plotting.palette import DASHES, GRID, SERIES
from stbp_edu.training.settings import RECIPES, Settings, from_dict, to_dict
from tools.pages.markdown_tables import folded, table
from tools.pages.published_records import Record, read_records
from tools.templates import filled

TEMPLATE = Path(__file__).with_name("templates") / "results.md"
NAMES = {"the paper": "usually quoted", "the earlier port": "the notes"}
DIFFERS = "differs from the recipe in"
TRAINED = {
    "mnist-ladder": "shifted by a pixel",
    "mnist-hour": "shifted, and adversarial",
    "mnist-plain": "as they are",
    "mnist-adversarial": "as they are, and adversarial",
}
"""The records of trained networks, and what their training images are like."""
SEEDED = (*TRAINED, "mnist-rules", "mnist-surrogates", "fashion", "mnist-conv", "mnist-saccades")
TUNED = ("mnist-tune", "mnist-tune-adversarial", "mnist-tune-fgsm")
ELSEWHERE = ("speed", "framework", "time", "two-processes")  # records of other pages
MANY = 100  # steps of the longer answers
BUSY = 1.5  # load for each core, from which on a time says little


def page(records: Mapping[str, Record]) -> str:
    """Return the page as Markdown: ``templates/results.md`` with its tables.

    Args:
        records: those of ``docs/results`` by name without ``.json``; any may be missing.
    """
    trained = {k: v for k, v in records.items() if not k.startswith(ELSEWHERE)}
    return filled(
        TEMPLATE, records=trained, recipe=to_dict(RECIPES["mnist"]), figure=figure, best=best,
        summary_table=summary_table, comparison_table=comparison_table, recipe_table=recipe_table,
        paired_table=paired_table, one_sided=one_sided, shared_changes=shared_changes,
        ablations_table=ablations_table, repeated=repeated, provenance=provenance, folded=folded,
        SEEDED=SEEDED, TUNED=TUNED,
    )  # fmt: skip


def summary_table(records: Mapping[str, Record]) -> str:
    """Return a row for each trained network: accuracy with both numbers of steps, and time."""
    rows, answers = [], RECIPES["mnist"].T_test
    for name, images in TRAINED.items():
        for row in records.get(name, {"rows": ()})["rows"]:
            accuracy = _accuracy(row)[0]
            if row["changes"].get("T_test") == MANY:  # the same network, as the row before
                rows[-1][4] = accuracy
            else:
                epochs = row["runs"][0]["settings"].get("epochs", "")
                rows.append([row["name"], images, str(epochs), accuracy, "–", _time(row)])
    head = ["run", "training images", "epochs", f"accuracy, %, {answers}\xa0steps"]
    return table([*head, f"{MANY}\xa0steps", "time of a run"], rows)


def _time(row: Record) -> str:
    """Return what a run took, or a dash if other work kept the machine busy."""
    share = [run["load_before"] / run["machine"]["cores"] for run in row["runs"]]
    return "–" if max(share) > BUSY else format_duration(row["seconds"])


def best(record: Record) -> str:
    """Return the highest mean accuracy of a record, with its spread."""
    return _accuracy(max(record["rows"], key=lambda row: row["accuracy"]["mean"]))[0]


def recipe_table(record: Record) -> str:
    """Return the settings that every run starts from."""
    settings = to_dict(RECIPES[record["dataset"]])
    rows = [[f"`{f.name}`", _plain(settings[f.name]), f.metadata["help"]] for f in fields(Settings)]
    return table(("setting", "value", "what it is"), rows)


def comparison_table(record: Record) -> str:
    """Return a row for each variant: its settings and its accuracy."""
    accuracy = [f"accuracy on {record['held_out']} images, %"]
    if several := any(len(row["runs"]) > 1 for row in record["rows"]):
        accuracy.append("each seed, %")
    rows = []
    for row, changes in zip(record["rows"], _differences(record), strict=True):
        rows.append([row["name"], _changes(changes), *_accuracy(row)[: 1 + several]])
    return table(["", DIFFERS, *accuracy], rows)


def shared_changes(record: Record) -> str:
    """Return a sentence on the settings that all rows of a record change in the same way."""
    first, *others = _differences(record)
    shared = {k: v for k, v in first.items() if all(o.get(k) == v for o in others)}
    return f"Settings other than the recipe's: {_changes(shared)}."


def paired_table(record: Record, against: str | None) -> str:
    """Return a row for each variant, with its differences seed by seed from the row ``against``."""
    rows = []
    for row in record["rows"]:
        line = [row["name"], _accuracy(row)[0]]
        if against:
            gaps = _gaps(record, row, against)
            own = row["name"] == against
            line += ["", ""] if own else [", ".join(map(_signed, gaps)), _mean_gap(gaps)]
        rows.append(line)
    gap = [f"minus {against}, each seed", f"minus {against}"] if against else []
    return table(["", "accuracy, %", *gap], rows)


def one_sided(record: Record, against: str) -> str:
    """Return a sentence for each variant that differs in the same direction in all seeds."""
    said = []
    for row in record["rows"]:
        gaps = _gaps(record, row, against)
        if row["name"] != against and (min(gaps) > 0 or max(gaps) < 0):
            way = "above" if min(gaps) > 0 else "below"
            said.append(
                f"`{row['name']}` is {_mean_gap(gaps).lstrip('+−')} {way} `{against}`, in all "
                f"{len(gaps)} seeds."
            )
    return " ".join(said) or "No row is above or below in all seeds."


def _gaps(record: Record, row: Record, against: str) -> list[float]:
    """Return how far a row is above another one, for each seed, in percent."""
    other = next(r for r in record["rows"] if r["name"] == against)
    pairs = zip(row["accuracy"]["seeds"], other["accuracy"]["seeds"], strict=True)
    return [100 * (a - b) for a, b in pairs]


def _signed(gap: float) -> str:
    return f"{round(gap, 2) + 0.0:+.2f}".replace("-", "−")  # + 0.0 makes of −0.0 a 0.0


def _mean_gap(gaps: Sequence[float]) -> str:
    return f"{_signed(mean(gaps))}\xa0±\xa0{stdev(gaps):.2f}"


def repeated(records: Mapping[str, Record]) -> str:
    """Return a sentence on the runs that two records hold, made on two processors."""
    seen: dict[tuple[str, str, Settings], tuple[str, float]] = {}
    said = []
    for record in records.values():
        for run in (run for row in record["rows"] for run in row.get("runs", ())):
            processor, accuracy = _processor(run), run["accuracy"]["mean"]
            key = (record["dataset"], record["held_out"], from_dict(run["settings"]))
            other, before = seen.setdefault(key, (processor, accuracy))
            if other != processor:
                pair = (
                    f"{_percent(before)}\xa0% on {other}",
                    f"{_percent(accuracy)} on {processor}",
                )
                said.append(f"{' and '.join(pair)} ({record['held_out']} images)")
    return f"The same settings and seed gave {', and '.join(said)}." if said else ""


def provenance(records: Mapping[str, Record]) -> str:
    """Return a row for each record: command, machine, versions, and load before its runs."""
    rows = []
    for record in records.values():
        runs = [run for row in record["rows"] for run in row.get("runs", ())] or [record]
        machines = {f"{_processor(r)}, {r['machine']['cores']} cores" for r in runs}
        versions = {f"NumPy {r['versions']['numpy']}, {r['versions']['blas']}" for r in runs}
        loads = [run["load_before"] for run in runs if "load_before" in run]
        load = " to ".join(map(str, dict.fromkeys((min(loads), max(loads))))) if loads else "–"
        load += ", seeds side by side" if record.get("together") else ""
        words = ("; ".join(sorted(x)) for x in (machines, versions))
        rows.append([f"`{record['command']}`", *words, load])
    return table(("command", "machine", "versions", "load before a run"), rows)


def _processor(run: Record) -> str:
    return run["machine"]["processor"].replace("(R)", "").removesuffix(" Processor")


def ablations_table(record: Record) -> str:
    """Return the settings that ``digits`` and ``what_matters`` discuss."""
    rows = [
        [r["table"], _changes(r["shown"]), f"{r['lr']:g}", _accuracy(r)[0]] for r in record["rows"]
    ]
    head = ("what is compared", "setting", "learning rate", "accuracy, %")
    return table(head, rows)


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
        above = error > 2  # where no curve is
        ax.annotate(words, (0, error), (4, 2 if above else -3), fontsize=9,
                    va="baseline" if above else "top",
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
