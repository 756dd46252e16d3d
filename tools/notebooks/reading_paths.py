"""The notebooks that a text links, the paths of a page through them, and the time that these take.

The minutes of a notebook stand in ``course.toml``, and those of a path are their sum.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

LINK = re.compile(r"\[([^\]]*)\]\(([\w./-]*/)?(?:\d\d_)?(\w+)\.ipynb(#[\w-]+)?\)")
"""A link to a notebook: its words, folder, slug and anchor."""
CLAUSE = re.compile(r"(?<=[.;])\s+|\n")
OPTIONAL = re.compile(r"\bnew to you\b|\bhelps?\b")
SHORT = "One evening"
"""The path that leaves a notebook where it says so, as ``**One evening:** go on to ...``."""
TIME = re.compile(r"^\*\*Time\.\*\*.*$", flags=re.M)

Course = Mapping[str, Mapping[str, Any]]
"""What ``course.toml`` says of each notebook, by its slug, in the order of the course."""


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


def with_times(page: str, course: Course) -> str:
    """Return the page of paths in which each one that says ``**Time.**`` is given its sum.

    A notebook of which the path asks for one section only counts nothing.
    """
    found, parts = paths(page), re.split(r"^(?=## )", page, flags=re.M)
    for k, part in enumerate(parts):
        title = part.partition("\n")[0].removeprefix("## ")
        if path := found.get(title):
            tables = [course[slug] for slug in path.steps if slug not in path.entries]
            if title == SHORT:
                each = [[table.get("evening", table["minutes"][0]), 0] for table in tables]
            else:
                each = [table["minutes"] for table in tables]
            parts[k] = TIME.sub(sentence(each), part)
    return "".join(parts)


def sentence(each: Iterable[Iterable[int]]) -> str:
    """Return how a text states the time of several notebooks: the sum of what each states.

    >>> sentence([(10, 5), (15, 15)])
    '**Time.** About 25 minutes, and 20 for the exercises.'
    >>> sentence([(160, 95)])
    '**Time.** About 2½ hours, and 1½ hours for the exercises.'
    """
    reading, exercises = map(sum, zip(*each, strict=True))
    more = str(exercises) if max(reading, exercises) < 90 else _spoken(exercises)
    told = f", and {more} for the exercises" if exercises else ""
    return f"**Time.** About {_spoken(reading)}{told}."


def _spoken(minutes: int) -> str:
    if minutes < 90:
        return f"{minutes} minutes"
    whole, half = divmod(int(minutes / 30 + 0.5), 2)
    return f"{whole}{'½' * half} hours"
