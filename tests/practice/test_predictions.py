"""Predictions: typed, kept with the progress, and held against what was measured."""

import json

import pytest

from stbp_edu.practice import check, predict, progress, progress_report
from stbp_edu.practice.feedback import TEXT
from stbp_edu.practice.progress import path, questions
from tools.notebooks.numbering import files


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Let no prediction be known from another test."""
    monkeypatch.setattr(progress, "_said", {})


@pytest.mark.parametrize("blank", [None, ..., "...", "", " "])
def test_an_untouched_stub_says_that_nothing_is_predicted_and_what_can_be(blank):
    text = repr(predict("c3-holds", blank))
    assert text.startswith("c3-holds: no prediction yet.\n")
    assert all(f"`{choice}`" in text for choice in questions()["c3-holds"].choices)
    measured = repr(predict("c3-holds", blank, measured="t = 2"))
    assert measured.startswith("c3-holds: no prediction; measured: `t = 2`.")
    assert not path().exists()


def test_a_prediction_is_kept_and_held_against_the_measurement():
    for text in ("t = 2 and t = 1", "t=1 and T=2"):
        assert "you predicted `t = 2 and t = 1`" in repr(predict("c3-holds", text))
    after = repr(predict("c3-holds", "t = 2 and t = 1", measured="t = 2"))
    assert "you predicted `t = 2 and t = 1`; measured: `t = 2`." in after
    assert questions()["c3-holds"].lesson in after
    right = repr(predict("c3-holds", "t = 2", measured="t = 2"))
    assert "measured: `t = 2`, as you predicted." in right
    kept = progress_report().predictions
    assert kept == {"c3-holds": "t = 2 and t = 1"}, "it was said after it was measured"


def test_a_measurement_remembers_the_prediction_of_this_session():
    predict("c3-holds", "t = 1")
    after = predict("c3-holds", measured="t = 2")
    assert "you predicted `t = 1`; measured: `t = 2`." in repr(after)
    assert not after._repr_mimebundle_()["text/html"].startswith("<details")
    predict("c3-holds", "...")
    after = predict("c3-holds", measured="t = 2")
    data = after._repr_mimebundle_()
    assert data["text/html"].startswith('<details class="stbp-answer"><summary>')
    assert data["text/plain"] == TEXT, "what was measured stays folded"


def test_what_is_none_of_the_choices_is_said_and_not_kept():
    said = repr(predict("c3-holds", "t=3"))
    assert said.startswith("c3-holds: `t=3` is not one of the choices.\n")
    assert "Choose one of" in said
    assert not path().exists()


def test_predictions_and_states_of_exercises_are_kept_side_by_side():
    page = predict("c3-holds", "...").html()  # which is told what its buttons need
    assert 'data-prediction="c3-holds" data-answer="" data-measured=""' in page
    assert "[&quot;t = 2 and t = 1&quot;," in page
    check("c1-epsilon", lambda delta, h: delta * h)
    predict("c3-holds", "t = 1")
    assert predict("c3-holds", "...").html() == page  # whatever is kept
    assert progress_report().states == {"c1-epsilon": "right"}
    assert json.loads(path().read_text())["predictions"] == {"c3-holds": "t = 1"}
    text = repr(progress_report())
    assert "You predicted, c3-holds: t = 1." in text


@pytest.mark.parametrize("id_", questions())
def test_what_the_notebook_measures_is_what_the_table_says(id_):
    """It is one of the choices, and the answer is asked for before it is measured."""
    asked = questions()[id_]
    assert asked.measured in asked.choices
    cells = json.loads(files()[asked.notebook].read_text(encoding="utf-8"))["cells"]
    said = [
        "".join(output["data"]["text/html"])
        for cell in cells
        if f'predict("{id_}"' in "".join(cell["source"])
        for output in cell["outputs"]
    ]
    wanted = predict(id_), predict(id_, measured=asked.measured)
    assert said == [one._repr_mimebundle_()["text/html"] for one in wanted]
