"""What the site is made with, without a browser: renderers, generated pages, zip and server."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from stbp_edu import plotting
from stbp_edu.explorers import pulse
from stbp_edu.practice import answer
from tools.site import build
from tools.site.render import notebook_page
from tools.site.render.page_html import protect


def rendered(shown: Any) -> tuple[str, dict[str, bytes]]:
    """Return the HTML of what a cell shows, and the files that it needs."""
    figures: dict[str, bytes] = {}
    found = shown._repr_mimebundle_()
    data, metadata = found if isinstance(found, tuple) else (found, {})
    output = {"output_type": "display_data", "data": data, "metadata": metadata}
    return notebook_page.outputs_html([output], "f/3", figures), figures


def test_a_figure_that_can_be_played_brings_its_values() -> None:
    """They stand in a file of their own; the picture is what is shown without scripts."""
    shown = pulse(rule="classic")
    html, figures = rendered(shown)
    assert (
        'class="out out-figure" data-explorer="pulse" data-source="../../f/3-1.json">'
        in html
    )
    assert html.count("<svg") == 1
    assert json.loads(figures["f/3-1.json"]) == json.loads(json.dumps(shown.data))
    assert "metadata" not in html


def test_an_answer_keeps_its_fold_and_its_figures() -> None:
    """The page draws the figures itself, each under a name of its own, without Jupyter's style."""
    grid = plotting.show(plotting.grid(2, 1), alt="The grid of two steps, one layer.")
    html, figures = rendered(answer(grid, grid))
    assert html.startswith('<div class="out out-html"><details class="stbp-answer">')
    assert html.count('<svg class="figure figure-wide"') == 2
    assert html.count('<svg class="figure figure-narrow"') == 2
    assert "<img" not in html
    assert "<style" not in html
    assert figures == {}


def test_a_formula_is_typeset_and_named_like_those_of_the_text() -> None:
    """In an answer, too; signs that HTML knows are escaped."""
    latex = {"output_type": "display_data", "data": {"text/latex": "$$a < b$$"}}
    html = notebook_page.outputs_html([latex], "", {})
    formula = r'<div class="arithmatex">\[a &lt; b\]</div>'
    assert html == f'<div class="out out-latex">{formula}</div>'
    assert formula.split("a &lt;")[0] in rendered(answer(plotting.poster()))[0]


def test_a_stream_is_escaped_and_a_printed_table_keeps_its_columns() -> None:
    """A table is where two lines or more have gaps; a sentence may have one."""
    stream = {"output_type": "stream", "name": "stdout", "text": "<a>\n"}
    html = notebook_page.outputs_html([stream], "", {})
    assert html == '<pre class="out out-stdout">&lt;a&gt;</pre>'
    assert "out-table" in notebook_page.text("t  u\n1  0.5", "out-stdout")
    assert "out-table" not in notebook_page.text(
        "a  gap\n  and an indent", "out-stdout"
    )


def test_a_page_never_goes_without_its_policy() -> None:
    """However the charset is written; a page that does not state it is an error."""
    for charset in (
        '<meta charset="utf-8">',
        "<meta charset=UTF-8 />",
        "<meta charset='utf-8'/>",
    ):
        assert f"{charset}<meta http-equiv=" in protect(charset)
    with pytest.raises(ValueError, match="charset"):
        protect("<title>none</title>")


def test_the_zip_holds_the_whole_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file is in it, with a word on how to open it, and the same site gives the same zip."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "index.html").write_text("page")
    monkeypatch.setattr(build, "SITE", tmp_path)
    build.pack()
    first = (tmp_path / "stbp_edu-site.zip").read_bytes()
    build.pack()
    assert (tmp_path / "stbp_edu-site.zip").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "stbp_edu-site.zip") as archive:
        assert archive.namelist() == [
            "stbp_edu-site/README.txt",
            "stbp_edu-site/a/index.html",
        ]
