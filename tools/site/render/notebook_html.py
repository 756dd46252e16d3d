"""The HTML that is a notebook page's own: the line under its title, and its code cells."""

from pathlib import Path

from tools.notebooks import FOLDED
from tools.site.render.cell_outputs import Figures, outputs_html
from tools.site.render.highlight import python
from tools.site.render.notebook_reader import HEAVY, CodeCell, Notebook
from tools.templates import filled

TEMPLATES = Path(__file__).with_name("templates")


def head_html(notebook: Notebook, live: bool) -> str:
    """Return the line under the title: time, download, and an empty bar for the live controls."""
    heavy = [cell.number for cell in notebook.cells if HEAVY in cell.tags]
    return filled(TEMPLATES / "notebook_head.html", notebook=notebook, heavy=heavy, live=live)


def cell_html(cell: CodeCell, figures: Figures) -> str:
    """Return one code cell with its committed outputs."""
    output = outputs_html(cell.outputs, cell.number, figures)
    code, heavy, folded = python(cell.source), HEAVY in cell.tags, FOLDED in cell.tags
    return filled(
        TEMPLATES / "cell.html", cell=cell, code=code, heavy=heavy, folded=folded, output=output
    )
