"""The figures of the page "Where time decides", and how they and its tables read a record."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stbp_edu import plotting
from stbp_edu.plotting.palette import DASHES, GRID, INK, SERIES
from tools.pages.breaking_width import LIMITS, limit
from tools.pages.published_records import Record

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
Curves = dict[str, tuple[list[float], list[list[float]]]]


def curves(record: Record, value: Value) -> Curves:
    """Return for each rule its widths, from the widest on, and a value for each seed (a, seed)."""
    result: Curves = {}
    for rule in RULES:
        rows = sorted(rows_of(record, rule=rule), key=lambda row: -row["cell"]["a"])
        if rows:
            seeds = [[x for x in map(value, row["runs"]) if not np.isnan(x)] for row in rows]
            result[rule] = [row["cell"]["a"] for row in rows], seeds
    return result


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


def _draw(ax: Axes, found: Curves, ylabel: str) -> None:
    """Draw means and intervals over the width, from wide to narrow."""
    for rule, (widths, values) in found.items():
        middle, half = [float(np.mean(x)) for x in values], [interval(x) for x in values]
        ax.errorbar(
            widths, middle, half, label=rule, color=COLOURS[rule], linestyle=LINES[rule],
            marker="o", markersize=4, capsize=2, linewidth=1.4,
        )  # fmt: skip
    ticks = sorted({a for widths, _ in found.values() for a in widths})
    ax.set(xscale="log", xlabel="variance a of the Gaussian", ylabel=ylabel)
    ax.set_xticks(ticks, [f"{a:g}" for a in ticks], rotation=45)
    ax.minorticks_off()
    ax.invert_xaxis()
    ax.figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=9)


def _ends(found: Curves, digits: int) -> str:
    """Return what each curve begins and ends with, in words."""
    ends = {rule: (np.mean(x[0]), np.mean(x[-1])) for rule, (_, x) in found.items()}
    return "; ".join(f"{r}: {a:.{digits}f} to {b:.{digits}f}" for r, (a, b) in ends.items())


def _html(fig: Any, alt: str) -> str:
    return f'<div class="stbp-figure">{plotting.show(fig, alt=alt).svg}</div>\n'


def accuracy_figure(record: Record) -> str:
    """Return accuracy over the width, with the limits from the surrogate's height alone."""
    found = curves(record, accuracy)
    fig, ax = plotting.figure(height=3.6)
    _draw(ax, found, "accuracy, %")
    for rule in LIMITS:
        at = limit(rule, record["base"]["tau"])
        ax.axvline(at, color=COLOURS[rule], linewidth=1, linestyle=":")
        ax.annotate(f"limit, {rule}", (at, 44.5), (3, 0), textcoords="offset points", fontsize=8.5)
    alt = "Accuracy over the variance of the surrogate, from wide to narrow, in percent, with 95 % "
    return _html(fig, f"{alt}intervals. From the widest to the narrowest: {_ends(found, 1)}.")


def spikes_figure(record: Record) -> str:
    """Return the hidden firing rate over the width."""
    found = curves(record, spikes)
    fig, ax = plotting.figure(height=3.4)
    _draw(ax, found, "hidden firing rate")
    alt = "Firing rate of the hidden layer over the variance of the surrogate, from wide to narrow."
    return _html(fig, f"{alt} From the widest to the narrowest: {_ends(found, 3)}.")


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
    return _html(fig, f"{alt}of training. At the first step: {'; '.join(said)}.")
