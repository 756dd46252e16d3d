"""What the page "Where time decides" shows: interventions on runs that fail, from one record."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.time.cause import cells
from stbp_edu import LIF
from stbp_edu.arrows import RULES, hard_reset, network
from stbp_edu.arrows.online_form import forbidding_word
from stbp_edu.training.measurements import mean_interval
from tools.pages import Record
from tools.pages import time_figures as figures
from tools.pages import time_runs as of
from tools.pages import time_updates as moved
from tools.pages.time_figures import CHANGES, WORDS
from tools.pages.time_runs import (
    BY_DEFAULT,
    NOTHING,
    Verdict,
    accuracy,
    between,
    differences,
    learned,
    runs_of,
    share,
)
from tools.pages.time_updates import judged_updates

PREDICTED = {
    "cause": ("predictions", "later"),
    "cause-fixed": ("fixed",),
    "cause-updates": ("updates",),
    "cause-rows": ("rows",),
}
"""The lists of predictions in ``cause-predictions.json`` about each record."""


def names(records: Mapping[str, Record]) -> dict[str, object]:
    """Return the names in ``docs/time.md``; the records may be missing."""
    record = records.get("cause", NOTHING)
    return {
        **vars(of),
        **vars(moved),
        **vars(figures),
        **globals(),
        "record": record,
        "fixed": records.get("cause-fixed", NOTHING),
        "updates": records.get("cause-updates", NOTHING),
        "rows": records.get("cause-rows", NOTHING),
        "survey": records.get("time-width", NOTHING),
        "verdicts": all_verdicts(records),
    }


def all_verdicts(records: Mapping[str, Record]) -> list[Verdict]:
    """Return what became of each prediction, in the order in which they were written."""
    predicted = records.get("cause-predictions", {})
    found: list[Verdict] = []
    for name, lists in PREDICTED.items():
        for key in lists:
            record, said = records.get(name, NOTHING), predicted.get(key, ())
            found += (
                judged_updates(record, said)
                if key == "updates"
                else judged(record, said)
            )
    return sorted(found, key=lambda verdict: verdict[0]["id"])


def waiting(record: Record) -> int:
    """Return how many cells of the plan have no runs in the record."""
    return len(list(cells())) - len(record["rows"])


def judged(record: Record, predictions: Sequence[Record]) -> Iterator[Verdict]:
    """Yield each prediction, what was measured, and whether it holds; None without the runs.

    A share or a mean is judged by its point, a difference by its whole interval.
    """
    for said in predictions:
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


def tallied(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Return how many predictions hold, fail and wait, and how many of the first had been seen."""
    tally = dict.fromkeys(("hold", "fail", "wait", "seen", "seen, fail"), 0)
    for said, _, held in verdicts:
        tally["wait" if held is None else "hold" if held else "fail"] += 1
        if said.get("known") and held is not None:
            tally["seen" if held else "seen, fail"] += 1
    return tally


SAME = {"detached-spikes": "detached-reset", "e-prop": "ottt"}
"""Rules that are the same as another one in this network, whose output spikes."""


def shown_shares(record: Record, survey: Record, rule: str) -> str:
    """Return how many runs of a rule learn at a = 0.02, in words.

    Where the record has none, those of the survey, which say so.
    """
    if rule in SAME:
        return f"as `{SAME[rule]}` here"
    cells_of_runs = {arm: runs_of(record, rule=rule, arm=arm) for arm in CHANGES}
    shown = [
        f"{WORDS[arm]}: {learned(runs)} of {len(runs)}"
        for arm, runs in cells_of_runs.items()
        if runs
    ]
    if shown:
        return "; ".join(shown)
    for row in survey["rows"]:
        if row["cell"] == {"rule": rule, "a": BY_DEFAULT["a"]}:
            return f"no change: {learned(row['runs'])} of {len(row['runs'])} (earlier seeds)"
    return "–"


def of_widths(survey: Record, rule: str, narrowest: float, widest: float = 1.0) -> str:
    """Return how many runs of the survey learn between two widths, as "34 of 35"."""
    runs = [
        run
        for row in survey["rows"]
        if row["cell"]["rule"] == rule and narrowest <= row["cell"]["a"] <= widest
        for run in row["runs"]
    ]
    return f"{learned(runs)} of {len(runs)}"


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


def decisions(record: Record, survey: Record) -> Iterator[list[str]]:
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
        own = str(int(carries)) if forward else "–"
        found = shown_shares(record, survey, name)
        yield [f"`{name}`", words, str(len(rule.moves)), own, memory, found]
