"""Every exercise: right answers pass, each named misconception is rejected and named."""

import dataclasses
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from stbp_edu.practice import check, exercises, hint, solution
from stbp_edu.practice.tasks import blanks, inputs_of, tasks
from stbp_edu.practice.tasks.mistakes import edited, misconceptions

ALL = list(exercises().values())
each = pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
SOME = [pytest.param(e, marks=[pytest.mark.slow] * (k % 3 > 0)) for k, e in enumerate(ALL)]
FORMS = tomllib.loads((Path(__file__).parent / "other_forms.toml").read_text(encoding="utf-8"))
WRONG = [(e, m) for e in ALL for m in e.mistakes]


@cache
def feedback_on(id_, body):
    """Return what a wrong body of the function gets to hear: several tests read it."""
    return check(id_, exercises()[id_].function(body))


@pytest.mark.parametrize("exercise", SOME, ids=[e.id for e in ALL])
def test_reference_and_solution_pass_and_the_stub_is_not_attempted(exercise):
    for right in (exercise.answer, exercise.function()):
        assert check(exercise.id, right).state == "right"
    stubs = (exercise.function(body) for body in ("...", "raise NotImplementedError; return 0"))
    for stub in (*stubs, None):
        assert check(exercise.id, stub).state == "todo"
    assert len(set(FORMS[exercise.id])) >= 2


@pytest.mark.slow
@each
def test_other_right_forms_pass(exercise):
    for form in FORMS[exercise.id]:
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


@pytest.mark.slow
@each
def test_no_feedback_prints_the_solution_and_hints_come_one_at_a_time(exercise):
    body = exercise.solution.strip().splitlines()[-1].removeprefix("return ")
    for mistake in exercise.mistakes:
        text = repr(feedback_on(exercise.id, mistake.body))
        assert exercise.solution.strip() not in text
        assert len(body) < 8 or body not in text
    assert body in solution(exercise.id).source
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


@pytest.mark.parametrize("known", [exercises, blanks, tasks])
def test_the_tasks_are_closed_to_changes(known):
    with pytest.raises(TypeError):
        known()["c3-delta"] = None
