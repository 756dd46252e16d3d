"""What the page of reading paths shows of each path: its time, and its notebooks as dots."""

import re
from dataclasses import dataclass

from stbp_edu._support.files import read_text
from stbp_edu.practice.tasks import course_table, objectives, tasks
from tools import ROOT
from tools.notebooks.numbering import PATHS_PAGE, files, spoken

SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.M | re.S)
TIME = re.compile(r"\*\*Time\.\*\* About (.+?)\.\n")
CORE = 11  # notebooks, which derive the gradient of one network
NOTEBOOK = re.compile(r"\(notebooks/(\d\d)_")


@dataclass(frozen=True)
class ReadingPath:
    """One reading path.

    Attributes:
        title: its heading.
        anchor: the heading's id on the page.
        time: how long it takes, in words.
        dots: for each notebook of the course, whether the path has it.
    """

    title: str
    anchor: str
    time: str
    dots: tuple[bool, ...]


def paths() -> list[ReadingPath]:
    """Return the reading paths, in the order of the page: each section that states a time."""
    page = read_text(ROOT / PATHS_PAGE)
    notebooks = {slug: path.stem[:2] for slug, path in files().items()}
    numbers = [
        k for slug, k in notebooks.items() if not course_table()[slug].get("guide")
    ]
    found = []
    for title, body in SECTION.findall(page):
        time = TIME.search(body)
        if time is None:
            continue
        named = set(NOTEBOOK.findall(body))
        anchor = re.sub(r"[^a-z]+", "-", title.lower())
        dots = tuple(number in named for number in numbers)
        found.append(ReadingPath(title, anchor, time[1], dots))
    return found


def names() -> dict[str, object]:
    """Return the names in ``docs/reading-paths.md``.

    They are the paths, the time of the core for reading and for the exercises, and the notebooks by
    what they train.
    """
    able: dict[str, list[str]] = {text: [] for text in objectives().values()}
    for slug, path in files().items():
        trained = (tasks()[id_].objective for id_ in course_table()[slug]["exercises"])
        for objective in dict.fromkeys(trained):
            able[objectives()[objective]].append(path.stem)
    return {"paths": paths(), "core": core(), "able": able}


def core() -> tuple[str, ...]:
    """Return how long the core takes, in words: its reading, and its exercises."""
    minutes = [table["minutes"] for table in list(course_table().values())[:CORE]]
    return tuple(spoken(sum(each)) for each in zip(*minutes, strict=True))
