"""What pages show of the runs on tasks of time: cells of a record, counted and compared."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from stbp_edu import LIF, Gaussian, Rectangle, backward, forward, init_params, plotting
from stbp_edu.plotting.palette import GRID, INK, SERIES
from stbp_edu.surrogates import Surrogate
from stbp_edu.training import direct
from stbp_edu.training.data import load_digits
from stbp_edu.training.measurements import half_width, mean_interval, share_interval
from tools.pages import Record, figure_html

LEARNS = 0.95
"""The accuracy above which a run of delayed XOR has learned."""
DRAWS = 20
"""Draws of weights for the cosine of two exact gradients."""
Row = Mapping[str, Any]


def names(records: Mapping[str, Record]) -> dict[str, object]:
    """Return the names in the pages on tasks of time: ``of_sign`` and ``of_time`` find rows.

    Rows of the earlier record are found by their source, rows of the sign's by a chosen rate.
    """
    sign, earlier = records["sign"], records["time"]
    predicted = records["sign-predictions"]
    return {
        **globals(),
        "narrow": two_exact(Rectangle(1.0)),
        "as_high": two_exact(Gaussian(1 / (2 * np.pi))),
        "lower": two_exact(Gaussian(1.0)),
        "of_sign": partial(row, sign, fixed=False),
        "of_time": partial(row, earlier, **{"from": "cause"}),
        "sign": sign,
        "verdicts": [*judged(sign, predicted)],
        "earlier": records["time-predictions"]["predictions"],
        "mnist": records["mnist-rules"],
    }


def row(record: Record, rule: str, arm: str, **more: Any) -> Row | None:
    """Return the row of a cell, or None.

    Beside rule and arm a cell has a task, delayed XOR by default, changes of its settings, none by
    default, and a source. A learning rate is asked for only where it is given.
    """
    wanted = {"task": "delayed-xor", "changes": {}, "rule": rule, "arm": arm, **more}
    for found in record["rows"]:
        if all({"changes": {}, **found}.get(k) == v for k, v in wanted.items()):
            return dict(found)
    return None


def learned(found: Row) -> int:
    """Return how many runs of a row have learned."""
    return sum(accuracy > LEARNS for accuracy in found["accuracy"])


def of(found: Row | None) -> str:
    """Return how many runs learn, as "2 of 20"; a dash without runs."""
    return f"{learned(found)}\xa0of\xa0{len(found['accuracy'])}" if found else "–"


def share(found: Row | None) -> str:
    """Return how many runs learn, with Wilson's 95 % interval in percent."""
    if not found:
        return "–"
    low, high = share_interval(learned(found), len(found["accuracy"]))
    return f"{of(found)} ({100 * low:.0f}\xa0to\xa0{100 * high:.0f}\xa0%)"


def around(found: Row | None) -> str:
    """Return the mean accuracy in percent ± half its 95 % interval."""
    if not found:
        return "–"
    values = [100 * a for a in found["accuracy"]]
    return f"{np.mean(values):.0f}\xa0±\xa0{half_width(values):.0f}"


def seeds(found: Row) -> list[int]:
    """Return the seeds of a row's runs."""
    if isinstance(found["seeds"], str):
        return [*range(*map(int, found["seeds"].split(":")))]
    return list(found["seeds"])


def differences(one: Row, other: Row) -> list[float]:
    """Return how much more accurate runs are than others of the same seeds, in points."""
    there = dict(zip(seeds(other), other["accuracy"], strict=True))
    pairs = zip(seeds(one), one["accuracy"], strict=True)
    return [100 * (a - there[seed]) for seed, a in pairs if seed in there]


def paired(one: Row | None, other: Row | None, digits: int = 1) -> str:
    """Return the mean paired difference in points, with its 95 % interval."""
    found = differences(one, other) if one and other else []
    if len(found) < 2:
        return "–"
    low, high = mean_interval(found)
    mean, low, high = (f"{x + 0.0:+.{digits}f}" for x in (np.mean(found), low, high))
    text = f"{mean} ({low}\xa0to\xa0{high})"
    return text.replace("-", "−")


def judged(record: Record, said: Record) -> Iterator[tuple[Record, bool | None]]:
    """Yield each prediction and whether it holds; None without its runs.

    Where fewer runs were made than planned, their count is held against its share.
    """
    for line in said["predictions"]:
        cell = {k: line[k] for k in ("task", "changes", "lr") if k in line}
        cell["fixed"] = "lr" in line
        found = row(record, line["rule"], line["arm"], **cell)
        other = row(record, line["rule"], line.get("minus_arm", line["arm"]), **cell)
        if found is None or other is None:
            yield line, None
            continue
        n, planned = len(found["accuracy"]), line.get("n", 20)
        value = float(np.mean(found["accuracy"]))
        low, high = line.get("mean_at_least", 0.0), line.get("mean_at_most", 1.0)
        if "between" in line:
            value = float(np.mean(differences(found, other))) / 100
            low, high = line["between"]
        elif "learn_at_least" in line or "learn_at_most" in line:
            value = learned(found)
            low = line.get("learn_at_least", 0) * n / planned
            high = line.get("learn_at_most", planned) * n / planned
        yield line, bool(low <= value <= high)


