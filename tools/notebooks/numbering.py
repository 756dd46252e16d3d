"""Writes the number of each notebook, its place in the order of the course, wherever it stands.

The order stands in ``course.toml``, by slug, which is a file's name without its number. In Markdown
a notebook is always linked, as in ``[notebook 3](03_example.ipynb)``: the numbers in the link then
follow from the slug. Code names a notebook by its slug alone.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat

from stbp_edu.practice.tasks import course_table
from tools import ROOT
from tools.notebooks.execution import NotebookError, normalise
from tools.notebooks.reading_paths import LINK, TIME, Course, sentence, with_times

PATHS_PAGE = Path("docs", "reading-paths.md")
NUMBER = re.compile(r"^(?:([Nn]otebooks? )\d+|\d+(?=$| · ))")
ROW = re.compile(r"^\| \d+ (\| \[.+\]\((?:\d\d_)?(\w+)\.ipynb\): .+ \|) \d+\+\d+ \|$", flags=re.M)
NEXT = re.compile(r"(?<=\bNext: )\[[^\]]*\]\((?:\d\d_)?(\w+)\.ipynb\).*")


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


def markdown_files(root: Path = ROOT) -> list[Path]:
    """Return the files that may link a notebook, but for the notebooks."""
    folders = (root, root / "docs", root / "tools")
    return [path for folder in folders for path in sorted(folder.glob("*.md"))]


def renumber(root: Path = ROOT, course: Course | None = None) -> list[Path]:
    """Write what follows from ``course.toml``: the numbers of the notebooks, and their times.

    They stand in names, titles and links, the map's table and the reading paths. Returns the
    notebooks that have another name than before.

    Raises:
        NotebookError: if the course does not say all that is to be written.
    """
    course = course_table() if course is None else course
    before = files(root, course)
    for slug, table in course.items():
        if "minutes" not in table:
            raise NotebookError(f"course.toml must say how long {slug} takes; add minutes")
    paths = {
        slug: p.with_name(f"{k:02d}_{slug}.ipynb") for k, (slug, p) in enumerate(before.items())
    }
    for slug, path in before.items():
        path.rename(paths[slug])
    notebooks = {slug: nbformat.read(path, as_version=4) for slug, path in paths.items()}
    _write_numbers(notebooks, course)
    for file in markdown_files(root):
        page = file.read_text(encoding="utf-8")
        new = numbered(page, course)
        if file == root / PATHS_PAGE:
            new = with_times(new, course)
        if new != page:
            file.write_text(new, encoding="utf-8")
    for slug, path in paths.items():
        nbformat.write(normalise(notebooks[slug]), path)
    return [paths[slug] for slug in paths if paths[slug] != before[slug]]


def _write_numbers(notebooks: dict[str, Any], course: Course) -> None:
    """Write numbers and times into the notebooks' titles, links, tables, and ``Next: [...]``."""
    for k, (slug, notebook) in enumerate(notebooks.items()):
        first = notebook.cells[0]
        first.source = re.sub(r"^# (?:\d+ · )?", f"# {k} · ", first.source)
        first.source = TIME.sub(sentence([course[slug]["minutes"]]), first.source)
    for slug, after in pairwise([*notebooks, ""]):
        for cell in (c for c in notebooks[slug].cells if c.cell_type == "markdown"):
            text = _with_next(cell.source, after, notebooks)
            cell.source = _with_rows(numbered(text, course), course)


def _with_next(text: str, after: str, notebooks: dict[str, Any]) -> str:
    """Return the text in which ``Next: [...]`` links the notebook that comes after its own."""
    if not after:
        return text
    title = re.match(r"# (\d+ · [^:\n]+)", notebooks[after].cells[0].source)
    new = numbered(f"[{title and title[1]}]({after}.ipynb).", notebooks)
    return NEXT.sub(lambda match: match[0] if match[1] == after else new, text)


def _with_rows(text: str, course: Course) -> str:
    """Return the map's text in which the row of each notebook has its number and its minutes."""

    def row(match: re.Match[str]) -> str:
        words, slug = match.groups()
        reading, exercises = course[slug]["minutes"]
        return f"| {list(course).index(slug)} {words} {reading}+{exercises} |"

    return ROW.sub(row, text)
