"""What turns a notebook, its outputs and its text into HTML, without a browser."""

import json

import numpy as np
import pytest

from stbp_edu import plotting
from stbp_edu.plotting.palette import DARK
from stbp_edu.practice.explorers import pulse
from tools.site.render import notebook_page
from tools.site.render.page_html import protect


def rendered(svg: str) -> tuple[str, dict[str, bytes]]:
    """Return the HTML of one figure, and the files that it needs."""
    figures: dict[str, bytes] = {}
    output = {"output_type": "display_data", "data": {"image/svg+xml": svg, "text/plain": "x"}}
    return notebook_page.outputs_html([output], "f/3", figures), figures


def test_a_large_figure_is_written_for_both_themes_and_set_again_for_a_phone() -> None:
    """Ink changes with the theme, the sheet goes, the words stay; one of four pictures is seen."""
    fig, ax = plotting.figure()
    ax.plot(np.sin(np.arange(20_000.0)))
    html, figures = rendered(plotting.show(fig, alt="So many points < B.")._repr_svg_())
    assert html.count('alt="So many points &lt; B." loading="lazy"') == 4
    assert html.count('class="figure figure-dark figure-narrow"') == 1
    assert 'width="331"' in html
    for view in ("", "phone."):
        light, dark = (figures[f"f/3-1.{view}{of}.svg"].decode() for of in ("light", "dark"))
        for ink, file in zip(DARK["ink"], (light, dark), strict=True):
            assert ink in file
        assert "var(" not in light + dark
        assert "#ffffff" not in light + dark
    assert len(figures) == 4


def test_a_figure_that_can_be_played_brings_its_values() -> None:
    """They stand in a file of their own; the picture is what is shown without scripts."""
    shown = pulse(rule="classic")
    html, figures = rendered(shown._repr_svg_())
    assert 'class="out out-figure" data-explorer="pulse" data-source="../../f/3-1.json">' in html
    assert html.count("<svg") == 1
    assert json.loads(figures["f/3-1.json"]) == json.loads(json.dumps(shown.data))
    assert "metadata" not in html


def test_a_stream_is_escaped_and_a_printed_table_keeps_its_columns() -> None:
    """A table is where two lines or more have gaps; a sentence may have one."""
    stream = {"output_type": "stream", "name": "stdout", "text": "<a>\n"}
    html = notebook_page.outputs_html([stream], "", {})
    assert html == '<pre class="out out-stdout">&lt;a&gt;</pre>'
    assert "out-table" in notebook_page.text("t  u\n1  0.5", "out-stdout")
    assert "out-table" not in notebook_page.text("a  gap\n  and an indent", "out-stdout")


def test_a_page_never_goes_without_its_policy() -> None:
    """However the charset is written; a page that does not state it is an error."""
    for charset in ('<meta charset="utf-8">', "<meta charset=UTF-8 />", "<meta charset='utf-8'/>"):
        assert f"{charset}<meta http-equiv=" in protect(charset)
    with pytest.raises(ValueError, match="charset"):
        protect("<title>none</title>")
