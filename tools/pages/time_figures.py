"""The figures of the page "Where time decides", and how they and its tables read a record."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stbp_edu import plotting
from stbp_edu.plotting.palette import DASHES, GRID, INK, SERIES
from tools.pages.breaking_width import LIMITS, predicted
from tools.pages.records import Record, figure_html

RULES = (
    *("exact", "classic", "detached-reset", "leak-only", "spatial-only"),
    *("ottt", "e-prop-reset"),
)
COLOURS = dict(zip(RULES, (*SERIES, INK), strict=True))
LINES = dict(zip(RULES, (*DASHES, "-"), strict=True))
LAST_CUE = 6.5  # between the cues of delayed XOR and the silence
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
"""By the number of seeds: the quantile of Student's t that leaves 2.5 % on either side."""

Value = Callable[[Record], float]
Rows = dict[str, list[Record | None]]


def accuracy(run: Record) -> float:
    """Return the accuracy of a run in percent."""
    return 100 * float(run["accuracy"])


def spikes(run: Record) -> float:
    """Return the firing rate of the first hidden layer; none is known of a run that diverged."""
    return float(run["rates"][1]) if "rates" in run else float("nan")


def rows_of(record: Record, **cell: Any) -> list[Record]:
    """Return the rows whose cell has these settings."""
    return [row for row in record["rows"] if cell.items() <= row["cell"].items()]


def interval(values: Sequence[float]) -> float:
    """Return half the width of the 95 % interval of a mean."""
    return float(STUDENT[len(values)] * np.std(values, ddof=1) / np.sqrt(len(values)))


def by_width(record: Record) -> tuple[list[float], Rows]:
    """Return the widths, from the widest on, and for each rule its row at each of them."""
    widths = sorted({row["cell"]["a"] for row in record["rows"]}, reverse=True)
    rows: Rows = {rule: [] for rule in RULES}
    for rule, a in product(RULES, widths):
        rows[rule].append(next(iter(rows_of(record, rule=rule, a=a)), None))
    return widths, {rule: found for rule, found in rows.items() if any(found)}


def seeds(row: Record, value: Value) -> list[float]:
    """Return a value for each seed of a cell that has it."""
    return [x for x in map(value, row["runs"]) if not np.isnan(x)]


def _draw(ax: Axes, record: Record, value: Value, ylabel: str) -> None:
    """Draw means and intervals over the width, from wide to narrow."""
    ticks, rules = by_width(record)
    for rule, rows in rules.items():
        found = {a: seeds(row, value) for a, row in zip(ticks, rows, strict=True) if row}
        ax.errorbar(
            [*found], [float(np.mean(x)) for x in found.values()], [*map(interval, found.values())],
            label=rule, color=COLOURS[rule], linestyle=LINES[rule], marker="o", markersize=4,
            capsize=2, linewidth=1.4,
        )  # fmt: skip
    ax.set(xscale="log", xlabel="variance a of the Gaussian", ylabel=ylabel)
    ax.set_xticks(ticks, [f"{a:g}" for a in ticks], rotation=45)
    ax.minorticks_off()
    ax.invert_xaxis()
    ax.figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=9)


def accuracy_figure(record: Record, alt: str) -> str:
    """Return accuracy over the width, with the limits from the surrogate's height alone."""
    fig, ax = plotting.figure(height=3.6)
    _draw(ax, record, accuracy, "accuracy, %")
    for rule in LIMITS:
        at = predicted(rule, record["base"]["T"], record["base"]["tau"])
        ax.axvline(at, color=COLOURS[rule], linewidth=1, linestyle=":")
        ax.annotate(f"limit, {rule}", (at, 44.5), (3, 0), textcoords="offset points", fontsize=8.5)
    return figure_html(fig, alt)


def spikes_figure(record: Record, alt: str) -> str:
    """Return the hidden firing rate over the width."""
    fig, ax = plotting.figure(height=3.4)
    _draw(ax, record, spikes, "hidden firing rate")
    return figure_html(fig, alt)


def reach(record: Record, rule: str, a: float) -> np.ndarray[Any, Any] | None:
    """Return the size of ε at each step, over its largest: the geometric mean over the seeds."""
    runs = [run for row in rows_of(record, rule=rule, a=a) for run in row["runs"]]
    found = np.array([run["reach"] for run in runs if max(run.get("reach", [0])) > 0])
    if not len(found):
        return None
    return np.asarray(np.exp(np.log(found / found.max(1, keepdims=True) + 1e-9).mean(0)))


def reach_figure(record: Record, widths: Sequence[float]) -> str:
    """Return the size of ε over the steps, as a share of its largest, a panel for each width."""
    fig, axes = plotting.figure(1, len(widths), height=3.4)
    said = []
    for ax, a in zip(axes, widths, strict=True):
        for rule in RULES:
            share = reach(record, rule, a)
            if share is None:
                continue
            ax.plot(np.arange(1, 1 + len(share)), share, color=COLOURS[rule], label=rule,
                    linestyle=LINES[rule], linewidth=1.4)  # fmt: skip
            said.append(f"a = {a:g}, {rule}: {share[0]:.1g}")
        ax.axvline(LAST_CUE, color=GRID, linewidth=0.8)
        ax.set(yscale="log", ylim=(1e-7, 3), xlabel="time step t", title=f"a = {a:g}")
    axes[0].set(ylabel="size of ε")
    lines = axes[0].get_legend_handles_labels()
    fig.legend(*lines, loc="outside upper left", ncols=3, frameon=False, fontsize=9)
    alt = "Size of epsilon in the hidden layer at each step, as a share of its largest, at the end "
    return figure_html(fig, f"{alt}of training. At the first step: {'; '.join(said)}.")
