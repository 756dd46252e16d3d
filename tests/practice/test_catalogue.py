"""Every task: right answers pass, each named misconception is rejected and named."""

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from stbp_edu.practice import check, hint, solution
from stbp_edu.practice.tasks import Exercise, inputs_of, misconceptions, tasks
from tests.practice.answers import feedback_on

ALL = list(tasks().values())
SOME = [
    pytest.param(e, marks=[pytest.mark.slow] * (k % 3 > 0)) for k, e in enumerate(ALL)
]
FORMS = tomllib.loads(
    (Path(__file__).parent / "other_forms.toml").read_text(encoding="utf-8")
)
WRONG = [(task, mistake) for task in ALL for mistake in task.mistakes]


@cache
def wrong(id_, body):
    """Return what a wrong answer gets to hear: several tests read it."""
    return feedback_on(id_, body)


@pytest.mark.parametrize("task", SOME, ids=[task.id for task in ALL])
def test_a_solution_passes_and_the_stub_is_not_attempted(task):
    assert feedback_on(task.id).state == "right"
    stubs = ["..."]
    if isinstance(task, Exercise):
        assert check(task.id, task.answer).state == "right"
        assert check(task.id, None).state == "todo"
        stubs.append("raise NotImplementedError; return 0")
    assert all(feedback_on(task.id, stub).state == "todo" for stub in stubs)


@pytest.mark.slow
@pytest.mark.parametrize("task", ALL, ids=lambda task: task.id)
def test_other_right_forms_pass(task):
    forms = {*FORMS[task.id]} - {task.solution}
    assert len(forms) >= 2
    for form in forms:
        assert feedback_on(task.id, form).right, form


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "mistake"), WRONG, ids=[f"{e.id}-{m.id}" for e, m in WRONG]
)
def test_each_misconception_is_rejected_and_named(task, mistake):
    feedback = wrong(task.id, mistake.body)
    assert feedback.state == "wrong"
    assert mistake.id in feedback.mistakes
    assert mistake.name in repr(feedback)
    if isinstance(task, Exercise):
        assert any(call.where in repr(feedback) for call in inputs_of(task))
    unclear = re.search(r"\bt = \d+(?! \(index \d+ in code\))", repr(feedback))
    assert not unclear, "a step is named without its index"


@pytest.mark.slow
@pytest.mark.parametrize("task", ALL, ids=lambda task: task.id)
def test_no_feedback_prints_the_solution_and_hints_come_one_at_a_time(task):
    body = task.solution.strip().splitlines()[-1].removeprefix("return ")
    for mistake in task.mistakes:
        text = repr(wrong(task.id, mistake.body))
        assert task.solution.strip() not in text
        assert len(body) < 8 or body not in text
    assert body in solution(task.id).source
    given = [hint(task.id) for _ in task.hints]
    assert {h.text for h in given} == set(task.hints)
    assert len(task.hints) >= 2


def test_every_misconception_of_the_library_is_used():
    assert set(misconceptions()) == {mistake.id for _, mistake in WRONG}
