"""The page "Where time decides": tasks that need memory, made from their published records.

``python -m tools.pages.time_page`` prints it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from tools.pages.breaking_width import LIMITS, breaks_at, growth, predicted
from tools.pages.records import Record, read_records
from tools.pages.time_figures import (
    accuracy,
    accuracy_figure,
    by_width,
    interval,
    reach_figure,
    rows_of,
    seeds,
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
        TEMPLATE, records=found, accuracy_figure=accuracy_figure, spikes_figure=spikes_figure,
        reach_figure=reach_figure, by_width=by_width, above_exact=above_exact, breaks=breaks,
        predictions=predictions, with_interval=with_interval, seeds=seeds, accuracy=accuracy,
        spikes=spikes, mean=np.mean, edges=edges, CUES=CUES,
    )  # fmt: skip


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


if __name__ == "__main__":
    print(page(read_records()))
