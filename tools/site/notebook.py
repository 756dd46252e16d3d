"""A notebook as a page: its Markdown goes through the site's own pipeline, its cells into slots.

MkDocs then checks the links and anchors of a notebook like those of any page, and admonitions,
search, table of contents and code colours are the same everywhere.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEAVY = "browser-heavy"
WORDS_PER_MINUTE = 200


@dataclass
class Cell:
    """A code cell: its number on the page (from 1), its id, source, committed outputs and tags."""

    number: int
    id: str
    source: str
    outputs: list[dict[str, Any]]
    tags: list[str] = field(default_factory=list)


@dataclass
class Notebook:
    """What the page needs to know of a notebook."""

    stem: str
    title: str
    description: str
    markdown: str
    cells: list[Cell]
    minutes: int


def read(path: Path) -> Notebook:
    """Read a notebook; its code cells become ``<div data-slot="k">`` in the Markdown."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    cells: list[Cell] = []
    parts: list[str] = []
    for k, cell in enumerate(raw["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(commonmark(source))
        elif cell["cell_type"] == "code" and source.strip():
            tags = cell.get("metadata", {}).get("tags", [])
            id_ = cell.get("id") or f"cell-{k}"
            cells.append(Cell(len(cells) + 1, id_, source.rstrip(), cell.get("outputs", []), tags))
            parts.append(f'<div data-slot="{len(cells)}"></div>')
    markdown = "\n\n".join(parts)
    title = plain(_first(r"^#\s+(.+?)\s*$", markdown) or path.stem)
    markdown = re.sub(
        r"^(#\s+.+)$", r'\1\n\n<div data-slot="head"></div>', markdown, count=1, flags=re.M
    )
    return Notebook(path.stem, title, _description(markdown), markdown, cells, _minutes(markdown))


def meta(notebook: Notebook, tags: list[str]) -> dict[str, Any]:
    """Return the metadata of the page, as other pages have it in their front matter."""
    return {"title": notebook.title, "description": notebook.description, "tags": tags}


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


def _minutes(markdown: str) -> int:
    """Return the time that the notebook says it takes, or what its words take to read."""
    stated = _first(r"\*\*Time\.\*\* (\d+) minutes", markdown)
    return int(stated) if stated else max(1, round(len(markdown.split()) / WORDS_PER_MINUTE))


GREEK = {
    "alpha": "α", "beta": "β", "delta": "δ", "Delta": "Δ", "epsilon": "ε", "varepsilon": "ε",
    "tau": "τ", "partial": "∂", "sum": "Σ", "odot": "⊙", "top": "ᵀ", "cdot": "·", "leq": "≤",
    "geq": "≥", "geqslant": "≥", "to": "→", "times": "×", "infty": "∞", "neq": "≠",
}  # fmt: skip


def plain(markdown: str) -> str:
    r"""Return Markdown as plain text for titles: links, emphasis and TeX reduced to characters.

    >>> plain(r"What is $\delta^{t,n}$ in `code`?")
    'What is δ^t,n in code?'
    """
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"\\\(|\\\)|\\\[|\\\]|\$+|\*\*|(?<!\w)[*_]|[*_](?!\w)|`|<[^>]+>", "", text)
    text = re.sub(r"\\([A-Za-z]+)", lambda m: GREEK.get(m[1], ""), text)
    return re.sub(r"[{}\\]", "", text).strip()


LIST_ITEM = re.compile(r"^\s*([-*+]|\d+[.)])\s+\S")


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
