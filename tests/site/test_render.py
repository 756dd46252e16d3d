"""What the site is made with, without a browser: renderers, generated pages, zip and server."""

import zipfile

import pytest

from tools.site import build
from tools.site.render import notebook_page
from tools.site.render.links import broken
from tools.site.render.page_html import protect


def test_outputs_are_escaped():
    """A formula is named like those of the text; a stream is no markup."""
    latex = {"output_type": "display_data", "data": {"text/latex": "$$a < b$$"}}
    html = notebook_page.outputs_html([latex], "", {})
    formula = r'<div class="arithmatex">\[a &lt; b\]</div>'
    assert html == f'<div class="out out-latex">{formula}</div>'
    stream = {"output_type": "stream", "name": "stdout", "text": "<a>\n"}
    html = notebook_page.outputs_html([stream], "", {})
    assert html == '<pre class="out out-stdout">&lt;a&gt;</pre>'


def test_a_page_never_goes_without_its_policy():
    """A page that does not state its charset, behind which it stands, is an error."""
    assert '<meta charset="utf-8"><meta http-equiv=' in protect(
        '<meta charset="utf-8">'
    )
    with pytest.raises(ValueError, match="charset"):
        protect("<title>none</title>")


def test_the_zip_holds_the_whole_site(tmp_path, monkeypatch):
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


def test_links_to_what_is_not_there_are_found(tmp_path):
    """The build warns of each: of a missing file, and of a missing place in one."""
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text('<a href="a/#x"><a href="b/"><a href="a/#y">')
    (tmp_path / "a/index.html").write_text(
        '<p id="x"><img src="../no.png"><a href="..">'
    )
    assert [line.split(" leads")[0] for line in broken(tmp_path)] == [
        "a/index.html: ../no.png",
        "index.html: a/#y",
        "index.html: b/",
    ]
