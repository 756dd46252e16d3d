"""What makes the pages of the site, without MkDocs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat

from tools.site.render.maths import Speaker
from tools.site.render.notebook_page import read_notebook
from tools.site.site_content import Content, page_html, page_markdown


def test_nothing_below_the_hook_imports_mkdocs() -> None:
    """The modules that make the pages load without it."""
    code = "import sys, tools.site.site_content; sys.exit('mkdocs' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_notebook_becomes_a_page(tmp_path: Path) -> None:
    """Its text is Markdown with a slot for each cell; the slots are filled in the HTML."""
    output = nbformat.v4.new_output("stream", name="stdout", text="3\n")
    cells = [
        nbformat.v4.new_markdown_cell("# 1 · Title\n\nWhat $x$ is, in [the map](00_title.ipynb)."),
        nbformat.v4.new_code_cell("print(1 + 2)", outputs=[output]),
    ]
    path = tmp_path / "01_title.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    speaker = Speaker(tmp_path / "speech.json")
    content = Content(True, {"01_title": read_notebook(path)}, {}, {}, {}, speaker)
    name = "notebooks/01_title.ipynb"
    markdown, meta = page_markdown(content, name, "")
    assert meta["title"] == "1 · Title"
    assert "[the map](00_title.ipynb)" in markdown
    assert '<div data-slot="1"></div>' in markdown
    html = page_html(content, name, markdown, "../../")
    assert "data-slot" not in html
    assert "1 code cell</li>" in html
    assert 'id="cell-1"' in html
    assert '<pre class="out out-stdout">3</pre>' in html
