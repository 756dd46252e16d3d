"""The page "Where time decides": tasks that need memory, made from their published records.

``python -m tools.pages.time_page`` prints it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tools.pages.breaking_width import LIMITS, breaks_at, growth, limit, predicted
from tools.pages.markdown_tables import folded, table
from tools.pages.published_records import Record, read_records
from tools.pages.time_figures import (
    RULES,
    accuracy,
    accuracy_figure,
    interval,
    reach_figure,
    rows_of,
    spikes,
    spikes_figure,
)
from tools.templates import filled

TEMPLATE = Path(__file__).with_name("templates") / "time.md"
CUES = 9  # steps of delayed XOR that are not silent: two cues of three, and three that are read


def page(records: Mapping[str, Record]) -> str:
    """Return the page as Markdown; any record may be missing, and any of its cells."""
    found = {k.removeprefix("time-"): v for k, v in records.items() if k.startswith("time-")}
    return filled(
        TEMPLATE, records=found, accuracy_figure=accuracy_figure, accuracy_table=accuracy_table,
        paired_table=paired_table, breaks_table=breaks_table, spikes_figure=spikes_figure,
        reach_figure=reach_figure, grid_table=grid_table, silence_table=silence_table,
        edges=edges, seeds=_seeds, provenance=provenance, folded=folded,
    )  # fmt: skip


def _with_interval(values: Sequence[float], sign: str = "") -> str:
    text = f"{np.mean(values) + 0.0:{sign}.1f}\xa0±\xa0{interval(values):.1f}"
    return text.replace("-", "−")


def _by_width(record: Record, cells: Callable[[str, float], str]) -> str:
    """Return a table with a row for each rule and a column for each width."""
    widths = sorted({row["cell"]["a"] for row in record["rows"]}, reverse=True)
    there = {(row["cell"]["rule"], row["cell"]["a"]) for row in record["rows"]}
    rows = [
        [f"`{rule}`", *(cells(rule, a) if (rule, a) in there else "–" for a in widths)]
        for rule in RULES
        if any((rule, a) in there for a in widths)
    ]
    return table(["variance", *(f"{a:g}" for a in widths)], rows)


def accuracy_table(record: Record) -> str:
    """Return mean accuracies with their 95 % intervals."""

    def cell(rule: str, a: float) -> str:
        return _with_interval([accuracy(run) for run in rows_of(record, rule=rule, a=a)[0]["runs"]])

    return _by_width(record, cell)


def paired_table(record: Record) -> str:
    """Return the mean differences to exact, seed by seed, with their 95 % intervals."""

    def cell(rule: str, a: float) -> str:
        ours, exact = (rows_of(record, rule=r, a=a) for r in (rule, "exact"))
        if rule == "exact" or not exact:
            return ""
        pairs = zip(ours[0]["runs"], exact[0]["runs"], strict=True)
        return _with_interval([accuracy(x) - accuracy(y) for x, y in pairs], sign="+")

    return _by_width(record, cell)


def _breaks(record: Record, rule: str, **cell: Any) -> float | None:
    """Return the measured breaking width of a rule, if the record shows it."""
    rows = sorted(rows_of(record, rule=rule, **cell), key=lambda row: -row["cell"]["a"])
    means = [float(np.mean([run["accuracy"] for run in row["runs"]])) for row in rows]
    return breaks_at([row["cell"]["a"] for row in rows], means)


def breaks_table(record: Record) -> str:
    """Return limits, measured breaking widths, their ratios, and the prediction for exact."""
    tau, T = record["base"]["tau"], record["base"]["T"]
    widths = {rule: _breaks(record, rule) for rule in LIMITS}
    F = growth(widths["classic"], T, tau) if widths["classic"] else None
    rows = []
    for rule, a in widths.items():
        if a is not None and F is not None:
            at, said = limit(rule, tau), predicted(rule, T, tau, F)
            ratio = [f"{at / a:.2f}", f"{np.sqrt(at / a):.2f}"]
            fitted = "fitted" if rule == "classic" else f"{said:.4f}, ratio {said / a:.2f}"
            rows.append([f"`{rule}`", f"{at:.4f}", f"{a:.4f}", *ratio, fitted])
    head = ("rule", "limit", "breaks at", "ratio", "of standard deviations", "with one growth F")
    return table(head, rows)


def silence_table(width: Record, other: Record, name: str) -> str:
    """Return what one growth, fitted in one record, predicts for another, beside what it has.

    ``name`` is the setting that the other record changes: T or tau.
    """
    base = width["base"]
    at = _breaks(width, "classic")
    if at is None:
        return ""
    F, rows = growth(at, base["T"], base["tau"]), []
    for value in sorted({row["cell"][name] for row in other["rows"]}):
        changed = {**base, name: value}
        for rule in LIMITS:
            said = predicted(rule, changed["T"], changed["tau"], F)
            shown = _accuracies(rows_of(other, rule=rule, **{name: value}))
            label = value - CUES if name == "T" else value
            rows.append([f"{label:g}", f"`{rule}`", f"{said:.3f}", shown])
    head = ("silent steps" if name == "T" else "τ", "rule", "predicted to break at")
    return table([*head, "accuracy, %, by variance"], rows)


def _accuracies(rows: Iterable[Record]) -> str:
    """Return the mean accuracy of each width, from the widest on."""
    means = {row["cell"]["a"]: np.mean([accuracy(run) for run in row["runs"]]) for row in rows}
    return ", ".join(f"{a:g}: {m:.1f}" for a, m in sorted(means.items(), reverse=True))


def grid_table(record: Record) -> str:
    """Return a row for each cell of a record: its settings, learning rate and accuracy."""
    rows = [
        [
            ", ".join(f"`{k}`\xa0{_plain(v)}" for k, v in row["cell"].items()),
            f"{row['lr']:g}",
            _with_interval([accuracy(run) for run in row["runs"]]),
            f"{np.nanmean([spikes(run) for run in row['runs']]):.3f}",
        ]
        for row in record["rows"]
    ]
    return table(("setting", "learning rate", "accuracy, %", "hidden firing rate"), rows)


def _plain(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, list) else f"{value}"


def edges(records: Iterable[Record]) -> str:
    """Return how many of the chosen learning rates lie at the edge of the rates that were tried."""
    rows = [row for record in records for row in record["rows"]]
    tried = [sorted(map(float, row["tuning"])) for row in rows]
    count = sum(row["lr"] in (t[0], t[-1]) for row, t in zip(rows, tried, strict=True))
    return f"{count} of {len(rows)}"


def _seeds(record: Record) -> int:
    return len(record["seeds"])


def provenance(records: Mapping[str, Record]) -> str:
    """Return a row for each record: command, machine and versions."""
    rows = [
        [
            f"`{r['command']}`",
            f"{r['machine']['processor']}, {r['machine']['cores']} cores",
            f"NumPy {r['versions']['numpy']}, {r['versions']['blas']}",
        ]
        for r in records.values()
    ]
    return table(("command", "machine", "versions"), rows)


if __name__ == "__main__":
    print(page(read_records()))
