"""Read a notebook into the Markdown of its page and its code cells.

The Markdown goes through the site's own pipeline, with a slot for each code cell. MkDocs then
checks the links and anchors of a notebook like those of any page, and admonitions, search, table
of contents and code colours are the same everywhere.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from stbp_edu.practice.tasks import course_table
from tools.notebooks.execution import merged_streams
from tools.notebooks.reading_time import contents
from tools.site import ROOT
from tools.site.render.jupyter_markdown import commonmark, plain

HEAVY = "browser-heavy"


@dataclass(frozen=True)
class CodeCell:
    """A code cell: its number on the page (from 1), its id, source, committed outputs and tags."""

    number: int
    id: str
    source: str
    outputs: list[Any]
    tags: list[str]


@dataclass(frozen=True)
class Notebook:
    """The parts of a notebook that its page shows.

    Attributes:
        stem: the file's name without its suffix.
        title: the first heading, as plain text.
        description: the start of the first paragraph, as plain text.
        markdown: all text, with ``<div data-slot="k">`` for the k-th code cell and
            ``<div data-slot="head">`` below the title.
        cells: the code cells.
        minutes: the time that the notebook takes, as it states, or as the rule has it.
        exercises: the time that its exercises take, in minutes.
    """

    stem: str
    title: str
    description: str
    markdown: str
    cells: list[CodeCell]
    minutes: int
    exercises: int

    @property
    def meta(self) -> dict[str, Any]:
        """The metadata of the page, as other pages have it in their front matter."""
        about = course_table().get(self.stem.partition("_")[2], {"topics": []})
        return {"title": self.title, "description": self.description, "tags": about["topics"]}


def folder() -> Path:
    """Return the folder of notebooks; tests may name another one."""
    return Path(os.environ.get("STBP_SITE_NOTEBOOKS", ROOT / "notebooks"))


def read_notebooks() -> dict[str, Notebook]:
    """Return all notebooks by stem, in the order of their names."""
    return {path.stem: read_notebook(path) for path in sorted(folder().glob("*.ipynb"))}


def read_notebook(path: Path) -> Notebook:
    """Read a notebook; each code cell that is not empty becomes a slot in the Markdown."""
    cells: list[CodeCell] = []
    parts: list[str] = []
    notebook = nbformat.read(path, as_version=4)
    for k, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(commonmark(cell.source))
        elif cell.cell_type == "code" and cell.source.strip():
            number, name = len(cells) + 1, cell.get("id") or f"cell-{k}"
            outputs, tags = merged_streams(cell.outputs), cell.metadata.get("tags", [])
            cells.append(CodeCell(number, name, cell.source.rstrip(), outputs, tags))
            parts.append(f'<div data-slot="{number}"></div>')
    markdown = "\n\n".join(parts)
    title = plain(_first(r"^#\s+(.+?)\s*$", markdown) or path.stem)
    markdown = re.sub(
        r"^(#\s+.+)$", r'\1\n\n<div data-slot="head"></div>', markdown, count=1, flags=re.M
    )
    time = contents(notebook)
    description = _description(markdown)
    return Notebook(path.stem, title, description, markdown, cells, time.reading, time.exercises)


def _first(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.M)
    return match[1] if match else ""


def _description(markdown: str) -> str:
    """Return the first paragraph below the title, as plain text of at most 160 characters."""
    for block in re.split(r"\n\s*\n", markdown):
        if block.strip() and not re.match(r"\s*(#|<|\||[-*] |\$\$|>)", block):
            text = " ".join(plain(block).split())
            return text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + "…"
    return ""
