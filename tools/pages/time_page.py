"""What the page "Where time decides" shows: interventions on runs that fail, from one record."""

from collections.abc import Iterator, Mapping

import numpy as np

from benchmarks.time.cause import cells
from stbp_edu import LIF
from stbp_edu.arrows import RULES, hard_reset, network
from stbp_edu.arrows.online_form import forbidding_word
from stbp_edu.training.measurements import mean_interval
from tools.pages import Record
from tools.pages import time_figures as figures
from tools.pages import time_runs as of
from tools.pages.time_figures import CHANGES, WORDS
from tools.pages.time_runs import (
    BY_DEFAULT,
    NOTHING,
    accuracy,
    between,
    differences,
    learned,
    runs_of,
    share,
)


def names(records: Mapping[str, Record]) -> dict[str, object]:
    """Return the names in ``docs/time.md``; the records may be missing."""
    predicted = records.get("cause-predictions", {"predictions": []})
    record = records.get("cause", NOTHING)
    earlier = records.get("cause-earlier", NOTHING)
    return {
        **vars(of),
        **vars(figures),
        **globals(),
        "record": record,
        "predicted": predicted,
        "earlier": earlier,
        "fixed": records.get("cause-fixed", NOTHING),
        "survey": records.get("time-width", NOTHING),
    }


def waiting(record: Record) -> int:
    """Return how many cells of the plan have no runs in the record."""
    return len(list(cells())) - len(record["rows"])


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


def shown_share(record: Record, rule: str, arm: str) -> str:
    """Return how many runs of a rule learn in an arm, in words; nothing without runs."""
    for row in record["rows"]:
        wanted = "delayed-xor", BY_DEFAULT["a"], rule, arm
        cell = row["task"], row.get("a"), row["rule"], row["arm"]
        if "learned" in row and cell == wanted:
            return f"{WORDS[arm]}: {row['learned']} of {row['of']}"
    runs = runs_of(record, rule=rule, arm=arm)
    return f"{WORDS[arm]}: {learned(runs)} of {len(runs)}" if runs else ""


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


def decisions(record: Record, earlier: Record) -> Iterator[list[str]]:
    """Yield the rows of the table of decisions: what follows from a rule, and what runs showed.

    Where the record has no runs of a rule, earlier counts stand in, and say so.

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
        own_runs = record if runs_of(record, rule=name, arm="none") else earlier
        shown = [shown_share(own_runs, name, arm) for arm in CHANGES]
        found = "; ".join(words for words in shown if words) or "–"
        if own_runs is earlier and found != "–":
            found += " (earlier count)"
        own = str(int(carries)) if forward else "–"
        yield [f"`{name}`", words, str(len(rule.moves)), own, memory, found]
