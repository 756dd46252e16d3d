"""The generic reader: rows of the published records, and how pages write and draw their numbers.

A row has its accuracies as a list, one for each seed, or as ``{"seeds": [...], ...}``. What is
written has hard spaces and a long minus.
"""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np

from stbp_edu import plotting
from stbp_edu._support.files import read_json
from stbp_edu.plotting.palette import GRID, INK, SERIES
from stbp_edu.training.measurements import (
    half_width,
    measurements_folder,
    share_interval,
)

Record = Mapping[str, Any]
LEARNS = 0.95
"""The accuracy above which a run of delayed XOR has learned."""


def read_records() -> dict[str, Record]:
    """Return every published record by its name without ``.json``."""
    files = sorted(measurements_folder().glob("*.json"))
    return {path.stem: read_json(path) for path in files}


def processor(record: Record) -> str:
    """Return the short name of the processor that a record, or a run of one, was made on."""
    name = str(record["machine"]["processor"])
    return name.replace("(R)", "").removesuffix(" Processor")


def find(record: Record, *rule_and_arm: str, **wanted: Any) -> Any:
    """Return the row that has these values, or None; a row without changes has none."""
    wanted.update(zip(("rule", "arm"), rule_and_arm, strict=False))
    for row in record["rows"]:
        if wanted.items() <= {"changes": {}, **row}.items():
            return row
    return None


def values(row: Record) -> list[float]:
    """Return the accuracies of a row's runs in percent."""
    found = row["accuracy"]
    return [100 * a for a in (found["seeds"] if isinstance(found, Mapping) else found)]


def differences(row: Record | None, other: Record | None) -> list[float]:
    """Return how much more accurate runs are than others of the same seeds, in points."""
    if not (row and other):
        return []
    return [a - b for a, b in zip(values(row), values(other), strict=True)]


def number(x: float, digits: int = 2, sign: str = "") -> str:
    """Return a number with a long minus, and no minus before 0."""
    return f"{round(x, digits) + 0.0:{sign}.{digits}f}".replace("-", "−")


def mean(found: Sequence[float], digits: int = 2, sign: str = "") -> str:
    r"""Return a mean ± half of its 95 % interval; a dash without values.

    >>> mean([1.0, 2.0, 3.0], 1), mean([-0.5], sign="+"), mean([])
    ('2.0\xa0±\xa02.5', '−0.50', '–')
    """
    if not found:
        return "–"
    middle = number(float(np.mean(found)), digits, sign)
    if len(found) == 1:
        return middle
    return f"{middle}\xa0±\xa0{half_width(found):.{digits}f}"


def percent(row: Record) -> str:
    """Return the mean accuracy of a row ± half of its 95 % interval."""
    return mean(values(row))


def around(row: Record | None) -> str:
    """Return the mean accuracy of a row in whole percent ± half of its 95 % interval."""
    return mean(values(row), 0) if row else "–"


def paired(row: Record | None, other: Record | None, digits: int = 1) -> str:
    """Return the mean paired difference of two rows in points ± half of its 95 % interval."""
    return mean(differences(row, other), digits, "+")


def learned(row: Record) -> int:
    """Return how many runs of a row have learned."""
    return sum(accuracy > LEARNS for accuracy in row["accuracy"])


def of(row: Record | None) -> str:
    """Return how many runs learn, as "2 of 20"; a dash without runs."""
    return f"{learned(row)}\xa0of\xa0{len(row['accuracy'])}" if row else "–"


def share(row: Record) -> str:
    """Return how many runs learn, with Wilson's 95 % interval in percent."""
    low, high = share_interval(learned(row), len(row["accuracy"]))
    return f"{of(row)} ({100 * low:.0f}\xa0to\xa0{100 * high:.0f}\xa0%)"


def figure_html(fig: Any, alt: str) -> str:
    """Return a figure as HTML, with the words that stand for it."""
    return f'<div class="stbp-figure">{plotting.show(fig, alt=alt).html()}</div>\n'


def shares(rows: Mapping[str, Record], alt: str) -> str:
    """Return the share of runs that learn of each row, as a dot with Wilson's interval."""
    fig, ax = plotting.figure(height=0.9 + 0.33 * len(rows))
    said = [f"{words}: {of(row)}" for words, row in rows.items()]
    for k, row in enumerate(reversed(rows.values())):
        n = len(row["accuracy"])
        low, high = share_interval(learned(row), n)
        colour = SERIES[0] if "sign" in row["arm"] else INK
        ax.plot([0, 100], [k, k], color=GRID, linewidth=0.6, zorder=0)
        ax.plot([100 * low, 100 * high], [k, k], color=colour, linewidth=1.6)
        ax.plot(100 * learned(row) / n, k, "o", color=colour, markersize=5)
    # in two lines of about one length, which leaves room for the dots on a phone
    names = [fill(words, len(words) // 2 + 6) for words in reversed(rows)]
    ax.set_yticks(range(len(rows)), names)
    ax.set(xlabel="runs that learn, %", xlim=(-2, 102), ylim=(-0.6, len(rows) - 0.4))
    return figure_html(fig, f"{alt} {'; '.join(said)}.")


def accuracies(rows: Sequence[Record], passed: Mapping[str, float], alt: str) -> str:
    """Return the accuracy of each row as a dot with its 95 % interval, and what is compared."""
    fig, ax = plotting.figure(height=1.1 + 0.32 * len(rows))
    for k, row in enumerate(reversed(rows)):
        found = values(row)
        ax.plot(found, [k] * len(found), "|", color=GRID, markersize=9)
        around = half_width(found)
        ax.errorbar(np.mean(found), k, xerr=around, fmt="o", color=INK, capsize=3)
    for name, goal in passed.items():
        ax.axvline(100 * goal, color=SERIES[1], linestyle="--", linewidth=1)
        words = f"{name}\n{100 * goal:.2f}\xa0%"
        ax.text(100 * goal, len(rows) - 0.45, words, ha="center", va="bottom", size=9)
    ax.set(ylim=(-0.6, len(rows) - 0.4), xlabel="accuracy on the test images, %")
    names = [row["name"].replace(", ", ",\n") for row in reversed(rows)]
    ax.set_yticks(range(len(rows)), names)
    return figure_html(fig, alt)
