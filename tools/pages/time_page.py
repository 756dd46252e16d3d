"""What the page "Where time decides" shows of its records: rules, with and without a gain limit."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from stbp_edu import plotting
from stbp_edu.plotting.palette import SERIES
from stbp_edu.training.measurements import mean_interval, share_interval
from tools.pages import Record, figure_html

LEARNS = 0.95
"""The accuracy above which a run of delayed XOR has learned."""
ARMS = (("exact", 0.0), ("exact", 1.0), ("classic", 0.0), ("classic", 1.0))
"""The rules and limits that have a rate of their own."""
SIDES = (
    (0.0, "without", SERIES[0], "-", "s"),
    (1.0, "with the limit", SERIES[1], "--", "o"),
)
"""Without a limit and with it: its value, name, colour, line and marker."""
NOTHING: Record = {"base": {}, "rows": []}


def names(records: Mapping[str, Record]) -> dict[str, object]:
    """Return the names in ``docs/time.md``; any record may be missing, and any of its runs."""
    found = {
        k.removeprefix("time-"): v for k, v in records.items() if k.startswith("time-")
    }
    both = found.get("tuned", NOTHING)
    if {"rates", "tuned"} <= found.keys():
        found["tuned"] = at_own_rates(both, found["rates"])
    written = records.get("predictions")
    return {**globals(), "records": found, "both_rates": both, "written": written}


def at_own_rates(record: Record, rates: Record) -> Record:
    """Return the rows whose rate served their rule and limit best in the record of rates."""
    rows = []
    for rule, limit in ARMS:
        arm = {"rule": rule, "gain_limit": limit}
        tried = [row for row in rows_of(rates, **arm) if row["runs"]]
        best = max(tried, key=lambda row: mean(accuracies(row["runs"])))["cell"]["lr"]
        rows += [
            {**row, "cell": arm, "lr": best} for row in rows_of(record, **arm, lr=best)
        ]
    return {**record, "rows": rows}


def at_best_rate(records: Mapping[str, Record], limit: float) -> str:
    """Return how many exact runs learn with a limit at the rate that is best without one."""
    tuned = records["time-tuned"]
    chosen = at_own_rates(tuned, records["time-rates"])
    (row,) = rows_of(chosen, rule="exact", gain_limit=0.0)
    runs = runs_of(tuned, rule="exact", lr=row["lr"], gain_limit=limit)
    return f"{learned(runs)} of {len(runs)}"


def rows_of(record: Record, **cell: Any) -> list[Record]:
    """Return the rows whose cell, or the settings of all rows, have these values."""
    return [
        row
        for row in record["rows"]
        if cell.items() <= {**record["base"], **row["cell"]}.items()
    ]


def runs_of(record: Record, **cell: Any) -> list[Record]:
    """Return the runs of these rows."""
    return [run for row in rows_of(record, **cell) for run in row["runs"]]


def accuracies(runs: Sequence[Record]) -> list[float]:
    """Return the accuracy of each run in percent."""
    return [100 * float(run["accuracy"]) for run in runs]


def mean(values: Sequence[float]) -> float:
    """Return the mean, without a negative zero."""
    return float(np.mean(values)) + 0.0


def learned(runs: Sequence[Record]) -> int:
    """Return how many runs are above LEARNS."""
    return sum(run["accuracy"] > LEARNS for run in runs)


def failed(runs: Sequence[Record]) -> list[Record]:
    """Return the runs that do not learn."""
    return [run for run in runs if run["accuracy"] <= LEARNS]


def once(runs: Sequence[Record]) -> int:
    """Return how many runs are above LEARNS after some epoch."""
    return sum(max(run["curve"]) > LEARNS for run in runs)


def rising(runs: Sequence[Record]) -> int:
    """Return how many runs gain more than a point over their last three epochs."""
    return sum(run["curve"][-1] - run["curve"][-4:][0] > 0.01 for run in runs)


def share(runs: Sequence[Record]) -> str:
    """Return how many runs learned, of how many, with Wilson's interval in percent.

    Runs that share a seed are not independent, and have no interval.
    """
    if not runs:
        return "–"
    text = f"{learned(runs)}\xa0of\xa0{len(runs)}"
    if not independent(runs):
        return text
    low, high = share_interval(learned(runs), len(runs))
    return f"{text} ({100 * low:.0f}\xa0to\xa0{100 * high:.0f}\xa0%)"


def independent(runs: Sequence[Record]) -> bool:
    """Return whether no two runs share a seed."""
    return len({run["seed"] for run in runs}) == len(runs)


def between(values: Sequence[float]) -> str:
    """Return a mean difference with the ends of its interval."""
    if len(values) < 2:
        return "–"
    low, high = mean_interval(values)
    text = f"{mean(values):+.1f} ({low:+.1f} to {high:+.1f})".replace("-", "−")
    return text.replace(" ", "\xa0").replace("\xa0(", " (")


def differences(*cells: tuple[Sequence[Record], Sequence[Record]]) -> list[float]:
    """Return how much more accurate runs are with the limit, in points: for each seed a mean.

    Args:
        cells: the runs without a limit and those with it, alike in all else.
    """
    found: dict[int, list[float]] = {}
    for without, limited in cells:
        first = {run["seed"]: run["accuracy"] for run in without}
        for run in (run for run in limited if run["seed"] in first):
            more = 100 * (run["accuracy"] - first[run["seed"]])
            found.setdefault(run["seed"], []).append(more)
    return [mean(values) for values in found.values()]


def pairs(
    record: Record,
) -> Iterator[tuple[dict[str, Any], list[Record], list[Record]]]:
    """Yield each cell but for the limit, its runs without a limit, and those with it."""
    for row in record["rows"]:
        cell = {k: v for k, v in row["cell"].items() if k != "gain_limit"}
        limit = row["cell"].get("gain_limit", record["base"].get("gain_limit", 0.0))
        if limit == 0.0:
            others = [
                r
                for r in rows_of(record, **cell)
                if r["cell"].get("gain_limit", 0.0) > 0
            ]
            yield cell, row["runs"], [run for r in others for run in r["runs"]]


def judged(records: Mapping[str, Record], written: Record) -> list[dict[str, Any]]:
    """Return what was measured for each prediction, and whether it holds; None without runs."""
    rows = [
        (p, *outcome(records.get(p["plan"], NOTHING), p))
        for p in written["predictions"]
    ]
    return [
        dict(zip(("said", "found", "held", "by_point"), row, strict=True))
        for row in rows
    ]


def outcome(record: Record, said: Mapping[str, Any]) -> tuple[str, bool | None, bool]:
    """Return what was measured, whether a prediction holds, and whether by its point alone.

    A share is judged by its point: its interval may go beyond the claim. A difference is judged by
    its whole interval.
    """
    if said["what"] == "learns":
        runs = runs_of(record, **said["where"])
        if not runs:
            return "–", None, False
        least, most = said.get("at_least", 0), said.get("at_most", 1)
        held = least <= learned(runs) / len(runs) <= most
        low, high = share_interval(learned(runs), len(runs))
        return (
            share(runs),
            held,
            held and independent(runs) and (low < least or high > most),
        )
    where = said["where"].items()
    cells = [
        x[1:] for x in pairs(record) if where <= {**record["base"], **x[0]}.items()
    ]
    found = differences(*cells)
    if len(found) < 2:
        return "–", None, False
    low, high = mean_interval(found)
    if "holds" in said:
        return between(found), low <= 100 * said["holds"] <= high, False
    return between(found), low > 100 * said["above"], False


def minus(record: Record, rule: str, other: str, **cell: Any) -> list[float]:
    """Return how much more accurate one rule is than another in a cell, seed by seed."""
    one, two = (
        accuracies(runs_of(record, rule=name, **cell)) for name in (rule, other)
    )
    return [x - y for x, y in zip(one, two, strict=True)]


def points(record: Record, cells: Sequence[Mapping[str, Any]]) -> str:
    """Return every run of some cells as a point, without and with the limit side by side."""
    fig, ax = plotting.figure(height=3.0)
    said = []
    for (k, cell), (limit, name, colour, _, marker) in product(enumerate(cells), SIDES):
        y = sorted(accuracies(runs_of(record, **cell, gain_limit=limit)))
        x = k + 0.36 * limit - 0.18 + np.linspace(-0.1, 0.1, len(y))
        ax.plot(x, y, marker, color=colour, markersize=3.5, label="" if k else name)
        said.append(f"{_name(cell)}, {name}: {_range(y)}")
    ax.set_xticks(
        range(len(cells)), [_name(cell).replace(", ", "\n") for cell in cells]
    )
    ax.set(ylabel="accuracy, %", ylim=(40, 103))
    fig.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=9)
    return figure_html(
        fig, f"The accuracy of every run, from and to: {'; '.join(said)}."
    )


def curves(record: Record, cells: Sequence[Mapping[str, Any]]) -> str:
    """Return the learning curve of every run of some cells, without and with the limit."""
    fig, axes = plotting.figure(1, len(cells), height=2.8)
    said = []
    for (ax, cell), (limit, name, colour, line, _) in product(
        zip(axes, cells, strict=True), SIDES
    ):
        found = [
            [100 * y for y in run["curve"]]
            for run in runs_of(record, **cell, gain_limit=limit)
        ]
        for n, curve in enumerate(found):
            look = {
                "color": colour,
                "linewidth": 0.9,
                "alpha": 0.8,
                "label": "" if n else name,
            }
            ax.plot(range(1, 1 + len(curve)), curve, line, **look)
        said.append(f"{_name(cell)}, {name}: {_range([curve[-1] for curve in found])}")
        ax.set(xlabel="epoch", xticks=(1, 4, 8, 12), ylim=(40, 103), title=_name(cell))
    axes[0].set(ylabel="accuracy, %")
    lines = axes[0].get_legend_handles_labels()
    fig.legend(*lines, loc="outside upper left", ncols=2, frameon=False, fontsize=9)
    return figure_html(
        fig, f"Learning curves of every run; their ends: {'; '.join(said)}."
    )


def _name(cell: Mapping[str, Any]) -> str:
    return f"{cell['rule']}, a = {cell['a']:g}"


def _range(values: Sequence[float]) -> str:
    """Return the least and the largest value."""
    return f"{min(values):.1f} to {max(values):.1f}" if values else "no run"
