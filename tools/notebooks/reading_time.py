"""How long a notebook takes: a rule over what it holds, so that the times it states can be checked.

The rule was fitted to the minutes that six notebooks of the first edition took readers who did not
know them: 35 to 40, 30 to 35, 30 to 35, 45 to 55, 45 to 50 and 55. It gives 34, 37, 33, 49, 43 and
56. That is half the pace of reading for pleasure, as one reads what is to be learned, and twenty
seconds at a formula. Exercises have a rule of their own, which no one has measured yet.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tools.notebooks.execution import FOLDED
from tools.notebooks.reading_paths import paths

WORDS_PER_MINUTE = 130
SECONDS = {"formulas": 20, "lines": 8, "figures": 30}
MINUTES = {"questions": 3, "blanks": 3, "functions": 6, "passes": 30}
STEP = 5  # minutes; no time is stated more exactly
CHECKS = {
    "blanks": r"^check_formula\(",
    "functions": r"^check\(",
    "passes": r"^check_network\(",
}
TIME = re.compile(r"^\*\*Time\.\*\*.*$", flags=re.M)


@dataclass(frozen=True)
class Contents:
    """What takes time in a notebook.

    Attributes:
        words: words of the text; an inline formula or a piece of code counts as one.
        formulas: formulas on lines of their own.
        lines: lines of code that are in view; folded code and the cells of exercises are not.
        figures: figures, and other outputs that are more than text.
        questions: numbered questions of the section Exercises, which no program checks.
        blanks: formulas to be typed.
        functions: functions to be written.
        passes: whole backward passes to be written.
    """

    words: int = 0
    formulas: int = 0
    lines: int = 0
    figures: int = 0
    questions: int = 0
    blanks: int = 0
    functions: int = 0
    passes: int = 0

    def __add__(self, other: "Contents") -> "Contents":
        """Return both together."""
        return Contents(*(getattr(self, k) + getattr(other, k) for k in self.__match_args__))

    @property
    def reading(self) -> int:
        """The minutes for all but the exercises, as they are stated."""
        seconds = sum(each * getattr(self, kind) for kind, each in SECONDS.items())
        return _stated(self.words / WORDS_PER_MINUTE + seconds / 60)

    @property
    def exercises(self) -> int:
        """The minutes for the exercises, as they are stated."""
        return _stated(sum(each * getattr(self, kind) for kind, each in MINUTES.items()))


def contents(notebook: Any) -> Contents:
    """Count what takes time in a notebook."""
    total, section = Contents(), ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts = re.split(r"^## (.+)$", cell.source, flags=re.M)
            for head, text in zip([section, *parts[1::2]], parts[::2], strict=True):
                section = head
                total += _text(text, section == "Exercises")
        elif cell.cell_type == "code":
            total += _code(cell, section == "Exercises")
    return total


def _text(text: str, exercises: bool) -> Contents:
    if exercises:
        return Contents(questions=len(re.findall(r"^\d+\. ", text, flags=re.M)))
    text, formulas = re.subn(r"\$\$.+?\$\$", " ", TIME.sub("", text), flags=re.S)
    text, figures = re.subn(r"!\[[^\]]*\]\([^)]*\)", " ", text)
    text = re.sub(r"\$[^$]+\$|`[^`]+`", "x", text)  # one word each
    text = re.sub(r"\]\([^)]*\)|<[^>]+>", " ", text)
    return Contents(len(re.findall(r"\w[\w'’-]*", text)), formulas, figures=figures)


def _code(cell: Any, exercises: bool) -> Contents:
    checks = {kind: len(re.findall(p, cell.source, flags=re.M)) for kind, p in CHECKS.items()}
    if exercises or any(checks.values()):
        return Contents(**checks)
    seen = [] if FOLDED in cell.metadata.get("tags", []) else cell.source.splitlines()
    shown = [{"image/svg+xml", "text/html"} & set(o.get("data", {})) for o in cell.outputs]
    return Contents(lines=sum(map(bool, map(str.strip, seen))), figures=sum(map(bool, shown)))


def _stated(minutes: float) -> int:
    """Round to whole steps; what takes any time takes one.

    >>> _stated(32.4), _stated(32.5), _stated(0.5), _stated(0)
    (30, 35, 5, 0)
    """
    return max(STEP, STEP * int(minutes / STEP + 0.5)) if minutes else 0


def sentence(reading: int, exercises: int) -> str:
    """Return how a text states its time.

    >>> sentence(25, 20)
    '**Time.** About 25 minutes, and 20 for the exercises.'
    >>> sentence(160, 95)
    '**Time.** About 2½ hours, and 1½ hours for the exercises.'
    >>> sentence(15, 0)
    '**Time.** About 15 minutes.'
    """
    if not exercises:
        return f"**Time.** About {_spoken(reading)}."
    more = str(exercises) if max(reading, exercises) < 90 else _spoken(exercises)
    return f"**Time.** About {_spoken(reading)}, and {more} for the exercises."


def _spoken(minutes: int) -> str:
    if minutes < 90:
        return f"{minutes} minutes"
    whole, half = divmod(int(minutes / 30 + 0.5), 2)
    return f"{whole}{'½' * half} hours"


def with_times(notebooks: dict[str, Any], page: str) -> str:
    """Write the times into the openings of notebooks, and return the page of paths with its sums.

    Args:
        notebooks: the notebooks by slug; they are changed.
        page: the page of reading paths. A path that says ``**Time.**`` is given its sum;
            a notebook of which the path asks for one section only counts nothing.
    """
    times = {slug: contents(notebook) for slug, notebook in notebooks.items()}
    for slug, notebook in notebooks.items():
        first = notebook.cells[0]
        first.source = TIME.sub(_time([times[slug]]), first.source)
    found = paths(page)
    parts = re.split(r"^(## (?:.+))$", page, flags=re.M)
    for k in range(1, len(parts), 2):
        path = found.get(parts[k][3:])
        if path:
            counted = [times[slug] for slug in path.steps if slug not in path.entries]
            parts[k + 1] = TIME.sub(_time(counted), parts[k + 1])
    return "".join(parts)


def _time(each: Sequence[Contents]) -> str:
    """Return the sentence for several notebooks: the sum of what each of them states."""
    return sentence(sum(c.reading for c in each), sum(c.exercises for c in each))
