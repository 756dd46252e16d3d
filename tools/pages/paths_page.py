"""What the page of reading paths shows of each path: its time, and its notebooks as dots."""

import re
from dataclasses import dataclass, field

from stbp_edu._support.files import read_text
from stbp_edu.practice.tasks import course_table, objectives, tasks
from tools import ROOT
from tools.notebooks.numbering import LINK, duration, files, spoken

CLAUSE = re.compile(r"(?<=[.;])\s+|\n")
OPTIONAL = re.compile(r"\bnew to you\b|\bhelps?\b")
CORE = 11  # notebooks, which derive the gradient of one network
SHORT = "One evening"
"""The path that leaves a notebook where it says so, as ``**One evening:** go on to ...``."""


@dataclass(frozen=True)
class Links:
    """The notebooks that a text links, by slug, in order, each once.

    ``entries`` are steps whose link leads to a section: what comes before it may be skipped.
    """

    steps: list[str] = field(default_factory=list)  # that are to be read
    optional: set[str] = field(
        default_factory=set
    )  # in a clause with *new to you* or *helps*
    entries: set[str] = field(default_factory=set)


def links(text: str) -> Links:
    """Return the notebooks that a text links."""
    result = Links()
    hidden = LINK.sub(
        lambda m: m[0].replace(".", "\0"), text
    )  # whose dots end no clause
    for clause in CLAUSE.split(hidden):
        for _, _, slug, anchor in LINK.findall(clause.replace("\0", ".")):
            if OPTIONAL.search(clause):
                result.optional.add(slug)
            elif slug not in result.steps:
                result.steps.append(slug)
                result.entries.update([slug] if anchor else [])
    return result


def paths() -> dict[str, Links]:
    """Return the paths by their titles: each section with a numbered list of notebooks."""
    page = read_text(ROOT / "docs" / "reading-paths.md")
    parts = re.split(r"^## (.+)$", page, flags=re.M)
    found = {
        title: links("\n".join(re.findall(r"^\d+\. .*$", text, flags=re.M)))
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }
    return {title: path for title, path in found.items() if path.steps}


def times() -> dict[str, str]:
    """Return the time of each path in words; a notebook of which it asks one section counts not."""
    found = {}
    for title, path in paths().items():
        tables = [course_table()[s] for s in path.steps if s not in path.entries]
        minutes = [table["minutes"] for table in tables]
        if title == SHORT:
            minutes = [
                (table.get("evening", table["minutes"][0]), 0) for table in tables
            ]
        found[title] = duration(minutes)
    return found


def names() -> dict[str, object]:
    """Return the names in ``docs/reading-paths.md``.

    They are the paths and their times, the notebooks of the course, the time of the core for
    reading and for the exercises, and the notebooks by what they train.
    """
    able: dict[str, list[str]] = {text: [] for text in objectives().values()}
    for slug, path in files().items():
        trained = (tasks()[id_].objective for id_ in course_table()[slug]["exercises"])
        for objective in dict.fromkeys(trained):
            able[objectives()[objective]].append(path.stem)
    course = [slug for slug, told in course_table().items() if not told.get("guide")]
    made = {"paths": paths(), "times": times(), "course": course}
    return {**made, "core": core(), "able": able}


def core() -> tuple[str, ...]:
    """Return how long the core takes, in words: its reading, and its exercises."""
    minutes = [table["minutes"] for table in list(course_table().values())[:CORE]]
    return tuple(spoken(sum(each)) for each in zip(*minutes, strict=True))
