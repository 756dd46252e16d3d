"""What the page "Where time decides" shows: interventions on runs that fail, from one record."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from stbp_edu import LIF, plotting
from stbp_edu.arrows import RULES, hard_reset, network
from stbp_edu.arrows.online_form import forbidding_word
from stbp_edu.plotting.palette import DASHES, INK, SERIES
from stbp_edu.training.measurements import mean_interval, share_interval
from tools.pages import Record, figure_html

LEARNS = 0.95
"""The accuracy above which a run of delayed XOR has learned."""
SILENT = 0.002
"""Spikes per neuron and step below which an output layer is silent, as in ``stbp_edu.training``."""
CONSTANT = 0.99
"""The share of the commonest answer from which a run is said to give one answer."""
SLOW = 0.01
"""What a run has to gain over its last three epochs to be called slow."""
WORDS = {
    "none": "no change",
    "beta2 0.9": "β₂ = 0.9",
    "beta2 0.99": "β₂ = 0.99",
    "clip": "gradient clipped at norm 1",
    "limit": "gain limit 1",
    "limit, beta2 0.9": "gain limit 1 and β₂ = 0.9",
    "lower surrogate": "surrogate times 0.3",
    "random clip": "as many gains, at random",
    "turned": "no gain negative",
    "sgd": "SGD with momentum",
    "five times": "five times as many updates",
}
"""What each arm changes, in words."""
MAIN = ("none", "beta2 0.9", "clip", "limit")
DRAWN = ("exact", "classic", "detached-reset")
"""The rules whose learning curves are drawn."""
BY_DEFAULT = {"task": "delayed-xor", "a": 0.02, "T": 29, "epochs": 12}
"""What a row has where it does not say."""
STEADY = {"task": "digits"}
NOTHING: Record = {"rows": []}


def names(records: Mapping[str, Record]) -> dict[str, object]:
    """Return the names in ``docs/time.md``; the records may be missing."""
    predicted = records.get("cause-predictions", {"predictions": []})
    record = records.get("cause", NOTHING)
    earlier = records.get("cause-earlier", NOTHING)
    return {**globals(), "record": record, "predicted": predicted, "earlier": earlier}


def counted(earlier: Record, **cell: Any) -> str:
    """Return how many runs of a cell learned, with Wilson's interval, from counts of runs.

    Where accuracies say more, their mean in percent.
    """
    for row in earlier["rows"]:
        if cell.items() <= row.items():
            if "learned" not in row:
                return f"{row['mean']:.1f} ({row['of']} runs)"
            return of_all(row["learned"], row["of"])
    return "–"


def of_all(k: int, n: int) -> str:
    """Return k of n, with Wilson's interval in percent."""
    low, high = share_interval(k, n)
    text = f"{k} of {n} ({100 * low:.0f} to {100 * high:.0f} %)"
    return text.replace(" ", "\xa0").replace("\xa0(", " (")


def at(earlier: Record, arm: str) -> str:
    """Return how many exact runs at a = 0.02 learned in an arm, as "2 of 20"."""
    rows = [
        r
        for r in earlier["rows"]
        if (r["rule"], r["arm"], r.get("a")) == ("exact", arm, 0.02)
    ]
    return f"{rows[0]['learned']} of {rows[0]['of']}"


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


def tail(record: Record, runs: Sequence[Record]) -> float:
    """Return the median over runs of the largest gradient norm over the median one, epoch 2 on."""
    middle = record["quantiles"].index(0.5)
    ratios = []
    for run in runs:
        norms = np.array(run["norms"][1:])
        if len(norms):
            ratios.append(norms[:, -1].max() / np.median(norms[:, middle]))
    return float(np.median(ratios)) if ratios else float("nan")


def judged(
    record: Record, predicted: Record
) -> Iterator[tuple[Record, str, bool | None]]:
    """Yield each prediction, what was measured, and whether it holds; None without the runs.

    A share or a mean is judged by its point, a difference by its whole interval.
    """
    for said in predicted["predictions"]:
        runs = runs_of(record, **said["cell"])
        if not runs:
            yield said, "–", None
            continue
        if "minus_arm" in said:
            other = runs_of(record, **{**said["cell"], "arm": said["minus_arm"]})
            found = differences(runs, other)
            if len(found) < 2:
                yield said, "–", None
            else:
                yield (
                    said,
                    between(found),
                    mean_interval(found)[0] > 100 * said["above"],
                )
            continue
        value, measured, what = learned(runs) / len(runs), share(runs), "learn"
        if "mean_at_least" in said or "mean_at_most" in said:
            value = float(np.mean([run["accuracy"] for run in runs]))
            measured, what = accuracy(runs), "mean"
        least = said.get(f"{what}_at_least", 0.0)
        most = said.get(f"{what}_at_most", 1.0)
        yield said, measured, least <= value <= most


