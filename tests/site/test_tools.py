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
from tools import equations
from tools.site import build, code, docstrings, head, links, maths, notebook, outputs, serve
from tools.site.generate import api


@pytest.mark.parametrize("module", [code, docstrings, links, maths, notebook])
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
    assert equations.tags(raw, "n") == [("c3-delta", equations.Place("n", 1, "Why"))]
    code = "def f():\n    x = 1  # fwd-x, all at once; c3-delta\n    y = 2  # see c3-delta\n"
    found = equations.comments(code, "p", ids)
    assert [(id_, place.line, place.name) for id_, place in found] == [
        ("fwd-x", 2, "f"),
        ("c3-delta", 2, "f"),
    ]
    code = "def test_c3_delta_is_right(): ...\ndef test_fwd_xy(): ...\ndef helper_fwd_x(): ..."
    assert [(i, p.name) for i, p in equations.tests(code, "t", ids)] == [
        ("c3-delta", "test_c3_delta_is_right")
    ]


def test_every_equation_of_the_cases_is_computed_somewhere() -> None:
    """The scan of the real tree finds a line of code for each of the five cases' ids."""
    found = equations.scan(EQUATIONS)
    assert all(found[id_].code for id_ in EQUATIONS if id_.startswith("c") and "-" in id_)


def test_jupyter_markdown_becomes_what_the_site_reads() -> None:
    """Lists, tables and display maths get the blank lines that they need; code is left alone."""
    text = notebook.commonmark(
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
    pages = api.pages()
    assert "::: stbp_edu.practice.grading.exercise_check\n" in pages["api/practice.md"]
    assert "single_changes" not in pages["api/practice.md"]
    for stem, name in (
        ("grading/exercise_check", "practice.grading.exercise_check"),
        ("grading/single_changes", "practice.grading"),
        ("__init__", "practice"),
    ):
        entry = api.entry(build.ROOT / "stbp_edu" / "practice" / f"{stem}.py", pages)
        api_page = "../" * stem.count("/") + "../../../api/practice.md"
        assert entry.startswith(f"[API: stbp_edu.{name}]({api_page}#stbp_edu.{name})")


def test_a_figure_is_written_for_both_themes() -> None:
    """Ink changes with the theme, the sheet goes, the words and the size stay."""
    svg = (
        '<svg role="img" aria-label="A &lt; B" width="72pt" height="36pt">'
        '<rect style="fill: var(--stbp-ground, #ffffff)"/>'
        '<path style="fill: var(--stbp-ink, #24292f)"/></svg>'
    )
    figures = outputs.Figures("f")
    data = {"image/svg+xml": svg, "text/plain": "x"}
    html = outputs.render([{"output_type": "display_data", "data": data}], 3, figures)
    assert html.count('alt="A &lt; B" loading="lazy" width="96" height="48"') == 2
    light, dark = (figures.files[f"3-1.{theme}.svg"].decode() for theme in ("light", "dark"))
    assert outputs.LIGHT_INK in light
    assert outputs.DARK_INK in dark
    assert "var(" not in light + dark
    assert "#ffffff" not in light + dark


def test_streams_are_joined_and_escaped() -> None:
    """Neighbouring chunks of a stream are one text, and nothing in it is markup."""
    chunk = {"output_type": "stream", "name": "stdout"}
    html = outputs.render(
        [{**chunk, "text": ["<a"]}, {**chunk, "text": ">\n"}], 1, outputs.Figures("")
    )
    assert html == '<pre class="out out-stdout">&lt;a&gt;</pre>'


def test_a_printed_table_keeps_its_columns() -> None:
    """Where two lines or more have gaps; a sentence may have one."""
    assert "out-table" in outputs.text("t  u\n1  0.5", "out-stdout")
    assert "out-table" not in outputs.text("a  gap\n  and an indent", "out-stdout")


def test_the_policy_names_the_scripts_of_the_page_and_no_other_host() -> None:
    """Inline scripts are allowed by hash; nothing may come from elsewhere."""
    html = head.protect('<meta charset="utf-8"><script>a()</script><script src="b.js"></script>')
    assert html.count("'sha256-") == 1
    assert "default-src 'self'" in html
    assert "http:" not in html
    assert "https:" not in html
    assert "script-src 'self' 'wasm-unsafe-eval' 'sha256-" in html


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
