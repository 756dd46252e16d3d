"""The small modules that build the site, without a browser."""

from __future__ import annotations

import doctest
import http.client
import json
import socket
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from stbp_edu.equations import EQUATIONS
from tools.notebooks.execution import merged_streams
from tools.site import ROOT, build, serve
from tools.site.generate import api_pages, docstrings, equation_places, package_source
from tools.site.render import (
    cell_outputs,
    content_policy,
    highlight,
    jupyter_markdown,
    links,
    maths,
)


@pytest.mark.parametrize("module", [highlight, docstrings, links, maths, jupyter_markdown])
def test_examples_in_docstrings_hold(module: Any) -> None:
    """Each example in a docstring of these modules gives what it says."""
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def test_ids_are_found_in_notebooks_code_and_tests() -> None:
    """Ids are read from tags, from comments that start with one, and from names of tests."""
    ids = ["c3-delta", "c3", "fwd-x"]
    cell = {"cell_type": "markdown", "source": ["## Why\n", r"$$a \tag{c3-delta}$$"]}
    raw = json.dumps({"cells": [{"cell_type": "code", "source": ["1"]}, cell]})
    assert equation_places.tags(raw, "n") == [("c3-delta", equation_places.Place("n", 1, "Why"))]
    code = "def f():\n    x = 1  # fwd-x, all at once; c3-delta\n    y = 2  # see c3-delta\n"
    found = equation_places.comments(code, "p", ids)
    assert [(id_, place.line, place.name) for id_, place in found] == [
        ("fwd-x", 2, "f"),
        ("c3-delta", 2, "f"),
    ]
    code = "def test_c3_delta_is_right(): ...\ndef test_fwd_xy(): ...\ndef helper_fwd_x(): ..."
    assert [(i, p.name) for i, p in equation_places.tests(code, "t", ids)] == [
        ("c3-delta", "test_c3_delta_is_right")
    ]


def test_every_equation_of_the_cases_is_computed_somewhere() -> None:
    """The scan of the real tree finds a line of code for each of the five cases' ids."""
    found = equation_places.scan(EQUATIONS)
    assert all(found[id_].code for id_ in EQUATIONS if id_.startswith("c") and "-" in id_)


def test_jupyter_markdown_becomes_what_the_site_reads() -> None:
    """Lists, tables and display maths get the blank lines that they need; code is left alone."""
    text = jupyter_markdown.commonmark(
        "a list:\n- one\n  - two\ntext $$x = 1$$ more\n```\na\n- b $$ c\n```"
    )
    assert "a list:\n\n- one\n    - two" in text
    assert "\n\n$$\nx = 1\n$$\n\n" in text
    assert "a\n- b $$ c\n```" in text


def test_docstrings_become_what_the_site_reads() -> None:
    """A table keeps its columns, and an example all of its output, indented or not."""
    table = "==  ===  ==\na   b    c\n==  ===  ==\n1   2    3\n==  ===  =="
    assert docstrings.prepare(table) == "\n| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |"
    example = ">>> f()\none:\n  two"
    assert docstrings.prepare(f"{example}\n\nend") == f"```pycon\n{example}\n```\n\nend"


def test_a_package_shows_the_modules_of_its_public_names() -> None:
    """What no name in ``__all__`` comes from is not described; its source leads to the package."""
    pages = api_pages.pages(package_source.read_package())
    assert "::: stbp_edu.practice.grading.grade\n" in pages["api/practice.md"]
    assert "mutants" not in pages["api/practice.md"]
    for path, name in (
        ("grading/grade.py", "practice.grading.grade"),
        ("grading/mutants.py", "practice.grading"),
        ("__init__.py", "practice"),
    ):
        entry = api_pages.entry(ROOT / "stbp_edu" / "practice" / path, pages)
        up = "../" * len(Path("stbp_edu/practice", path).parts)
        assert entry.startswith(f"[API: stbp_edu.{name}]({up}api/practice.md#stbp_edu.{name})")


