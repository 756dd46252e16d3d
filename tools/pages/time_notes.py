"""The notes beside the record of the experiment on causes: every cell, prediction and erratum.

``python -m tools.pages.time_notes`` writes ``docs/results/cause-notes.txt`` from the records.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.time.cause_record import NOT_OF_THE_CELL
from stbp_edu._support.files import write_text
from stbp_edu.training.measurements import measurements_folder
from tools.pages import Record, read_records
from tools.pages.time_page import all_verdicts
from tools.pages.time_runs import (
    LEARNS,
    accuracy,
    between,
    differences,
    fell_back,
    kinds,
    learned,
    only,
    runs_of,
    share,
    spread,
    tail,
)
from tools.pages.time_updates import LAST, failing_larger, sizes, times

HEAD = """Where time decides: cells, predictions, errata
==============================================

Written by `python -m tools.pages.time_notes` from the records beside it: cause, cause-fixed,
cause-updates, cause-rows, cause-earlier, cause-predictions and time-*. Shares have Wilson's 95 %
interval, differences and means on digits Student's. A run of delayed XOR has learned if it ends
above 95 %. Its mean accuracy has the lowest and the highest run beside it: some runs learn and
others do not, so an interval of the mean would go beyond 100 %.
"""
HEADS = {
    "cause": """A learning rate for each cell
=============================
The grid is of validation data and three other seeds. Shares of different cells are not
independent: all have the same seeds.
""",
    "cause-fixed": """At one learning rate for all, 0.01
==================================
These cells were added after those above: does an arm help, or the rate that was chosen for it?
""",
    "cause-updates": """Updates, at one learning rate for all, 0.01
===========================================
The size of an update is the norm of the change over the learning rate and over the root of the
number of parameters: 1 where Adam changes each by the learning rate. That of a run is the mean over
its first three epochs of the epoch's median. The cells that cause-fixed has were trained again.
""",
    "cause-rows": """Digits by rows, a learning rate for each cell
=============================================
A second task that asks for memory: 20 epochs, a = 0.02.
""",
}
SEEN = ("known", "fixed_before", "updates_before", "later_before", "rows_before")
"""The keys of the predictions that say what had been seen."""
OTHERS = (
    "time-rows",
    "time-recurrent-rows",
    "time-recurrent",
    "time-rectangle",
    "time-leak",
)
"""Earlier records of the limit on other tasks and networks, with five or ten seeds."""
ERRATA = """
Errata of this page's earlier versions
--------------------------------------
- It said that Adam's steps hardly depend on the size of the gradient. With heavy tails they do:
  one huge gradient keeps the steps small for about 1 / (1 - beta2) updates.
- It said that gains above 1 are the cause of failure on delayed XOR, and that holding them is the
  cure. beta2 = 0.9 with nothing else lets about as many runs of the exact rule learn, and so does
  the absolute value of every gain, which is as large.
- It then said that the optimiser stands between large gains and failure, and that beta2 forgets
  huge gradients sooner. No record had the size of an update; see "Updates". At one learning rate
  beta2 does not make the largest gradient smaller.
- It said of the steady digits that the direction of the gradient is lost. No record measures it.
- It compared cells as if only one thing had changed; their learning rates differ, too.
- It said that digits by rows and recurrent networks had not been tried; see "Other tasks".
- Its notebook said that at a leak of 0.8 no help of the limit was seen. Those runs (time-leak) have
  a = 0.0625, above the width of 0.031 below which a chain of silent steps can grow for exact there.
- It said that either rule fails below its critical width. Exact learns at 0.03, and its
  critical width is 0.038.
- It said that classic at a = 0.045 does not learn. With 0.04, the best of a grid that goes further,
  11 of 20 runs do.
- "0 of 10 runs" on the home page and in the README was the lowest of several cells: at the same
  rate and length 4 of 25 runs learned, 16 % (6 to 35 %). Two of the ten had passed 95 % and fell
  back.
- "Try the limit before you drop a path" was carried by no figure: exact with the limit minus
  detached-reset was -0.4 points (-1.4 to +0.6) at rate 0.01 and +3.9 (-8.2 to +16.0) at 0.02.
- Of the 59 predictions in predictions.json 31 were added on the second day. Without cells of a
  prototype, cells already seen, identities, null predictions and repeats, 23 hold and 11 fail.
- A correlation of 0.79 between cosine and accuracy pooled cells that differ in rule
  and width: without the 16 cells of two rules near zero it was 0.41, within two widths -0.09.
- "Each part of the resets stops some": 7 of 10 against 10 of 10 runs, p = 0.21.