def told(verdicts: Sequence[tuple[Record, bool | None]]) -> dict[str, int]:
    """Return how many predictions hold, fail and wait, and how many of those had been seen."""
    counts = dict.fromkeys(("hold", "fail", "wait", "hold, seen", "fail, seen"), 0)
    for line, holds in verdicts:
        word = "wait" if holds is None else "hold" if holds else "fail"
        counts[word] += 1
        if line.get("known") and holds is not None:
            counts[f"{word}, seen"] += 1
    return counts


def alike(record: Record, rule: str, updates: int, key: str = "cosine") -> str:
    """Return the mean over runs of the cosine between two batches' gradients, and its interval."""
    found = [
        line[key] for line in record["cosines"]
        if (line["rule"], line["updates"]) == (rule, updates)
    ]  # fmt: skip
    if len(found) < 2:
        return "–"
    low, high = mean_interval(found)
    text = f"{np.mean(found) + 0.0:.2f} ({low:.2f}\xa0to\xa0{high:.2f})"
    return text.replace("-", "−")


def shares(rows: Mapping[str, Row | None], alt: str) -> str:
    """Return the share of runs that learn of each row, as a dot with Wilson's interval."""
    drawn = {words: found for words, found in rows.items() if found}
    fig, ax = plotting.figure(height=0.9 + 0.27 * len(drawn))
    said = []
    for k, (words, found) in enumerate(reversed(drawn.items())):
        n = len(found["accuracy"])
        low, high = (100 * end for end in share_interval(learned(found), n))
        middle = 100 * learned(found) / n
        colour = SERIES[0] if "sign" in found["arm"] else INK
        ax.plot([0, 100], [k, k], color=GRID, linewidth=0.6, zorder=0)
        ax.plot([low, high], [k, k], color=colour, linewidth=1.6)
        ax.plot(middle, k, "o", color=colour, markersize=5)
        said.insert(0, f"{words}: {learned(found)} of {n}")
    ax.set_yticks(range(len(drawn)), [*reversed(drawn)])
    ax.set(xlabel="runs that learn, %", xlim=(-2, 102), ylim=(-0.6, len(drawn) - 0.4))
    return figure_html(fig, f"{alt} {'; '.join(said)}.")


@cache
def two_exact(surrogate: Surrogate) -> tuple[float, float, int]:
    """Return the cosine of two exact gradients: mean and standard deviation over so many draws.

    The gates are the exponential and the linear one. The spikes are the same: both gates take 0
    for what is left after a spike, up to τ e^(-1/τ), 0.000005 here. A draw of weights in which
    one gradient is zero does not count.
    """
    digits = load_digits()
    pixels = digits.train_images[:32].reshape(32, 64).astype(float)
    targets = np.eye(10)[digits.train_labels[:32]]
    found = []
    for seed in range(DRAWS):
        params = init_params([64, 100, 10], np.random.default_rng(seed), scale=2.0)
        traces, flat = [], []
        for gate in ("exponential", "linear"):
            neuron = LIF(0.1, 1.5, surrogate, gate)
            traces.append(forward(direct(pixels, 20), params, neuron))
            g = backward(traces[-1], targets, params, neuron)
            flat.append(np.concatenate([a.ravel() for a in (*g.W[1:], *g.b[1:])]))
        assert all(map(np.array_equal, traces[0].O, traces[1].O))
        lengths = [float(np.linalg.norm(g)) for g in flat]
        if all(lengths):
            found.append(float(flat[0] @ flat[1]) / lengths[0] / lengths[1])
    return float(np.mean(found)), float(np.std(found, ddof=1)), len(found)


def signed(x: float) -> str:
    """Return a number with two digits and a proper minus."""
    return f"{x + 0.0:.2f}".replace("-", "−")


def spread_on_mnist(record: Record) -> float:
    """Return how far apart the best and the worst rule are, in points of mean accuracy."""
    means = [100 * found["accuracy"]["mean"] for found in record["rows"]]
    return max(means) - min(means)


def named(changes: Mapping[str, Any]) -> str:
    """Return changes of settings as a list."""
    return ", ".join(f"{name} = {value}" for name, value in changes.items())
