"""Notebooks as pages: their Markdown, the line under the title, and code cells with their outputs.

The Markdown goes through the site's own pipeline, with a slot for each code cell. MkDocs then
checks the links and anchors of a notebook like those of any page, and admonitions, search, table
of contents and code colours are the same everywhere. A figure is taken out of its image and put
into the page, whose colours it then has.
"""

import base64
import os
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.token import Name, Operator, Punctuation, Text, Whitespace

from stbp_edu.plotting import Shown
from stbp_edu.plotting.svg_figure import IMAGE, NARROW, unpacked
from stbp_edu.practice.tasks import course_table
from tools import ROOT
from tools.notebooks.execution import FOLDED
from tools.notebooks.numbering import TIME
from tools.site.downloads import BRANCH, Address
from tools.templates import filled

PROGRAM = "program"  # a cell in which the reader's program grows
DRAWING = "drawing-"  # begins the tag of a cell whose figure the page's reader can move
PLAIN = {Name, Operator, Punctuation, Text, Whitespace, Name.Variable, Name.Namespace}
COLUMNS = re.compile(r"\S {2,}\S")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
STYLE = re.compile(r'<style class="stbp-style">.*?</style>')  # the page has its own
DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.S)
EXPLORER = re.compile(
    rf'<div class="stbp-explorer">(?:{IMAGE.pattern})?.*?'
    r'<script type="application/json" data-explorer="(\w+)">(.*?)</script></div>',
    re.S,
)


@dataclass(frozen=True)
class Notebook:
    """The parts of a notebook that its page shows.

    The Markdown is all of the text, with ``<div data-slot="k">`` for the k-th code cell that is not
    empty, and ``<div data-slot="head">`` below the title.
    """

    stem: str  # of its file
    title: str
    markdown: str
    cells: list[Any]

    @property
    def course(self) -> dict[str, Any]:
        """What ``course.toml`` says of it."""
        return course_table()[self.stem.partition("_")[2]]

    @property
    def place(self) -> str:
        """Where in the course it is, in words."""
        number = int(self.stem[:2])
        steps = sum(not told.get("guide") for told in course_table().values()) - 1
        where = f"Step {number} of {steps} in a" if number else "The map of a"
        if self.course.get("guide"):
            where = "A guide beside a"
        return f"{where} course on spatio-temporal backpropagation"


def folder() -> Path:
    """Return the folder of notebooks; tests may name another one."""
    return Path(os.environ.get("STBP_SITE_NOTEBOOKS", ROOT / "notebooks"))


def read_notebooks() -> dict[str, Notebook]:
    """Return all notebooks by stem, in the order of their names."""
    return {path.stem: read_notebook(path) for path in sorted(folder().glob("*.ipynb"))}


def read_notebook(path: Path) -> Notebook:
    """Read a notebook; each code cell that is not empty becomes a slot in the Markdown."""
    cells, parts = [], []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.cell_type == "code" and cell.source.strip():
            cells.append(cell)
            parts.append(f'<div data-slot="{len(cells)}"></div>')
    first, _, rest = "\n\n".join(parts).partition("\n")
    rest = TIME.sub("", rest)  # it stands in the line under the title
    markdown = f'{first}\n\n<div data-slot="head"></div>\n{rest}'
    return Notebook(path.stem, plain(first.removeprefix("# ")), markdown, cells)


def head_html(notebook: Notebook, live: bool, address: Address) -> str:
    """Return the line under the title: time, download, other places to run it, and controls."""
    links = {
        f"Open in {name}": url for name, url in address.runners(notebook.stem).items()
    }
    if address.repository:
        links["Source"] = (
            f"{address.repository}/blob/{BRANCH}/notebooks/{notebook.stem}.ipynb"
        )
    return filled(
        "notebook_head.html",
        notebook=notebook, live=live, links=links,
    )  # fmt: skip


