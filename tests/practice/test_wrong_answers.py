"""Wrong answers: each is rejected, and what is found out about it is where it was changed.

``wrong_answers.txt`` holds answers with the finding that each must get, by id and place, a line
each: task | formula, body, or edit of the solution | id | place. Named mistakes stand in the
tables of the tasks, and :mod:`tests.practice.test_catalogue` asks for their names. The other wrong
answers here are seeded changes of right ones; STBP_MUTANTS and STBP_MUTANTS_SEED make more of
them, and others.
"""

import os
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.practice import check, exercises
from stbp_edu.practice.tasks import tasks
from stbp_edu.practice.tasks.catalogue import define
from tests.practice.answers import feedback_on
from tests.practice.mutants import mutants

PER_EXERCISE = int(os.environ.get("STBP_MUTANTS", "3"))
SEED = int(os.environ.get("STBP_MUTANTS_SEED", "2027"))
VAGUE = {"digits"}
"""Findings that do not say what is wrong."""
TABLE = [
    tuple(line.split(" | "))
    for line in Path(__file__)
    .with_name("wrong_answers.txt")
    .read_text("utf-8")
    .splitlines()
]
QUICK = [row for row in TABLE if row[0] != "bernoulli"][
    ::4
]  # that draws thousands of spikes
ROWS = [
    pytest.param(*row, marks=[pytest.mark.slow] * (row not in QUICK)) for row in TABLE
]


def on(id_, body):
    """Return the feedback on an answer to a task."""
    return feedback_on(tasks()[id_], body)


@pytest.mark.parametrize(
    ("id_", "body", "finding", "place"), ROWS, ids=lambda text: text[:60]
)
def test_a_wrong_answer_gets_its_finding(id_, body, finding, place):
    feedback = on(id_, body)
    assert feedback.state == "wrong"
    assert not feedback.mistakes
    found = [(f.id, f.place or "all") for f in feedback.findings]
    assert (finding, place) in found, feedback


def test_the_table_asks_for_every_kind_of_finding():
    assert len(TABLE) >= 120
    asked = {row[2] for row in TABLE}
    assert {
        "factor",
        "shift",
        "name",
        "operation",
        "left-out",
        "function",
        "number",
    } <= asked
    assert {"case", "term", "digits", "averaged", "moved", "transposed"} <= asked


def clear(feedback):
    """Return whether feedback names what is wrong, or shows the expression that fails."""
    ids = {f.id for f in feedback.findings}
    return bool(feedback.mistakes or ids - VAGUE or "It raises" in repr(feedback))


@pytest.mark.slow
def test_seeded_changes_of_solutions_are_rejected_and_nearly_all_explained():
    tried, lost = 0, []
    for exercise in exercises().values():
        for source, was, new in mutants(exercise, PER_EXERCISE, seed=SEED):
            feedback = check(exercise.id, define(source))
            assert feedback.state == "wrong", f"{exercise.id}: {was} -> {new}"
            tried += 1
            lost += [f"{exercise.id}: {was} -> {new}: {feedback}"] * (
                not clear(feedback)
            )
    assert tried >= 2 * len(exercises())
    assert len(lost) <= 0.03 * tried, "\n".join(lost)


@pytest.mark.parametrize("id_", ["c3-delta", "c4-delta", "c5-w", "fwd-u", "h3"])
def test_one_wrong_entry_in_one_situation_is_wrong(id_):
    right, calls = exercises()[id_].function(), count()

    def answer(*args):
        value = np.array(right(*args))
        if next(calls) == 1:
            value.flat[-1] += 1e-4 * np.abs(value).max()
        return value

    feedback = check(id_, answer)
    assert feedback.state == "wrong"
    assert repr(feedback).startswith(f"{id_}: not right yet.\n")


def test_a_finding_holds_for_other_names_and_forms_of_the_same_mistake():
    for body in (
        "delta_last + err_next * U * df * 0.37",
        "delta_last + 0.37 * (df * U * err_next)",
        "a = err_next * 0.37\nreturn a * U * df + delta_last",
    ):
        ids = {(f.id, f.place) for f in on("c3-delta", body).findings}
        assert ids == {("factor", "err_next * U * df")}


def test_the_search_does_not_depend_on_what_was_asked_before():
    body = "delta_last + err_next * U * df * df"
    first = on("c3-delta", body)
    for other in ("delta_last", "delta_last + err_next", "np.exp(delta_last)"):
        on("c3-delta", other)
    assert on("c3-delta", body) == first
    assert first.findings
