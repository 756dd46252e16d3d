"""How long a notebook takes, and a path of several: a rule, so that stated times can be checked.

The rule was fitted to the minutes of a few automated readings of the second edition; none has been
measured with students. Nearly all the time goes into words, at a third of the pace of reading for
pleasure. ``pace`` in ``course.toml`` is how many times as long later readings took: more where much
is done with a pencil, less in the map, whose tables are for looking up. In Part I it lies among
three of them: 28, 37 and 45 minutes for the adjoints, 50, 55 and 55 for case 3, 54, 55 and 75 for
case 4, 60, 65 and 85 for the whole pass, the blank page included. The minutes of an exercise are
those that its task states, an estimate.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from stbp_edu.practice.tasks import tasks
from tools.notebooks.execution import FOLDED

WORDS_PER_MINUTE = 46  # an inline formula, or a piece of code, is a word
SECONDS = {"words": 60 / WORDS_PER_MINUTE, "formulas": 8, "lines": 2, "figures": 15}
SECONDS |= {"passes": 60 * tasks()["backward"].minutes}
"""For a word, a formula on a line of its own, a line of code in view, a figure, and a whole
backward pass to be written, which is asked in the midst of the text."""
MINUTES = {"questions": 3, "hunts": 6, "tasks": 1}
"""For a question, a bug to be found, and each minute that a task states."""
STEP = 5  # minutes; no time is stated more exactly
CHECKS = {"hunts": r"^hunt\(", "passes": r"^check_network\("}
TASK = re.compile(r'^check(_formula)?\("([\w-]+)"', flags=re.M)
LINK = re.compile(r"\[([^\]]*)\]\(([\w./-]*/)?(?:\d\d_)?(\w+)\.ipynb(#[\w-]+)?\)")
"""A link to a notebook: its words, folder, slug and anchor."""
CLAUSE = re.compile(r"(?<=[.;])\s+|\n")
OPTIONAL = re.compile(r"\bnew to you\b|\bhelps?\b")
SHORT = "One evening"
"""The path that leaves a notebook where it says so, as ``**One evening:** go on to ...``."""
LEAVE = re.compile(rf"^\*\*{SHORT}:\*\*.*$", flags=re.M)
TIME = re.compile(r"^\*\*Time\.\*\*.*$", flags=re.M)


@dataclass(frozen=True)
class Minutes:
    """The minutes that a notebook takes as they are stated: its exercises, and all else."""

    reading: int
    exercises: int


def minutes(found: Counter[str], pace: float = 1.0) -> Minutes:
    """Return how long what a notebook holds takes; reading it takes ``pace`` times the rule."""
    seconds = pace * sum(each * found[kind] for kind, each in SECONDS.items())
    return Minutes(_stated(seconds / 60), _stated(sum(MINUTES[k] * found[k] for k in MINUTES)))


def contents(notebook: Any, short: bool = False) -> Counter[str]:
    """Count what takes time in a notebook; the keys are those of ``SECONDS`` and ``MINUTES``.

    ``short`` counts only up to where the short path leaves it, if it does.
    """
    total, section = Counter[str](), ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            source, *after = LEAVE.split(cell.source)
            parts = re.split(r"^## (.+)$", source if short else cell.source, flags=re.M)
            for head, text in zip([section, *parts[1::2]], parts[::2], strict=True):
                section = head
                total += _text(text, section == "Exercises")
            if short and after:
                break
        elif cell.cell_type == "code":
            total += _code(cell, section == "Exercises")
    return total


def _text(text: str, exercises: bool) -> Counter[str]:
    if exercises:
        return Counter(questions=len(re.findall(r"^\d+\. ", text, flags=re.M)))
    text, formulas = re.subn(r"\$\$.+?\$\$", " ", TIME.sub("", text), flags=re.S)
    text, figures = re.subn(r"!\[[^\]]*\]\([^)]*\)", " ", text)
    text = re.sub(r"\$[^$]+\$|`[^`]+`", "x", text)  # one word each
    text = re.sub(r"\]\([^)]*\)|<[^>]+>", " ", text)
    return Counter(words=len(re.findall(r"\w[\w'’-]*", text)), formulas=formulas, figures=figures)


def _code(cell: Any, exercises: bool) -> Counter[str]:
    checks = Counter({k: len(re.findall(p, cell.source, flags=re.M)) for k, p in CHECKS.items()})
    asked = [id_ + formula.replace("_", "-") for formula, id_ in TASK.findall(cell.source)]
    checks["tasks"] = sum(tasks()[id_].minutes for id_ in asked)
    if exercises or any(checks.values()):
        return checks
    seen = [] if FOLDED in cell.metadata.get("tags", []) else cell.source.splitlines()
    shown = [{"image/svg+xml", "text/html"} & set(o.get("data", {})) for o in cell.outputs]
    return Counter(lines=sum(map(bool, map(str.strip, seen))), figures=sum(map(bool, shown)))


def _stated(minutes: float) -> int:
    """Round to whole steps; what takes any time takes one."""
    return max(STEP, STEP * int(minutes / STEP + 0.5)) if minutes else 0


def sentence(each: Sequence[Minutes]) -> str:
    """Return how a text states the time of several notebooks: the sum of what each states.

    >>> sentence([Minutes(10, 5), Minutes(15, 15)])
    '**Time.** About 25 minutes, and 20 for the exercises.'
    >>> sentence([Minutes(160, 95)])
    '**Time.** About 2½ hours, and 1½ hours for the exercises.'
    """
    reading, exercises = sum(one.reading for one in each), sum(one.exercises for one in each)
    more = str(exercises) if max(reading, exercises) < 90 else _spoken(exercises)
    told = f", and {more} for the exercises" if exercises else ""
    return f"**Time.** About {_spoken(reading)}{told}."


def _spoken(minutes: int) -> str:
    if minutes < 90:
        return f"{minutes} minutes"
    whole, half = divmod(int(minutes / 30 + 0.5), 2)
    return f"{whole}{'½' * half} hours"


@dataclass(frozen=True)
class Links:
    """The notebooks that a text links, by slug, in order, each once.

    Attributes:
        steps: those that are to be read.
        optional: those in a clause that says *new to you* or *helps*.
        entries: steps whose link leads to a section; what comes before it may be skipped.
    """

    steps: list[str] = field(default_factory=list)
    optional: set[str] = field(default_factory=set)
    entries: set[str] = field(default_factory=set)


def paths(page: str) -> dict[str, Links]:
    r"""Return the paths of a page: each section with a numbered list or a table of notebooks.

    A link outside the list or the table counts only as optional, where its clause says so.

    >>> page = "## One evening\n\n1. [A](notebooks/00_a.ipynb)\n2. [D](03_d.ipynb#x)\n\n"
    >>> page += "If it is new to you: [B](notebooks/01_b.ipynb)."
    >>> paths(page)
    {'One evening': Links(steps=['a', 'd'], optional={'b'}, entries={'d'})}
    """
    found = {}
    parts = re.split(r"^## (.+)$", page, flags=re.M)
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        path = links("\n".join(re.findall(r"^(?:\d+\. |\| ).*$", text, flags=re.M)))
        if path.steps:
            path.optional.update(links(text).optional)
            found[title] = path
    return found


def links(text: str) -> Links:
    """Return the notebooks that a text links."""
    result = Links()
    hidden = LINK.sub(lambda m: m[0].replace(".", "\0"), text)  # whose dots end no clause
    for clause in CLAUSE.split(hidden):
        for _, _, slug, anchor in LINK.findall(clause.replace("\0", ".")):
            if OPTIONAL.search(clause):
                result.optional.add(slug)
            elif slug not in result.steps:
                result.steps.append(slug)
                result.entries.update([slug] if anchor else [])
    return result


def with_times(notebooks: dict[str, Any], page: str, paces: dict[str, float]) -> str:
    """Write the times into the openings of notebooks, and return the page of paths with its sums.

    Args:
        notebooks: the notebooks by slug; they are changed.
        page: the page of reading paths. A path that says ``**Time.**`` is given its sum;
            a notebook of which the path asks for one section only counts nothing.
        paces: how much longer than by the rule a notebook takes, where that is not 1.
    """
    full, short = (
        {s: minutes(contents(n, cut), paces.get(s, 1.0)) for s, n in notebooks.items()}
        for cut in (False, True)
    )
    for slug, notebook in notebooks.items():
        first = notebook.cells[0]
        first.source = TIME.sub(sentence([full[slug]]), first.source)
    found, parts = paths(page), re.split(r"^(?=## )", page, flags=re.M)
    for k, part in enumerate(parts):
        title = part.partition("\n")[0][3:]
        if path := found.get(title):
            times = short if title == SHORT else full
            counted = [times[slug] for slug in path.steps if slug not in path.entries]
            parts[k] = TIME.sub(sentence(counted), part)
    return "".join(parts)
