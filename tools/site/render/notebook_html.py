"""The HTML that is a notebook page's own: the line under its title, and its code cells."""

from pathlib import Path

from tools.notebooks import FOLDED, OUTPUT_FOLDED
from tools.site.address import Address
from tools.site.render.cell_outputs import Figures, outputs_html
from tools.site.render.highlight import python
from tools.site.render.notebook_reader import HEAVY, CodeCell, Notebook
from tools.templates import filled

TEMPLATES = Path(__file__).with_name("templates")


def head_html(notebook: Notebook, live: bool, address: Address) -> str:
    """Return the line under the title: time, download, other places to run it, and controls."""
    heavy = [cell.number for cell in notebook.cells if HEAVY in cell.tags]
    links = {f"Open in {name}": url for name, url in address.runners(notebook.stem).items()}
    if source := address.source(f"notebooks/{notebook.stem}.ipynb"):
        links["Source"] = source
    head = TEMPLATES / "notebook_head.html"
    return filled(head, notebook=notebook, heavy=heavy, live=live, links=links)


def cell_html(cell: CodeCell, figures: Figures) -> str:
    """Return one code cell with its committed outputs."""
    return filled(
        TEMPLATES / "cell.html",
        cell=cell,
        code=python(cell.source),
        output=outputs_html(cell.outputs, cell.number, figures),
        heavy=HEAVY in cell.tags,
        folded=FOLDED in cell.tags,
        output_folded=OUTPUT_FOLDED in cell.tags,
    )
