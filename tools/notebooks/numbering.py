"""Writes the number of each notebook, its place in the order of the course, and its time.

The order stands in ``course.toml``, by slug, which is a file's name without its number, with the
minutes of each; a guide has its number in the file's name alone. In Markdown a notebook is always
linked, as in ``[notebook 3](03_example.ipynb)``: the
numbers in the link then follow from the slug, and the time of a reading path from its links.
Code names a notebook by its slug alone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import nbformat

from stbp_edu.practice.tasks import course_table
from tools import ROOT
from tools.notebooks.execution import NotebookError, normalise

PATHS_PAGE = Path("docs", "reading-paths.md")
LINK = re.compile(r"\[([^\]]*)\]\(([\w./-]*/)?(?:\d\d_)?(\w+)\.ipynb(#[^)\s]+)?\)")
"""A link to a notebook: its words, folder, slug and anchor."""
NUMBER = re.compile(r"^(?:([Nn]otebooks? )\d+|\d+(?=$| · ))")
NEXT = re.compile(r"(?<=\bNext: )\[[^\]]*\]\((?:\d\d_)?(\w+)\.ipynb\).*")
TIME = re.compile(r"^\*\*Time\.\*\*.*$", flags=re.M)
CLAUSE = re.compile(r"(?<=[.;])\s+|\n")
OPTIONAL = re.compile(r"\bnew to you\b|\bhelps?\b")
SHORT = "One evening"
"""The path that leaves a notebook where it says so, as ``**One evening:** go on to ...``."""

Course = Mapping[str, Mapping[str, Any]]
"""What ``course.toml`` says of each notebook, by its slug, in the order of the course."""


def files(root: Path = ROOT, course: Course | None = None) -> dict[str, Path]:
    """Return the file of each notebook by its slug, in the order of the course.

    Raises:
        NotebookError: if the course names a notebook that has no file, or has not named one.
    """
    paths = sorted((root / "notebooks").glob("*.ipynb"))
    found = {re.sub(r"^\d\d_", "", path.stem): path for path in paths}
    order = list(course_table() if course is None else course)
    if sorted(found) != sorted(order) or len(found) < len(paths):
        raise NotebookError(
            f"course.toml must name each notebook once, by its file without the number; it names "
            f"{order}, and the files are {[p.name for p in paths]}; add what is missing"
        )
    return {slug: found[slug] for slug in order}


def markdown_files(root: Path = ROOT) -> list[Path]:
    """Return the files that may link a notebook, but for the notebooks."""
    folders = (root, root / "docs", root / "tools")
    return [path for folder in folders for path in sorted(folder.glob("*.md"))]


def renumber(root: Path = ROOT, course: Course | None = None) -> list[Path]:
    """Write what follows from ``course.toml``: the numbers of the notebooks, and their times.

    They stand in names, titles and links and in the reading paths. Returns the notebooks that
    have another name than before.

    Raises:
        NotebookError: if the course does not say all that is to be written.
    """
    course = course_table() if course is None else course
    before = files(root, course)
    for slug, table in course.items():
        if "minutes" not in table:
            raise NotebookError(
                f"course.toml must say how long {slug} takes; add minutes"
            )
    paths, notebooks, titles = [], [], []
    for k, (slug, path) in enumerate(before.items()):
        paths.append(path.rename(path.with_name(f"{k:02d}_{slug}.ipynb")))
        notebooks.append(nbformat.read(paths[k], as_version=4))
        first = notebooks[k].cells[0]
        number = "" if course[slug].get("guide") else f"{k} · "
        first.source = re.sub(r"^# (?:\d+ · )?", f"# {number}", first.source)
        first.source = TIME.sub(sentence([course[slug]["minutes"]]), first.source)
        titles.append(re.split(r"[:\n]", first.source[2:])[0])
    following = [*zip(before, titles, strict=True)][1:]
    for path, notebook, after in zip_longest(paths, notebooks, following):
        for cell in (c for c in notebook.cells if c.cell_type == "markdown"):
            text = _with_next(cell.source, *after) if after else cell.source
            cell.source = numbered(text, course)
        nbformat.write(normalise(notebook), path)
    for file in markdown_files(root):
        page = file.read_text(encoding="utf-8")
        new = numbered(page, course)
        if file == root / PATHS_PAGE:
            new = with_times(new, course)
        if new != page:
            file.write_text(new, encoding="utf-8")
    return [
        path for path, old in zip(paths, before.values(), strict=True) if path != old
    ]


def numbered(text: str, slugs: Iterable[str]) -> str:
    """Return Markdown in which every link to a notebook has its number.

    >>> numbered("[notebook 7](../x/07_b.ipynb#c), [case 2](b.ipynb), [1](03_b.ipynb)", ["a", "b"])
    '[notebook 1](../x/01_b.ipynb#c), [case 2](01_b.ipynb), [1](01_b.ipynb)'
    """
    numbers = {slug: k for k, slug in enumerate(slugs)}

    def link(match: re.Match[str]) -> str:
        words, folder, slug, anchor = match.groups("")
        if slug not in numbers:
            return match[0]
        words = NUMBER.sub(lambda m: f"{m[1] or ''}{numbers[slug]}", words)
        return f"[{words}]({folder}{numbers[slug]:02d}_{slug}.ipynb{anchor})"

    return LINK.sub(link, text)


def _with_next(text: str, after: str, title: str) -> str:
    """Return the text in which ``Next: [...]`` links the notebook that comes after its own."""
    return NEXT.sub(
        lambda m: m[0] if m[1] == after else f"[{title}]({after}.ipynb).", text
    )


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
                each = [
                    [table.get("evening", table["minutes"][0]), 0] for table in tables
                ]
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
    more = str(exercises) if max(reading, exercises) < 90 else spoken(exercises)
    told = f", and {more} for the exercises" if exercises else ""
    return f"**Time.** About {spoken(reading)}{told}."


def spoken(minutes: int) -> str:
    """Return a duration in words.

    >>> spoken(45), spoken(155)
    ('45 minutes', '2½ hours')
    """
    if minutes < 90:
        return f"{minutes} minutes"
    whole, half = divmod(int(minutes / 30 + 0.5), 2)
    return f"{whole}½ hours" if half else f"{whole} hours"
