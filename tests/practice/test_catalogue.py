"""Every exercise: right answers pass, each named misconception is rejected and named."""

import dataclasses
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from stbp_edu.practice import check, exercises, hint, solution
from stbp_edu.practice.tasks import blanks, inputs_of
from stbp_edu.practice.tasks.mistakes import edited, misconceptions

ALL = list(exercises().values())
FORMS = tomllib.loads((Path(__file__).parent / "other_forms.toml").read_text(encoding="utf-8"))
WRONG = [(e, m) for e in ALL for m in e.mistakes]


@cache
def feedback_on(id_, body):
    """Return what a wrong body of the function gets to hear: several tests read it."""
    return check(id_, exercises()[id_].function(body))


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_reference_and_solution_pass_and_the_stub_is_not_attempted(exercise):
    assert check(exercise.id, exercise.answer).state == "right"
    assert check(exercise.id, exercise.function()).state == "right"
    assert check(exercise.id, exercise.function("...")).state == "todo"
    assert check(exercise.id, exercise.function("raise NotImplementedError; return 0")).state == (
        "todo"
    )
    assert check(exercise.id, None).state == "todo"


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_at_least_two_other_right_forms_pass(exercise):
    forms = FORMS[exercise.id]
    assert len(set(forms)) >= 2
    for form in forms:
        body = edited(exercise.solution, form)
        assert body != exercise.solution
        feedback = check(exercise.id, exercise.function(body))
        assert feedback.state == "right", (form, feedback)


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "mistake"), WRONG, ids=[f"{e.id}-{m.id}" for e, m in WRONG])
def test_each_misconception_is_rejected_and_named(exercise, mistake):
    feedback = feedback_on(exercise.id, mistake.body)
    assert feedback.state == "wrong"
    assert mistake.id in feedback.mistakes
    assert mistake.name in repr(feedback)
    assert any(call.where == feedback.where for call in inputs_of(exercise))
    unclear = re.search(r"\bt = \d+(?! \(index \d+ in code\))", repr(feedback))
    assert not unclear, "a step is named without its index"


@pytest.mark.parametrize(
    ("id_", "wrong", "said", "foreign"),
    [
        ("two-paths", "direct", "directly and through z", "t+1"),
        ("two-paths", "direct * outer * inner", "paths are multiplied", "sums"),
        ("nudge", "function(x + step) - function(x - step)", "not divided by", "inner derivative"),
        ("nudge", "(function(x + step) - function(x - step)) / step", "2·step apart", "loss"),
        ("twin-2", "a / 8 => a / 4", "it is (a/8) v²", "loss"),
        ("gate-df", "np.exp(-o / tau)", "its slope is negative", "loss"),
        ("lif-run", "return u, o => return u", "only one of the results", "NoneType"),
        ("c1-delta", "-(Y - O[-1]) / O[..., 0].size", "the spikes over all T", "parameter"),
        ("c3-epsilon", "epsilon_next * f", "through its own spike", "W^{n+1}"),
    ],
)
def test_the_words_fit_the_exercise(id_, wrong, said, foreign):
    exercise = exercises()[id_]
    text = repr(check(id_, exercise.function(edited(exercise.solution, wrong))))
    assert said in text
    assert foreign not in text.partition("Look at")[0]


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_no_hint_or_feedback_prints_the_solution(exercise):
    body = exercise.solution.strip().splitlines()[-1].removeprefix("return ")
    for mistake in exercise.mistakes:
        text = repr(feedback_on(exercise.id, mistake.body))
        assert exercise.solution.strip() not in text
        assert len(body) < 8 or body not in text
    assert body in solution(exercise.id).source


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_hints_come_one_at_a_time(exercise):
    given = [hint(exercise.id) for _ in exercise.hints]
    assert {h.text for h in given} == set(exercise.hints)
    assert len(exercise.hints) >= 2


def test_every_misconception_of_the_library_is_used():
    used = {m.id for _, m in WRONG}
    used |= {m.id for f in blanks().values() for m in f.mistakes}
    assert set(misconceptions()) == used


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": "case 9"}, "inputs must be one of case 1, .*, got 'case 9'"),
        ({"signature": "c3_delta(delta_last, err_later)"}, "name of a quantity, got 'err_later'"),
    ],
)
def test_a_table_that_names_no_inputs_or_quantity_says_so(change, message):
    with pytest.raises(ValueError, match=message):
        inputs_of(dataclasses.replace(exercises()["c3-delta"], **change))
