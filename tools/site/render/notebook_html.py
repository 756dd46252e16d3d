"""The HTML that is a notebook page's own: the line under its title, and its code cells."""

from __future__ import annotations

from html import escape

from tools.site.render.cell_outputs import Figures, outputs_html
from tools.site.render.highlight import python
from tools.site.render.notebook_reader import HEAVY, CodeCell, Notebook


def head_html(notebook: Notebook, live: bool) -> str:
    """Return the line under the title: time, download, and an empty bar for the live controls."""
    heavy = [cell.number for cell in notebook.cells if HEAVY in cell.tags]
    count = len(notebook.cells)
    facts = [f"{notebook.minutes} min to read", f"{count} code cell{'s' * (count != 1)}"]
    html = "".join(f"<li>{fact}</li>" for fact in facts)
    html += f'<li><a href="{notebook.stem}.ipynb" download>Download as .ipynb</a></li>'
    html = f'<ul class="notebook-facts" aria-label="About this page">{html}</ul>'
    if heavy:
        names = ", ".join(f'<a href="#cell-{k}">{k}</a>' for k in heavy)
        words = "Too heavy for the browser, and shown with the results of a run elsewhere: cell"
        html += f'<p class="notebook-note">{words}{"s" * (len(heavy) > 1)} {names}.</p>'
    if not live:
        html += (
            '<p class="notebook-note">This copy of the site was built without the Python runtime, '
            "so the cells can be read here, and run in Jupyter.</p>"
        )
    html += f'<div class="live-bar" data-live-bar data-notebook="{notebook.stem}" hidden></div>'
    return f'<div class="notebook-head" data-search-exclude>{html}</div>'


def cell_html(cell: CodeCell, figures: Figures) -> str:
    """Return one code cell with its committed outputs."""
    heavy = HEAVY in cell.tags
    mark = " data-heavy" if heavy else ""
    note = (
        '<p class="cell-note">Too heavy for the browser: run this cell in Jupyter. '
        "What it printed there is shown below.</p>"
        if heavy
        else ""
    )
    output = outputs_html(cell.outputs, cell.number, figures)
    return (
        f'<div class="cell" role="group" id="cell-{cell.number}" data-cell="{escape(cell.id)}" '
        f'data-number="{cell.number}" aria-label="Code cell {cell.number}"{mark}>'
        '<div class="cell-code no-copy" data-search-exclude><div class="highlight"><pre><code>'
        f"{python(cell.source)}</code></pre></div></div>"
        f'{note}<div class="cell-output" data-search-exclude>{output}</div></div>'
    )
