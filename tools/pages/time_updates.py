"""How large Adam's updates are, from the record of the plan ``cause-updates``.

The size of an update is the norm of the change over the learning rate and over the root of the
number of parameters: 1 where Adam changes each parameter by the learning rate.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from tools.pages import Record
from tools.pages.time_runs import LEARNS, Verdict, learned, runs_of, share

FIRST, LAST = slice(3), slice(-3, None)
"""The epochs over which the size of a run's updates is taken. Predictions are about the first."""


def size(record: Record, run: Record, epochs: slice = FIRST) -> float:
    """Return the mean over some epochs of the median size of the updates of a run."""
    middle = record["quantiles"].index(0.5)
    return float(np.mean([epoch[middle] for epoch in run["updates"][epochs]]))


def sizes(record: Record, runs: Sequence[Record], epochs: slice = FIRST) -> list[float]:
    """Return the size of the updates of each run."""
    return [size(record, run, epochs) for run in runs]


def typical(record: Record, epochs: slice = FIRST, **cell: object) -> str:
    """Return the median size over the runs of a cell."""
    found = sizes(record, runs_of(record, **cell), epochs)
    return f"{np.median(found):.2f}" if found else "–"


def times(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how many times as large sizes are as others of the same seeds: the median."""
    return float(np.median(np.divide(one, other)))


def failing_larger(record: Record, runs: Sequence[Record]) -> float:
    """Return in how many pairs of a failing and a learning run the failing one's are larger.

    One half where the size of the updates says nothing; not a number without such pairs.
    """
    failing = [size(record, run) for run in runs if run["accuracy"] <= LEARNS]
    learning = [size(record, run) for run in runs if run["accuracy"] > LEARNS]
    pairs = [(a > b) + 0.5 * (a == b) for a in failing for b in learning]
    return float(np.mean(pairs)) if pairs else float("nan")


def larger_in_percent(record: Record, arm: str) -> str:
    """Return in what percent of the pairs the failing run of the exact rule has larger updates."""
    return (
        f"{100 * failing_larger(record, runs_of(record, rule='exact', arm=arm)):.0f} %"
    )


def judged_updates(record: Record, predictions: Sequence[Record]) -> Iterator[Verdict]:
    """Yield each prediction on updates, what was measured, and whether it holds."""
    for said in predictions:
        runs = runs_of(record, **said["cell"])
        if not runs:
            yield said, "–", None
            continue
        found = sizes(record, runs)
        if "over_arm" in said:
            other = runs_of(record, **{**said["cell"], "arm": said["over_arm"]})
            value, limits = times(found, sizes(record, other)), "times"
            measured = f"{value:.2f} times"
        elif "failing_larger_at_most" in said:
            value, limits = failing_larger(record, runs), "failing_larger"
            measured = f"{value:.2f} of the pairs"
        elif "learn_at_least" in said:
            value, limits = learned(runs) / len(runs), "learn"
            measured = share(runs)
        else:
            value, limits = float(np.median(found)), ""
            measured = f"{value:.3f}"
        name = f"{limits}_" if limits else ""
        least = said.get(f"{name}at_least", 0.0)
        most = said.get(f"{name}at_most", np.inf)
        yield said, measured, bool(least <= value <= most)
