"""What the page "Where time decides" shows of its records: rules, with and without a gain limit."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from stbp_edu import plotting
from stbp_edu.plotting.palette import DASHES, INK, SERIES
from stbp_edu.training.runs.measurements import mean_interval, share_interval
from tools.pages.records import Record, figure_html

LEARNS = 0.95
"""The accuracy above which a run of delayed XOR has learned."""
RULES = (
    *("exact", "classic", "detached-reset", "leak-only", "spatial-only"),
    *("ottt", "e-prop-reset"),
)
COLOURS = dict(zip(RULES, (*SERIES, INK), strict=True))
LINES = dict(zip(RULES, (*DASHES, "-"), strict=True))
PLANS = {
    "limit": "delayed XOR", "others": "delayed XOR", "online": "delayed XOR",
    "leak": "delayed XOR, τ = 0.8", "soft": "delayed XOR, soft reset",
    "rectangle": "delayed XOR, rectangle", "sigmoid": "delayed XOR, sigmoid",
    "gate": "delayed XOR, exponential gate", "deep": "delayed XOR, two hidden layers",
    "levels": "delayed XOR, other limits", "recurrent": "delayed XOR, recurrent",
    "rows": "digits by rows", "steady": "digits, steady input", "recipe": "digits, own recipe",
}  # fmt: skip
"""The plans in ``benchmarks/time``, and what each trains."""
Rows = dict[str, list[Record | None]]


def names(records: Mapping[str, Record]) -> dict[str, object]:
    """Return the names in ``docs/time.md``; any record may be missing, and any of its runs."""
    found = {k.removeprefix("time-"): v for k, v in records.items() if k.startswith("time-")}
    return dict(
        records=found, written=records.get("predictions"), PLANS=PLANS, LEARNS=LEARNS,
        width_figure=width_figure, by_width=by_width, pairs=pairs, share=share, between=between,
        accuracies=accuracies, differences=differences, points=points, curves=curves, mean=mean,
        outcome=outcome, runs_of=runs_of, learned=learned, rows_of=rows_of, in_words=in_words,
        counted=counted, unfinished=unfinished, fires=fires, beyond=beyond, claim=claim,
        minus=minus, unlearned=unlearned,
    )  # fmt: skip


def rows_of(record: Record, **cell: Any) -> list[Record]:
    """Return the rows whose cell, or the settings of all rows, have these values."""
    return [
        row for row in record["rows"] if cell.items() <= {**record["base"], **row["cell"]}.items()
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


def share(runs: Sequence[Record]) -> str:
    """Return how many runs learned, of how many, with Wilson's interval in percent."""
    if not runs:
        return "–"
    low, high = share_interval(learned(runs), len(runs))
    text = f"{learned(runs)} of {len(runs)} ({100 * low:.0f} to {100 * high:.0f} %)"
    return text.replace(" ", "\xa0").replace("\xa0(", " (")


def between(values: Sequence[float]) -> str:
    """Return a mean difference with the ends of its interval."""
    if len(values) < 2:
        return "–"
    low, high = mean_interval(values)
    text = f"{mean(values):+.1f} ({low:+.1f} to {high:+.1f})".replace("-", "−")
    return text.replace(" ", "\xa0").replace("\xa0(", " (")


def differences(without: Sequence[Record], limited: Sequence[Record]) -> list[float]:
    """Return how much more accurate a run is with the limit, seed by seed, in points."""
    first = {run["seed"]: run["accuracy"] for run in without}
    return [100 * (r["accuracy"] - first[r["seed"]]) for r in limited if r["seed"] in first]


def pairs(record: Record) -> Iterator[tuple[dict[str, Any], list[Record], list[Record]]]:
    """Yield each cell but for the limit, its runs without a limit, and those with it."""
    for row in record["rows"]:
        cell = {k: v for k, v in row["cell"].items() if k != "gain_limit"}
        limit = row["cell"].get("gain_limit", record["base"].get("gain_limit", 0.0))
        if limit == 0.0:
            others = [r for r in rows_of(record, **cell) if r["cell"].get("gain_limit", 0.0) > 0]
            yield cell, row["runs"], [run for r in others for run in r["runs"]]


