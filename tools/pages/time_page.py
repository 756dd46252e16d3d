"""What the page "Where time decides" shows of its records: how tasks that need memory are learned.

At which width of the surrogate does a rule break? In a silent neuron held at the threshold
V_th = 1, under the linear gate and a Gaussian of height h there, one step back multiplies an error
by -τ h (classic) or τ (1 - h) (exact), as the notebook ``where_time_decides`` derives. The longest
chain of a run of T steps has T - 1 such gains.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from stbp_edu import plotting
from stbp_edu.plotting.palette import DASHES, GRID, INK, SERIES
from tools.pages.records import Record, figure_html

HALF_WAY = 0.75  # between a guess of two classes and the truth
LIMITS = ("exact", "classic")
"""The rules whose words hold chains of resets, and so have a limit."""
CUES = 9  # steps of delayed XOR that are not silent: two cues of three, and three that are read
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


def names(records: Mapping[str, Record]) -> dict[str, object]:
    """Return the names in ``docs/time.md``; any record may be missing, and any of its cells."""
    found = {k.removeprefix("time-"): v for k, v in records.items() if k.startswith("time-")}
    return dict(
        records=found, figure=figure,
        reach_figure=reach_figure, by_width=by_width, above_exact=above_exact, breaks=breaks,
        predictions=predictions, with_interval=with_interval, seeds=seeds, accuracy=accuracy,
        spikes=spikes, mean=np.mean, edges=edges, CUES=CUES,
    )  # fmt: skip


def predicted(rule: str, T: int, tau: float, F: float = 1.0) -> float:
    """Return the variance at which the longest chain of a run of T steps grows by F.

    With F = 1 it is the limit: above it no chain grows, however long it is.

    >>> round(predicted("classic", 29, 0.95), 4), round(predicted("exact", 29, 0.95), 4)
    (0.1436, 0.0378)
    """
    gain = F ** (1 / (T - 1))
    h = gain / tau if rule == "classic" else 1 + gain / tau
    return 1 / (2 * math.pi * h**2)


def growth(a: float, T: int, tau: float) -> float:
    """Return the F at which the classic rule is predicted to break at the variance a.

    >>> round(predicted("classic", 29, 0.95, growth(0.06, 29, 0.95)), 4)
    0.06
    """
    return float((tau / math.sqrt(2 * math.pi * a)) ** (T - 1))


def breaks_at(widths: Sequence[float], accuracies: Sequence[float]) -> float | None:
    """Return the variance, interpolated on a logarithmic axis, at which accuracy crosses 3/4.

    The widths run from wide to narrow; None if the accuracy does not cross.

    >>> round(breaks_at([0.4, 0.1], [1.0, 0.5]), 3)
    0.2
    """
    for k in range(1, len(widths)):
        above, below = accuracies[k - 1 : k + 1]
        if above >= HALF_WAY > below:
            share = (above - HALF_WAY) / (above - below)
            return float(widths[k - 1] * (widths[k] / widths[k - 1]) ** share)
    return None


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


def figure(record: Record, value: Value, ylabel: str, alt: str) -> str:
    """Return means and intervals over the width, from wide to narrow.

    Where they are accuracies, lines mark the limits that follow from the surrogate's height alone.
    """
    fig, ax = plotting.figure(height=3.6 if value is accuracy else 3.4)
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
    fig.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=9)
    for rule in LIMITS if value is accuracy else ():
        at = predicted(rule, record["base"]["T"], record["base"]["tau"])
        ax.axvline(at, color=COLOURS[rule], linewidth=1, linestyle=":")
        ax.annotate(f"limit, {rule}", (at, 44.5), (3, 0), textcoords="offset points", fontsize=8.5)
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


def with_interval(values: Sequence[float], sign: str = "") -> str:
    """Return a mean with half its 95 % interval."""
    text = f"{np.mean(values) + 0.0:{sign}.1f}\xa0±\xa0{interval(values):.1f}"
    return text.replace("-", "−")


def above_exact(record: Record, row: Record) -> list[float]:
    """Return how far a cell is above exact at the same width, seed by seed; empty without it."""
    exact = rows_of(record, rule="exact", a=row["cell"]["a"])
    if not exact or exact[0] is row:
        return []
    pairs = zip(seeds(row, accuracy), seeds(exact[0], accuracy), strict=True)
    return [a - b for a, b in pairs]


def _break(record: Record, rule: str) -> float | None:
    """Return the measured breaking width of a rule, if the record shows it."""
    rows = sorted(rows_of(record, rule=rule), key=lambda row: -row["cell"]["a"])
    means = [float(np.mean([run["accuracy"] for run in row["runs"]])) for row in rows]
    return breaks_at([row["cell"]["a"] for row in rows], means)


def breaks(record: Record) -> Iterator[tuple[str, float, float, float]]:
    """Yield a rule, its limit, where it breaks, and where one growth F says that it does."""
    tau, T, fitted = record["base"]["tau"], record["base"]["T"], _break(record, "classic")
    for rule in LIMITS:
        if fitted and (at := _break(record, rule)):
            yield rule, predicted(rule, T, tau), at, predicted(rule, T, tau, growth(fitted, T, tau))


def predictions(
    width: Record, other: Record, name: str
) -> Iterator[tuple[float, str, float, dict[float, float]]]:
    """Yield what one growth, fitted in one record, predicts for another, beside what it has.

    ``name`` is the setting that the other record changes: T or tau. Each is its value, a rule, the
    width that is predicted, and the mean accuracy at each width, from the widest on.
    """
    base, fitted = width["base"], _break(width, "classic")
    for value in sorted({row["cell"][name] for row in other["rows"]}) if fitted else ():
        now = {**base, name: value}
        for rule in LIMITS:
            F = growth(fitted, base["T"], base["tau"])
            rows = rows_of(other, rule=rule, **{name: value})
            means = {row["cell"]["a"]: float(np.mean(seeds(row, accuracy))) for row in rows}
            found = dict(sorted(means.items(), reverse=True))
            yield value, rule, predicted(rule, now["T"], now["tau"], F), found


def edges(records: Iterable[Record]) -> tuple[int, int]:
    """Return how many chosen learning rates lie at the edge of those tried, and of how many."""
    rows = [row for record in records for row in record["rows"]]
    tried = [sorted(map(float, row["tuning"])) for row in rows]
    count = sum(row["lr"] in (t[0], t[-1]) for row, t in zip(rows, tried, strict=True))
    return count, len(rows)
