"""Writes the number of each notebook, its place in the order of the course, and its time.

The order stands in ``course.toml``, by slug, which is a file's name without its number, with the
minutes of each; a guide has its number in the file's name alone. In Markdown a notebook is always
linked, as in ``[notebook 3](03_example.ipynb)``: the
numbers in the link then follow from the slug. Code names a notebook by its slug alone.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat

from stbp_edu.practice.tasks import course_table
from tools import ROOT
from tools.notebooks.execution import normalise

LINK = re.compile(r"\[([^\]]*)\]\(([\w./-]*/)?(?:\d\d_)?(\w+)\.ipynb(#[^)\s]+)?\)")
"""A link to a notebook: its words, folder, slug and anchor."""
NUMBER = re.compile(r"^(?:([Nn]otebooks? )\d+|\d+(?=$| · ))")
NEXT = re.compile(r"(?<=\bNext: )\[[^\]]*\]\((?:\d\d_)?(\w+)\.ipynb\).*")
TIME = re.compile(r"^\*\*Time\.\*\*.*$", flags=re.M)


def files(root: Path = ROOT) -> dict[str, Path]:
    """Return the file of each notebook by its slug, in the order of the course."""
    paths = (root / "notebooks").glob("*.ipynb")
    found = {re.sub(r"^\d\d_", "", path.stem): path for path in paths}
    return {slug: found[slug] for slug in course_table()}


def markdown_files(root: Path = ROOT) -> list[Path]:
    """Return the files that may link a notebook, but for the notebooks."""
    folders = (root, root / "docs", root / "tools")
    return [path for folder in folders for path in sorted(folder.glob("*.md"))]


def renumber(root: Path = ROOT) -> list[Path]:
    """Write what follows from ``course.toml``: the numbers of the notebooks, and their times.

    The numbers stand in names, titles and links. Returns the notebooks that have another name
    than before.
    """
    course, before, after = course_table(), files(root), None
    moved = []
    for k, (slug, old) in reversed([*enumerate(before.items())]):
        path = old.rename(old.with_name(f"{k:02d}_{slug}.ipynb"))
        notebook = nbformat.read(path, as_version=4)
        first = notebook.cells[0]
        number = "" if course[slug].get("guide") else f"{k} · "
        first.source = re.sub(r"^# (?:\d+ · )?", f"# {number}", first.source)
        time = f"**Time.** About {duration([course[slug]['minutes']])}."
        first.source = TIME.sub(time, first.source)

        def following(m: re.Match[str], after: Any = after) -> str:
            there = after is None or m[1] == after[0]
            return m[0] if there else f"[{after[1]}]({after[0]}.ipynb)."

        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = numbered(NEXT.sub(following, cell.source), course)
        nbformat.write(normalise(notebook), path)
        after = slug, re.split(r"[:\n]", first.source[2:])[0]
        if path != old:
            moved.append(path)
    for file in markdown_files(root):
        page = file.read_text(encoding="utf-8")
        if (new := numbered(page, course)) != page:
            file.write_text(new, encoding="utf-8")
    return moved


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


def duration(each: Iterable[Iterable[int]]) -> str:
    """Return in words how long several notebooks take: the sum of what each states.

    >>> duration([(10, 5), (15, 15)])
    '25 minutes, and 20 for the exercises'
    >>> duration([(160, 95)])
    '2½ hours, and 1½ hours for the exercises'
    """
    reading, exercises = map(sum, zip(*each, strict=True))
    more = str(exercises) if max(reading, exercises) < 90 else spoken(exercises)
    return spoken(reading) + (f", and {more} for the exercises" if exercises else "")


def spoken(minutes: int) -> str:
    """Return a duration in words.

    >>> spoken(45), spoken(155)
    ('45 minutes', '2½ hours')
    """
    if minutes < 90:
        return f"{minutes} minutes"
    whole, half = divmod(int(minutes / 30 + 0.5), 2)
    return f"{whole}½ hours" if half else f"{whole} hours"