def in_words(record: Record, cell: Mapping[str, Any]) -> str:
    """Return the width and the rate of a cell as text."""
    settings = {**record["base"], **cell}
    return f"a\xa0=\xa0{settings['a']:g}, rate\xa0{settings['lr']:g}"


def outcome(record: Record, prediction: Mapping[str, Any]) -> tuple[str, bool | None]:
    """Return what was measured for a prediction, and whether it holds; None without runs."""
    if prediction["what"] == "learns":
        runs = runs_of(record, **prediction["where"])
        k = learned(runs) / len(runs) if runs else 0.0
        held = prediction.get("at_least", 0) <= k <= prediction.get("at_most", 1)
        return share(runs), held if runs else None
    found = [
        d
        for cell, without, limited in pairs(record)
        if prediction["where"].items() <= {**record["base"], **cell}.items()
        for d in differences(without, limited)
    ]
    if len(found) < 2:
        return "–", None
    low, high = mean_interval(found)
    if "holds" in prediction:
        return between(found), low <= 100 * prediction["holds"] <= high
    return between(found), low > 100 * prediction["above"]


def counted(records: Mapping[str, Record], written: Record) -> tuple[int, int, int]:
    """Return how many predictions held, how many did not, and how many are open."""
    found = [
        outcome(records[p["plan"]], p)[1] if p["plan"] in records else None
        for p in written["predictions"]
    ]
    return found.count(True), found.count(False), found.count(None)


def claim(prediction: Mapping[str, Any]) -> str:
    """Return what a prediction says."""
    words = {"at_most": "at most {:.0%} learn", "at_least": "at least {:.0%} learn"}
    words |= {"above": "difference above {:+.1%}", "holds": "no difference to be seen"}
    return next(text.format(prediction[key]) for key, text in words.items() if key in prediction)


def unfinished(record: Record | None) -> int | None:
    """Return how many planned runs a record has not; None without a record, of all."""
    if record is None:
        return None
    return sum(
        row.get("planned", 0) - len(row["runs"]) for row in record["rows"] if "planned" in row
    )


def unlearned(record: Record, **cell: Any) -> int:
    """Return how many runs did not learn."""
    runs = runs_of(record, **cell)
    return len(runs) - learned(runs)


def fires(record: Record, **cell: Any) -> list[float]:
    """Return the share of hidden neurons that fire, of each run that did not learn."""
    return [run["fires"] for run in runs_of(record, **cell) if run["accuracy"] <= LEARNS]


def beyond(record: Record, layer: int = 0, **cell: Any) -> float:
    """Return the mean share of a layer's gains that are above 1 in size, from the lowest up."""
    return mean([run["beyond"][layer] for run in runs_of(record, **cell)] or [0.0])


def minus(record: Record, rule: str, other: str, a: float) -> list[float]:
    """Return how much more accurate one rule is than another at a width, seed by seed."""
    one, two = (accuracies(runs_of(record, rule=name, a=a)) for name in (rule, other))
    return [x - y for x, y in zip(one, two, strict=True)]


def by_width(record: Record) -> tuple[list[float], Rows]:
    """Return the widths, from the widest on, and for each rule its row at each of them."""
    widths = sorted({row["cell"]["a"] for row in record["rows"]}, reverse=True)
    rows: Rows = {rule: [] for rule in RULES}
    for rule, a in product(RULES, widths):
        rows[rule].append(next(iter(rows_of(record, rule=rule, a=a)), None))
    return widths, {rule: found for rule, found in rows.items() if any(found)}