Not tried
---------
SGD learns in no run; no cell joins it with the limit or with detached-reset, so this says nothing
about Adam. Real recordings have not been tried. No record has a potential or the direction of a
gradient.
"""


def text(records: Mapping[str, Record]) -> str:
    """Return the notes."""
    parts = [HEAD, *earlier_counts(records["cause-earlier"])]
    for name, head in HEADS.items():
        if name in records:
            record = records[name]
            parts += ["", head, *cells(record), *compared(record)]
    if "cause-updates" in records:
        parts += sizes_of_updates(records["cause-updates"])
    parts += [*others(records), *predictions(records)]
    return plain("\n".join([*parts, ERRATA]))


def earlier_counts(earlier: Record) -> Iterator[str]:
    """Yield the lines on runs of which only counts were kept."""
    yield from (
        "Earlier counts",
        "--------------",
        f"{earlier['what']}.",
        earlier["footing"],
        "",
    )
    for row in earlier["rows"]:
        yield named(row)


def cells(record: Record) -> Iterator[str]:
    """Yield the lines on every cell."""
    yield from ("Cells", "-----")
    yield f"Made on {record['machine']}; {record['versions']}."
    yield ""
    for row in record["rows"]:
        runs, came = row["runs"], named(kinds(row["runs"])) or "none"
        tried = (
            f", tried on validation data {named(row['tried'])}" if row["tried"] else ""
        )
        mean = accuracy(runs) if row["task"] == "digits" else spread(runs)
        yield f"{named(cell_of(row))}: rate {row['lr']:g}{tried}"
        yield f"    commit {row['commit']}, {row['date']}"
        yield f"    learn {share(runs)}; mean accuracy {mean} %; others: {came}"
        yield (
            f"    largest gradient norm of epoch 1 over the median: {tail(record, runs):.0e}; "
            f"passed 95 % and fell back: {fell_back(runs)}"
        )


def compared(record: Record) -> Iterator[str]:
    """Yield the paired differences of each cell from no change, and from the gain limit."""
    yield from ("", "Paired differences of accuracy, in points", "-" * 41)
    yield "In brackets: in how many seeds only the first learns, and in how many only the second."
    yield ""
    for row in record["rows"]:
        cell = cell_of(row)
        bases = {
            "none": {**cell, "arm": "none"},
            "limit": {**cell, "arm": "limit"},
            "detached-reset": {**cell, "arm": "none", "rule": "detached-reset"},
        }
        words = []
        for name, base in bases.items():
            other = runs_of(record, **base)
            if other and base != cell:
                first, second = only(row["runs"], other)
                difference = between(differences(row["runs"], other))
                words.append(f"minus {name} {difference} [{first}, {second}]")
        if words:
            yield f"{named(cell)}: {'; '.join(words)}"


def sizes_of_updates(record: Record) -> Iterator[str]:
    """Yield for each cell how large updates are, and whether they are larger in failing runs."""
    yield from ("", "Sizes of updates", "----------------")
    for row in record["rows"]:
        runs = row["runs"]
        found = sizes(record, runs)
        none = sizes(record, runs_of(record, rule=row["rule"], arm="none"))
        yield (
            f"{named(cell_of(row))}: median {np.median(found):.3f}, from {min(found):.3f} to "
            f"{max(found):.3f}; {times(found, none):.2f} times those without a change"
        )
        late = sizes(record, runs, LAST)
        failing = [run for run in runs if run["accuracy"] <= LEARNS]
        yield f"    in the last three epochs {np.median(late):.3f}"
        if failing and len(failing) < len(runs):
            larger = failing_larger(record, runs)
            yield f"    there, of failing runs {np.median(sizes(record, failing, LAST)):.3f}"
            yield f"    larger in the failing run: {larger:.2f} of the pairs with a learning one"


def others(records: Mapping[str, Record]) -> Iterator[str]:
    """Yield what earlier records say of the limit on other tasks and networks."""
    yield from ("", "Other tasks: the limit minus no change, paired", "-" * 46)
    for name in OTHERS:
        rows, base = records[name]["rows"], records[name]["base"]
        yield f"{name}: a {base['a']} where the cell does not say, tau {base['tau']}"
        for row in rows:
            cell = row["cell"]
            held = [r for r in rows if r["cell"] == {**cell, "gain_limit": 1.0}]
            if cell["gain_limit"] == 0 and held:
                runs, limited = row["runs"], held[0]["runs"]
                shown = {key: cell[key] for key in cell if key != "gain_limit"}
                above = f"{learned(runs)} and {learned(limited)} of {len(runs)}"
                difference = between(differences(limited, runs))
                yield f"    {named(shown)}: {difference} points; above 95 %: {above}"


def predictions(records: Mapping[str, Record]) -> Iterator[str]:
    """Yield the lines on every prediction."""
    predicted = records["cause-predictions"]
    yield from ("", "Predictions", "-----------")
    for key in SEEN:
        yield f"Seen before: {predicted[key]}."
    yield from ("", predicted["updates_mean"], "")
    for said, measured, held in all_verdicts(records):
        claims = {key: said[key] for key in said if key not in ("id", "cell", "known")}
        verdict = "no runs" if held is None else "holds" if held else "FAILS"
        seen = ", seen before" if said.get("known") else ""
        yield f"{said['id']}. {named(said['cell'])}: {named(claims)}{seen}: {measured}: {verdict}"


def cell_of(row: Record) -> Record:
    """Return the part of a row that says which cell it is."""
    return {key: row[key] for key in row if key not in NOT_OF_THE_CELL}


def named(values: Mapping[str, Any]) -> str:
    """Return names with their values."""
    return ", ".join(f"{name} {value}" for name, value in values.items())


def plain(words: str) -> str:
    """Return a text without hard spaces."""
    return words.replace("\xa0", " ")


def main() -> int:
    """Write the notes."""
    write_text(measurements_folder() / "cause-notes.txt", text(read_records()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