def cell_html(
    notebook: Notebook,
    number: int,
    figures: dict[str, bytes],
    python: dict[str, int] | None = None,
) -> str:
    """Return the code cell of this number, from 1, with its committed outputs.

    ``python`` is what a first run fetches, where cells can be run.
    """
    cell = notebook.cells[number - 1]
    output = outputs_html(
        cell.outputs, f"assets/figures/{notebook.stem}/{number}", figures
    )
    cell_tags = cell.metadata.get("tags", [])
    drawings = [tag.removeprefix(DRAWING) for tag in cell_tags if DRAWING in tag]
    code = with_given(cell) if PROGRAM in cell_tags else highlighted(cell.source)
    return filled(
        "cell.html", cell=cell, number=number, code=code, output=output, python=python,
        folded=FOLDED in cell_tags, answer="answer" in cell_tags, drawing="".join(drawings),
    )  # fmt: skip


LEXER = PythonLexer(stripnl=False, ensurenl=False)
BARE = HtmlFormatter(nowrap=True)
BARE.span_element_openers = dict.fromkeys(PLAIN, "")


def highlighted(source: str) -> str:
    """Return highlighted Python as HTML, without a wrapper."""
    return highlight(source.rstrip("\n"), LEXER, BARE).rstrip("\n")


def with_given(cell: Any) -> str:
    """Return a program that grows as HTML: its lines of earlier notebooks are marked as given."""
    lines = highlighted(cell.source).split("\n")
    asked = ["..." in line or "check(" in line for line in cell.source.split("\n")]
    marked = [
        line if own or not line else f'<span class="given">{line}</span>'
        for line, own in zip(lines, asked, strict=False)
    ]
    return "\n".join(marked)


def outputs_html(outputs: list[Any], name: str, figures: dict[str, bytes]) -> str:
    """Return the HTML of one cell's outputs.

    The values of its explorers are added to ``figures``, under names that begin with ``name``.
    """
    parts = []
    for k, output in enumerate(outputs):
        if output["output_type"] == "stream":
            parts.append(text(output["text"], f"out-{output['name']}"))
            continue
        data = output["data"]
        if "text/html" in data:
            phone = output["metadata"].get(NARROW, [])
            parts.append(_html(data["text/html"], phone, f"{name}-{k + 1}", figures))
        elif "text/latex" in data:
            maths = _maths(escape(data["text/latex"], quote=False))
            parts.append(f'<div class="out out-latex">{maths}</div>')
        else:
            parts.append(text(data["text/plain"], "out-result"))
    return "".join(parts)


def _html(html: str, phone: list[str], name: str, figures: dict[str, bytes]) -> str:
    """Return the HTML of an output, with its figures and formulas as the page has them."""
    html, narrow, drawn = STYLE.sub("", html), iter(phone), 0

    def figure(match: re.Match[str]) -> str:
        nonlocal drawn
        drawn += 1
        file = name if drawn == 1 else f"{name}-{drawn}"
        svg = base64.b64decode(match[1]).decode()
        svg = svg[svg.index("<svg") :]
        if match.re is EXPLORER:  # the page plays it with values from a file
            figures[f"{file}.json"] = match[3].encode()
            names = {"explorer": match[2], "source": f"../../{file}"}
            return filled("figure.html", html=Shown(svg, "", "").html(), **names)
        packed = next(narrow, "")
        small = unpacked(packed) if packed else ""
        return filled("figure.html", html=Shown(svg, "", small).html())

    for kind in (EXPLORER, IMAGE):
        if kind.fullmatch(html):
            return kind.sub(figure, html)
        html = kind.sub(figure, html)
    return f'<div class="out out-html">{_maths(html)}</div>'


def _maths(html: str) -> str:
    """Return HTML with its displays as the site typesets and names them."""
    return DISPLAY.sub(r'<div class="arithmatex">\\[\1\\]</div>', html)


def text(content: str, kind: str) -> str:
    """Return plain text output; a table in it keeps its columns, and scrolls instead."""
    content = ANSI.sub("", content).rstrip()
    rows = [line for line in content.splitlines() if COLUMNS.search(line)]
    if len(rows) > 1:
        kind += " out-table"
    return f'<pre class="out {kind}">{escape(content, quote=False)}</pre>'


def plain(markdown: str) -> str:
    """Return Markdown as plain text for titles: links, emphasis and dollars reduced to characters.

    >>> plain("What is $x^{t,n}$ in `code`?")
    'What is x^t,n in code?'
    """
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(
        r"\\\(|\\\)|\\\[|\\\]|\$+|\*\*|(?<!\w)[*_]|[*_](?!\w)|`|<[^>]+>", "", text
    )
    return re.sub(r"[{}\\]", "", text).strip()
