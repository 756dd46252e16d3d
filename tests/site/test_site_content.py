"""What makes the page of a notebook, at MkDocs' events."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import nbformat

from tools.site import events
from tools.site.render.notebook_page import read_notebook


def test_a_notebook_becomes_a_page(tmp_path: Path) -> None:
    """Its text is Markdown with a slot for each cell; the slots are filled in the HTML."""
    output = nbformat.v4.new_output("stream", name="stdout", text="3\n")
    cells = [
        nbformat.v4.new_markdown_cell("# 1 · Title\n\nWhat $x$ is, in [the map](00_title.ipynb)."),
        nbformat.v4.new_code_cell("print(1 + 2)", outputs=[output]),
    ]
    path = tmp_path / "01_title.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    content = events.Content(True, {"01_title": read_notebook(path)}, {}, {})
    config = SimpleNamespace(extra={events.CONTENT: content})
    file = SimpleNamespace(src_uri="notebooks/01_title.ipynb")
    page = SimpleNamespace(file=file, meta={}, toc=[])
    markdown = events.on_page_markdown("", page, config)
    assert page.meta["title"] == "1 · Title"
    assert "[the map](00_title.ipynb)" in markdown
    assert '<div data-slot="1"></div>' in markdown
    html = events.on_page_content(markdown, page, config)
    assert "data-slot" not in html
    assert "1 code cell</li>" in html
    assert 'id="cell-1"' in html
    assert '<pre class="out out-stdout">3</pre>' in html