def learning_curves(
    record: Record, rules: Sequence[str], arms: Sequence[str], **cell: Any
) -> str:
    """Return the learning curve of every run as a thin line, rule by rule and arm by arm."""
    fig, axes = plotting.figure(
        len(rules), len(arms), height=1.0 + 1.25 * len(rules), sharex=True, sharey=True
    )
    axes = np.reshape(axes, (len(rules), len(arms)))
    said = []
    for row, rule in zip(axes, rules, strict=True):
        for ax, arm in zip(row, arms, strict=True):
            runs = runs_of(record, rule=rule, arm=arm, **cell)
            for run in runs:
                epochs = range(1, 1 + len(run["held_out"]))
                ax.plot(
                    epochs, [100 * y for y in run["held_out"]], color=INK, linewidth=0.5
                )
            ax.set(ylim=(0 if cell.get("task") == "digits" else 40, 103))
            words = f"{learned(runs)} of {len(runs)}" if runs else "not run"
            if cell.get("task") == "digits" and runs:
                words = f"mean {100 * np.mean([run['accuracy'] for run in runs]):.0f} %"
            ax.set_title(words, fontsize=9)
            said.append(f"{rule}, {WORDS[arm]}: {words}")
        row[0].set(ylabel=f"{rule}, %")
    for ax, arm in zip(axes[-1], arms, strict=True):
        ax.set_xlabel(WORDS[arm], fontsize=8)
    return figure_html(
        fig, f"Learning curves of every run. At the end: {'; '.join(said)}."
    )


def shares(
    record: Record,
    along: str,
    values: Sequence[Any],
    lines: Sequence[Mapping[str, Any]],
    **axis: Any,
) -> str:
    """Return the share of runs that learn along one quantity, a line for each cell."""
    fig, ax = plotting.figure(height=2.8)
    said = []
    for number, line in enumerate(lines):
        name = ", ".join(WORDS.get(str(word), str(word)) for word in line.values())
        found = [
            (k, runs_of(record, **{along: value}, **line))
            for k, value in enumerate(values)
        ]
        found = [(k, runs) for k, runs in found if runs]
        if not found:
            continue
        x = np.array([k for k, _ in found]) + 0.05 * (number - len(lines) / 2)
        y = np.array([100 * learned(runs) / len(runs) for _, runs in found])
        ends = 100 * np.array(
            [share_interval(learned(runs), len(runs)) for _, runs in found]
        )
        around = np.abs(ends.T - y)
        look = {
            "color": SERIES[number % len(SERIES)],
            "linestyle": DASHES[number % len(DASHES)],
        }
        ax.errorbar(
            x, y, yerr=around, marker="o", markersize=3.5, capsize=2, label=name, **look
        )
        points = [f"{values[k]}: {learned(runs)} of {len(runs)}" for k, runs in found]
        said.append(f"{name}: {', '.join(points)}")
    ax.set_xticks(
        range(len(values)), [str(value) for value in axis.pop("labels", values)]
    )
    ax.set(ylabel="runs that learn, %", ylim=(-5, 105), **axis)
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure_html(
        fig, f"Share of runs that learn, with intervals. {'; '.join(said)}."
    )


LANGUAGES = {
    "exact": "all",
    "detached-reset": "without `reset`",
    "detached-spikes": "without `reset`, `adapt` and `recur`: no spike feeds back",
    "classic": "after `weight` or `reset`, no `carry` before the next `spike`",
    "spatial-only": "without any arrow through time",
    "truncated-1": "at most one arrow through time (truncated-K: at most K)",
    "ottt": "`enter carry* spike (weight spike)* readout`",
    "e-prop": "as `ottt`, and on in a read-out that does not spike",
}
"""The words that each rule of the table of decisions keeps."""


def decisions(earlier: Record) -> Iterator[list[str]]:
    """Yield the rows of the table of decisions: what follows from a rule, and what runs showed.

    A rule can be learned forward in time if no word moves through time after it has left its
    neuron; then each synapse needs one trace, if words carry on at all before they leave.
    """
    net = network("2-2-1", hard_reset(LIF()))
    (carry,) = (arrow for arrow in net.arrows[1] if arrow.kind == "carry")
    for name, words in LANGUAGES.items():
        rule = RULES[name]
        forward = forbidding_word(net, rule) is None
        carries = rule.move(rule.start, carry) is not None
        memory = "one step" if forward else "all T steps"
        cell = {"task": "delayed-xor", "a": 0.02, "rule": name}
        found = counted(earlier, **cell, arm="none")
        for arm in ("beta2 0.9", "limit"):
            if (changed := counted(earlier, **cell, arm=arm)) != "–":
                found += f"; {WORDS[arm]}: {changed}"
        own = str(int(carries)) if forward else "–"
        yield [f"`{name}`", words, str(len(rule.moves)), own, memory, found]
