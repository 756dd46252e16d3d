"""The runs of the experiment on causes: found by cell, counted, compared and told apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stbp_edu.training.measurements import mean_interval, share_interval
from tools.pages import Record

LEARNS = 0.95
"""The accuracy above which a run of delayed XOR has learned."""
SILENT = 0.002
"""Spikes per neuron and step below which an output layer is silent, as in ``stbp_edu.training``."""
CONSTANT = 0.99
"""The share of the commonest answer from which a run is said to give one answer."""
SLOW = 0.01
"""What a run has to gain over its last three epochs to be called slow."""
BY_DEFAULT = {"task": "delayed-xor", "a": 0.02, "T": 29, "epochs": 12}
"""What a row has where it does not say."""
STEADY = {"task": "digits"}
NOTHING: Record = {"rows": []}
Verdict = tuple[Record, str, bool | None]
"""A prediction, what was measured, and whether it holds; None where nothing was."""


def of_all(k: int, n: int) -> str:
    """Return k of n, with Wilson's interval in percent."""
    low, high = share_interval(k, n)
    text = f"{k} of {n} ({100 * low:.0f} to {100 * high:.0f} %)"
    return text.replace(" ", "\xa0").replace("\xa0(", " (")


def at(record: Record, arm: str, rule: str = "exact", **cell: Any) -> str:
    """Return how many runs of a cell learn, as "2 of 20"; by default at a = 0.02."""
    runs = runs_of(record, rule=rule, arm=arm, **cell)
    return f"{learned(runs)} of {len(runs)}"


def row_of(record: Record, **cell: Any) -> Record | None:
    """Return the row of a cell; what is left out is as in :data:`BY_DEFAULT`."""
    wanted = {**BY_DEFAULT, **cell}
    if wanted["task"] == "digits":
        wanted = {**STEADY, **cell}
    for row in record["rows"]:
        own = {**BY_DEFAULT, **row}
        if all(own.get(key) == value for key, value in wanted.items()):
            return dict(row)
    return None


def runs_of(record: Record, **cell: Any) -> list[Record]:
    """Return the runs of a cell; none where it was not trained."""
    row = row_of(record, **cell)
    return list(row["runs"]) if row else []


def learned(runs: Sequence[Record]) -> int:
    """Return how many runs are above LEARNS at the end."""
    return sum(run["accuracy"] > LEARNS for run in runs)


def share(runs: Sequence[Record]) -> str:
    """Return how many runs learned, of how many, with Wilson's interval in percent."""
    return of_all(learned(runs), len(runs)) if runs else "–"


def spread(runs: Sequence[Record]) -> str:
    """Return the mean accuracy in percent, and the lowest and the highest.

    Where some runs learn and others do not, an interval of the mean would go beyond 100 %.
    """
    found = [100 * run["accuracy"] for run in runs]
    return f"{np.mean(found):.1f} (from {min(found):.1f} to {max(found):.1f})"


def fell_back(runs: Sequence[Record]) -> int:
    """Return how many runs were above LEARNS after some epoch and are not at the end."""
    failing = [run for run in runs if run["accuracy"] <= LEARNS]
    return sum(max(run["held_out"], default=0) > LEARNS for run in failing)


def last_output(runs: Sequence[Record]) -> str:
    """Return in what percent of steps an output neuron spikes after the last epoch: the mean."""
    rates = [100 * run["output"][-1] for run in runs if run["output"]]
    return f"{np.mean(rates):.1f}" if rates else "–"


def accuracy(runs: Sequence[Record]) -> str:
    """Return the mean accuracy in percent, with its 95 % interval."""
    if not runs:
        return "–"
    low, high = mean_interval([100 * run["accuracy"] for run in runs])
    mean = 100 * np.mean([run["accuracy"] for run in runs])
    return f"{mean:.1f} ({low:.1f}\xa0to\xa0{high:.1f})"


def differences(one: Sequence[Record], other: Sequence[Record]) -> list[float]:
    """Return how much more accurate runs are than others of the same seeds, in points."""
    there = {run["seed"]: run["accuracy"] for run in other}
    return [
        100 * (run["accuracy"] - there[run["seed"]])
        for run in one
        if run["seed"] in there
    ]


def only(one: Sequence[Record], other: Sequence[Record]) -> tuple[int, int]:
    """Return for how many seeds only the first runs learn, and for how many only the others."""
    there = {run["seed"]: run["accuracy"] > LEARNS for run in other}
    pairs = [
        (run["accuracy"] > LEARNS, there[run["seed"]])
        for run in one
        if run["seed"] in there
    ]
    return pairs.count((True, False)), pairs.count((False, True))


def paired(
    record: Record,
    rule: str,
    one: str,
    other: str,
    base: Record | None = None,
    **cell: Any,
) -> str:
    """Return the mean difference of two arms in points, with its interval.

    ``base`` is the record of the second arm, where it is a different one.
    """
    first = runs_of(record, rule=rule, arm=one, **cell)
    second = runs_of(base or record, rule=rule, arm=other, **cell)
    return between(differences(first, second))


def between(values: Sequence[float]) -> str:
    """Return a mean difference with the ends of its 95 % interval."""
    if len(values) < 2:
        return "–"
    low, high = mean_interval(values)
    text = f"{np.mean(values) + 0.0:+.1f} ({low:+.1f} to {high:+.1f})"
    return text.replace("-", "−").replace(" ", "\xa0").replace("\xa0(", " (")


def kind(run: Record) -> str:
    """Return what a run came to: learned, diverged, silent, constant, slow or stuck.

    The first that applies: its output is silent at the end; it gives nearly always one answer; it
    still gains over the last three epochs; or none of these.
    """
    if run["accuracy"] > LEARNS:
        return "learned"
    if not run["held_out"]:
        return "diverged"
    if run["output"][-1] < SILENT:
        return "silent"
    if run["commonest"][-1] > CONSTANT:
        return "constant"
    if run["held_out"][-1] - run["held_out"][-4] > SLOW:
        return "slow"
    return "stuck"


def kinds(runs: Sequence[Record]) -> dict[str, int]:
    """Return how many runs that do not learn came to what, the commonest first."""
    found = [kind(run) for run in runs]
    counts = {
        name: found.count(name) for name in dict.fromkeys(found) if name != "learned"
    }
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def kinds_in_words(runs: Sequence[Record]) -> str:
    """Return the kinds of runs that do not learn, as "7 are constant, 5 stuck"."""
    found = [f"{count} {name}" for name, count in kinds(runs).items()]
    return ", ".join(found).replace(" ", " are ", 1)


def tail(record: Record, runs: Sequence[Record]) -> float:
    """Return the largest gradient norm of the first epoch over the median one: of runs, the median.

    Later epochs say less: where a run has learned, the median norm is next to 0.
    """
    if not runs:
        return float("nan")
    middle = record["quantiles"].index(0.5)
    ratios = [
        run["norms"][0][-1] / run["norms"][0][middle]
        for run in runs
        if run["norms"] and run["norms"][0][middle]
    ]
    return float(np.median(ratios)) if ratios else float("nan")
