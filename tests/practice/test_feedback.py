"""Answers: folded in a notebook before it is run and after, plain in a terminal."""

import re
import sys

import pytest

from stbp_edu import plotting
from stbp_edu.plotting.svg_figure import NARROW
from stbp_edu.practice import answer, check
from stbp_edu.practice.feedback import TEXT


def shown(value):
    """Return the HTML inside the fold, what a program shows that cannot fold, and metadata."""
    data, metadata = value._repr_mimebundle_()
    fold = re.fullmatch(
        r'<details class="stbp-answer"><summary>Show the answer</summary>(.*)</details>',
        data["text/html"],
        flags=re.S,
    )
    assert fold
    return fold[1], data["text/plain"], metadata


def test_text_is_escaped_and_told_nowhere_else():
    assert shown(answer("t < 2")) == ("<pre>t &lt; 2</pre>", TEXT, {})
    assert shown(answer(0.5, [1, 2]))[0] == "<pre>0.5</pre><pre>[1, 2]</pre>"
    assert repr(answer("t < 2")) == "t < 2"


def test_a_figure_keeps_its_words_and_what_a_phone_shows():
    figure = plotting.show(plotting.grid(2, 1), alt="The grid of two steps, one layer.")
    inside, _, metadata = shown(answer(figure, figure))
    assert inside.count('<img class="stbp-figure" alt="The grid of two steps') == 2
    assert len(metadata[NARROW]) == 2


def test_feedback_is_a_card_and_formulas_are_latex():
    inside, _, _ = shown(answer(check("c1-epsilon", lambda delta, h: delta * h)))
    assert 'data-state="right"' in inside
    assert "\\begin{array}" in shown(answer(plotting.poster()))[0]


def test_a_block_folds_what_it_prints(monkeypatch):
    found = []
    monkeypatch.setattr("stbp_edu.practice.feedback._display", found.append)
    with answer():
        print("one")
        print("two")
    assert shown(found[0])[0] == "<pre>one\ntwo</pre>"


def test_a_block_that_fails_shows_what_it_printed_before(capsys):
    def fail():
        with answer():
            print("before")
            print(1 / 0)

    with pytest.raises(ZeroDivisionError):
        fail()
    assert capsys.readouterr().out == "before\n"


def test_without_ipython_the_answer_is_printed(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with answer():
        print("plain")
    assert capsys.readouterr().out == "plain\n"