def width_figure(record: Record) -> str:
    """Return each run as a point and the mean of a rule as a line, from wide to narrow."""
    fig, ax = plotting.figure(height=3.4)
    widths, rules = by_width(record)
    for rule, rows in rules.items():
        found = {a: accuracies(row["runs"]) for a, row in zip(widths, rows, strict=True) if row}
        style = {"color": COLOURS[rule], "linestyle": LINES[rule], "linewidth": 1.4}
        ax.plot([*found], [*map(mean, found.values())], label=rule, **style)
        each = [(a, x) for a, values in found.items() for x in values]
        ax.plot(*zip(*each, strict=True), ".", color=COLOURS[rule], markersize=4, alpha=0.7)
    ax.set(xscale="log", xlabel="variance a of the Gaussian", ylabel="accuracy, %")
    ax.set_xticks(widths, [f"{a:g}" for a in widths], rotation=45)
    ax.minorticks_off()
    ax.invert_xaxis()
    fig.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=9)
    ends = (f"{k}: {mean(accuracies(r[-1]['runs'])):.1f}" for k, r in rules.items() if r[-1])
    text = (
        "Accuracy over the variance of the surrogate, from wide to narrow, runs and means. At the"
    )
    return figure_html(fig, f"{text} narrowest, in percent: {'; '.join(ends)}.")


def points(record: Record, cells: Sequence[Mapping[str, Any]]) -> str:
    """Return every run of some cells as a point, without and with the limit side by side."""
    fig, ax = plotting.figure(height=3.0)
    ticks, said = [], []
    for k, cell in enumerate(cells):
        for side, limit in ((-0.18, 0.0), (0.18, 1.0)):
            y = sorted(accuracies(runs_of(record, **cell, gain_limit=limit)))
            x = k + side + np.linspace(-0.1, 0.1, len(y)) if y else []
            name = "with the limit" if limit else "without"
            colour = SERIES[1] if limit else SERIES[0]
            ax.plot(
                x,
                y,
                "o" if limit else "s",
                color=colour,
                markersize=3.5,
                label=name if not k else "",
            )
            said.append(f"{cell['rule']}, a = {cell['a']:g}, {name}: {_range(y)}")
        ticks.append(f"{cell['rule']}\na = {cell['a']:g}")
    ax.set_xticks(range(len(cells)), ticks)
    ax.set(ylabel="accuracy, %", ylim=(40, 103))
    fig.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=9)
    return figure_html(fig, f"The accuracy of every run, from and to: {'; '.join(said)}.")


def curves(record: Record, cells: Sequence[Mapping[str, Any]]) -> str:
    """Return the learning curve of every run of some cells, without and with the limit."""
    fig, axes = plotting.figure(1, len(cells), height=2.8)
    said = []
    for ax, cell in zip(axes, cells, strict=True):
        for limit, colour, dash in ((0.0, SERIES[0], "-"), (1.0, SERIES[1], "--")):
            found = [run["curve"] for run in runs_of(record, **cell, gain_limit=limit)]
            for n, curve in enumerate(found):
                label = ("with the limit" if limit else "without") if not n else ""
                ax.plot(range(1, 1 + len(curve)), [100 * y for y in curve], dash, color=colour,
                        linewidth=0.9, alpha=0.8, label=label)  # fmt: skip
            ends = [100 * curve[-1] for curve in found]
            said.append(f"{cell['rule']}, limit {limit:g}: {_range(ends)}")
        ax.set(
            xlabel="epoch",
            xticks=(1, 4, 8, 12),
            ylim=(40, 103),
            title=f"{cell['rule']}, a = {cell['a']:g}",
        )
    axes[0].set(ylabel="accuracy, %")
    lines = axes[0].get_legend_handles_labels()
    fig.legend(*lines, loc="outside upper left", ncols=2, frameon=False, fontsize=9)
    return figure_html(fig, f"Learning curves of every run; their ends: {'; '.join(said)}.")


def _range(values: Sequence[float]) -> str:
    """Return the least and the largest value."""
    return f"{min(values):.1f} to {max(values):.1f}" if values else "no run"