def test_a_figure_is_written_for_both_themes() -> None:
    """Ink changes with the theme, the sheet goes, the words and the size stay."""
    svg = (
        '<svg role="img" aria-label="A &lt; B" width="72pt" height="36pt">'
        '<rect style="fill: var(--stbp-ground, #ffffff)"/>'
        '<path style="fill: var(--stbp-ink, #24292f)"/></svg>'
    )
    figures = cell_outputs.Figures("f")
    data = {"image/svg+xml": svg, "text/plain": "x"}
    html = cell_outputs.outputs_html([{"output_type": "display_data", "data": data}], 3, figures)
    assert html.count('alt="A &lt; B" loading="lazy" width="96" height="48"') == 2
    light, dark = (figures.files[f"3-1.{theme}.svg"].decode() for theme in ("light", "dark"))
    assert cell_outputs.LIGHT_INK in light
    assert cell_outputs.DARK_INK in dark
    assert "var(" not in light + dark
    assert "#ffffff" not in light + dark


def test_streams_are_joined_and_escaped() -> None:
    """Neighbouring chunks of a stream are one text, and nothing in it is markup."""
    chunk = {"output_type": "stream", "name": "stdout"}
    merged = merged_streams([{**chunk, "text": "<a"}, {**chunk, "text": ">\n"}])
    html = cell_outputs.outputs_html(merged, 1, cell_outputs.Figures(""))
    assert html == '<pre class="out out-stdout">&lt;a&gt;</pre>'


def test_a_printed_table_keeps_its_columns() -> None:
    """Where two lines or more have gaps; a sentence may have one."""
    assert "out-table" in cell_outputs.text("t  u\n1  0.5", "out-stdout")
    assert "out-table" not in cell_outputs.text("a  gap\n  and an indent", "out-stdout")


def test_the_policy_names_the_scripts_of_the_page_and_no_other_host() -> None:
    """Inline scripts are allowed by hash; nothing may come from elsewhere."""
    html = content_policy.protect(
        '<meta charset="utf-8"><script>a()</script><script src="b.js"></script>'
    )
    assert html.count("'sha256-") == 1
    assert "default-src 'self'" in html
    assert "http:" not in html
    assert "https:" not in html
    assert "script-src 'self' 'wasm-unsafe-eval' 'sha256-" in html


def test_a_page_never_goes_without_its_policy() -> None:
    """However the charset is written; a page that does not state it is an error."""
    for charset in ('<meta charset="utf-8">', "<meta charset=UTF-8 />", "<meta charset='utf-8'/>"):
        assert f"{charset}<meta http-equiv=" in content_policy.protect(charset)
    with pytest.raises(ValueError, match="charset"):
        content_policy.protect("<title>none</title>")


def test_a_busy_port_gives_another_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The next free port is taken, and said; types are right; a missing file is a 404."""
    (tmp_path / "a.mjs").write_text("export {}")
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with serve.server(tmp_path, port) as running:
            assert running.server_port > port
            assert f"port {port} is in use" in capsys.readouterr().out
            threading.Thread(target=running.serve_forever, daemon=True).start()
            connection = http.client.HTTPConnection("127.0.0.1", running.server_port)
            connection.request("GET", "/a.mjs")
            answer = connection.getresponse()
            assert answer.headers["Content-Type"].startswith("text/javascript")
            assert answer.read() == b"export {}"
            connection.request("GET", "/b")
            assert connection.getresponse().status == 404
            connection.close()
            running.shutdown()


def test_the_zip_holds_the_whole_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is in it, with a word on how to open it, and the same site gives the same zip."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "index.html").write_text("page")
    monkeypatch.setattr(build, "SITE", tmp_path)
    build.pack()
    first = (tmp_path / "stbp_edu-site.zip").read_bytes()
    build.pack()
    assert (tmp_path / "stbp_edu-site.zip").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "stbp_edu-site.zip") as archive:
        assert archive.namelist() == ["stbp_edu-site/README.txt", "stbp_edu-site/a/index.html"]
