"""Wrong answers: each is rejected, and what is found out about it is where it was changed.

``wrong_answers.txt`` holds answers with the finding that each must get, by id and place, a line
each: task | formula, body, or edit of the solution | id | place; or the names of its mistakes |
named. The tables of the tasks have one answer for each mistake, of which
:mod:`tests.practice.test_catalogue` asks the names. The other wrong
answers here are seeded changes of right ones; STBP_MUTANTS and STBP_MUTANTS_SEED make more of
them, and others.
"""

import ast
import copy
import os
import re
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.practice import check, exercises
from stbp_edu.practice.grading.answer import Answer, same
from stbp_edu.practice.tasks import situations
from stbp_edu.practice.tasks.programs import define, edited
from tests.practice.answers import feedback_on
from tests.practice.mutants import equivalent, mutants

PER_EXERCISE = int(os.environ.get("STBP_MUTANTS", "1"))
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
NAMED = [row for row in TABLE if row[3] == "named"]
# bernoulli draws thousands of spikes
QUICK = [*[row for row in TABLE if row[0] != "bernoulli"][::4], *NAMED]
ROWS = [
    pytest.param(*row, marks=[pytest.mark.slow] * (row not in QUICK)) for row in TABLE
]


heard = cache(feedback_on)  # two tests read it


@pytest.mark.parametrize(
    ("id_", "body", "finding", "place"), ROWS, ids=lambda text: text[:60]
)
def test_a_wrong_answer_gets_its_finding(id_, body, finding, place):
    feedback = heard(id_, body)
    assert feedback.state == "wrong"
    if place == "named":
        assert feedback.mistakes == (*finding.split(", "),)
        return
    assert not feedback.mistakes
    found = [(f.id, f.place or "all") for f in feedback.findings]
    assert (finding, place) in found, feedback


LEFT_OUT = re.compile(r"(?<!before )`([^`]+)` is left out")


@pytest.mark.slow
def test_what_is_said_of_an_answer_is_what_doing_it_gives():
    """On inputs that nothing is judged with; and a term is left out with its sign."""
    held = 0
    for id_, body, _, _ in TABLE:
        if id_ not in exercises():
            continue
        task = exercises()[id_]
        source = task.source(edited(task.solution, body))
        for finding in heard(id_, body).findings:
            if finding.program and "_c" not in finding.program:
                assert equivalent(task, finding.program, source), finding
                held += 1
            for part in LEFT_OUT.findall(finding.text) * (
                " or if " not in finding.text
            ):
                programs = list(without(task.source(), part))
                assert any(equivalent(task, p, source) for p in programs), finding
    assert held >= 80


def without(source, part):
    """Yield a program without an operand that is written so, wherever it stands."""
    tree = ast.parse(source)
    signs = {ast.Sub: "-({})", ast.Div: "1 / ({})"}
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp):
            left, right = ast.unparse(node.left), ast.unparse(node.right)
            rest = {right: left} if right == part else {}
            if left == part:
                rest[left] = signs.get(type(node.op), "{}").format(right)
            for text in rest.values():
                new = ast.parse(text, mode="eval").body
                yield ast.unparse(copy.deepcopy(tree, {id(node): new}))


NOTHING_FITS = {
    "c3-delta": "np.cumsum(delta_last, axis=0) + 3 * err_next * U * df",
    "two-paths": "direct + outer * inner + 0.7 * direct * outer",
    "momentum": "return p - lr * (mu * m + g), 0.5 * m * mu + g",
    "c3-epsilon": "delta * h * h + 0.1 * epsilon_next * f",
    "batch-parts": "s / S => s - S",
    "c3-delta-formula": "u**2 + h*f",
}


@pytest.mark.parametrize("id_", NOTHING_FITS)
def test_what_nothing_explains_is_shown_where_it_goes_wrong(id_):
    said = feedback_on(id_, NOTHING_FITS[id_])
    assert not said.findings
    assert re.search(r"(First at|With) .*: yours \S+, exact \S+", repr(said))


def test_a_missing_term_is_named_beside_another_mistake():
    said = feedback_on("c3-delta-formula", "delta_next * h_next * u * df")
    assert set(said.mistakes) == {"missing-direct", "classic"}
    assert said.together
    soft = feedback_on(
        "c3-delta-soft", "v_th * epsilon_next"
    )  # the term itself is negative
    assert set(soft.mistakes) == {"missing-direct", "sign"}


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
    assert tried >= len(exercises())
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
        ids = {(f.id, f.place) for f in feedback_on("c3-delta", body).findings}
        assert ids == {("factor", "err_next * U * df")}


@pytest.mark.parametrize("exercise", exercises().values(), ids=exercises())
def test_an_answer_that_holds_one_of_its_inputs_fixed_is_wrong(exercise):
    """As it is in any of the situations."""
    right, given = exercise.function(), situations(exercise)
    solved = Answer(exercise, right, given)
    assert all(map(same, solved.outcomes, solved.right))
    for k, name in enumerate(exercise.arguments):
        read = re.search(rf"\b{name}\b", exercise.solution)
        for fixed in given[:6] if read else ():

            def answer(*args, k=k, value=fixed.args[k]):
                return right(*args[:k], value, *args[k + 1 :])

            judged = Answer(exercise, answer, given)
            assert not all(map(same, judged.outcomes, judged.right)), name
