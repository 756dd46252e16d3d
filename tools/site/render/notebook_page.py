"""Notebooks as pages: their Markdown, the line under the title, and their code cells.

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
from tools import ROOT
from tools.notebooks.execution import FOLDED, OUTPUT_FOLDED
from tools.notebooks.reading_time import contents, minutes
from tools.site.downloads import Address
from tools.site.render.cells import Figures, outputs_html, python
from tools.templates import filled

HEAVY = "browser-heavy"
GREEK = {
    "alpha": "α", "beta": "β", "delta": "δ", "Delta": "Δ", "epsilon": "ε", "varepsilon": "ε",
    "tau": "τ", "partial": "∂", "sum": "Σ", "odot": "⊙", "top": "ᵀ", "cdot": "·", "leq": "≤",
    "geq": "≥", "geqslant": "≥", "to": "→", "times": "×", "infty": "∞", "neq": "≠",
}  # fmt: skip
LIST_ITEM = re.compile(r"^\s*([-*+]|\d+[.)])\s+\S")


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
            outputs, tags = cell.outputs, cell.metadata.get("tags", [])
            cells.append(CodeCell(number, name, cell.source.rstrip(), outputs, tags))
            parts.append(f'<div data-slot="{number}"></div>')
    markdown = "\n\n".join(parts)
    title = plain(_first(r"^#\s+(.+?)\s*$", markdown) or path.stem)
    markdown = re.sub(
        r"^(#\s+.+)$", r'\1\n\n<div data-slot="head"></div>', markdown, count=1, flags=re.M
    )
    time = minutes(contents(notebook))
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


def head_html(notebook: Notebook, live: bool, address: Address) -> str:
    """Return the line under the title: time, download, other places to run it, and controls."""
    heavy = [cell.number for cell in notebook.cells if HEAVY in cell.tags]
    links = {f"Open in {name}": url for name, url in address.runners(notebook.stem).items()}
    if source := address.source(f"notebooks/{notebook.stem}.ipynb"):
        links["Source"] = source
    head = "notebook_head.html"
    return filled(head, notebook=notebook, heavy=heavy, live=live, links=links)


def cell_html(cell: CodeCell, figures: Figures) -> str:
    """Return one code cell with its committed outputs."""
    return filled(
        "cell.html",
        cell=cell,
        code=python(cell.source),
        output=outputs_html(cell.outputs, cell.number, figures),
        heavy=HEAVY in cell.tags,
        folded=FOLDED in cell.tags,
        output_folded=OUTPUT_FOLDED in cell.tags,
    )


def plain(markdown: str) -> str:
    r"""Return Markdown as plain text for titles: links, emphasis and TeX reduced to characters.

    >>> plain(r"What is $\delta^{t,n}$ in `code`?")
    'What is δ^t,n in code?'
    """
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"\\\(|\\\)|\\\[|\\\]|\$+|\*\*|(?<!\w)[*_]|[*_](?!\w)|`|<[^>]+>", "", text)
    text = re.sub(r"\\([A-Za-z]+)", lambda m: GREEK.get(m[1], ""), text)
    return re.sub(r"[{}\\]", "", text).strip()


def commonmark(source: str) -> str:
    """Return Jupyter's Markdown as Python-Markdown reads it: blank lines, indents, display maths.

    Code fences are left alone.
    """
    out: list[str] = []
    fenced = False
    for line in re.sub(r"\\tag\s*\{", r"\\tag{", _display(source)).split("\n"):
        before = out[-1] if out else ""
        if re.match(r"\s*(```|~~~)", line):
            if not fenced and before.strip():
                out.append("")
            fenced = not fenced
        elif not fenced:
            item = bool(LIST_ITEM.match(line))
            starts = item and before.strip() and not LIST_ITEM.match(before) and before[:1] != " "
            table = line.startswith("|") and before.strip() and not before.startswith("|")
            if starts or table:
                out.append("")
            line = re.sub(r"^( {2,3})(?=\S)", "    ", line) if (before or item) else line
        out.append(line)
    return "\n".join(out)


def _display(source: str) -> str:
    """Put each ``$$ ... $$`` outside code into a block of its own, at the indent of its line."""

    def block(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        indent = re.match(r"\s*", source[source.rfind("\n", 0, match.start()) + 1 :])
        pad = " " * (4 if indent and indent[0] else 0)
        body = "\n".join(pad + row.strip() for row in match[2].strip().split("\n"))
        return f"\n\n{pad}$$\n{body}\n{pad}$$\n\n"

    return re.sub(r"(```.*?```|~~~.*?~~~|`[^`\n]+`)|\$\$(.+?)\$\$", block, source, flags=re.S)
