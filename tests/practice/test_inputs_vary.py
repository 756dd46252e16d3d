"""No answer is right by leaving out what the situations never vary."""

import ast
from functools import cache

import pytest

from stbp_edu.practice import exercises
from stbp_edu.practice.grading.answer import Answer, same
from stbp_edu.practice.grading.calling import plain
from stbp_edu.practice.grading.verdict import situations


@cache
def asked(exercise):
    """Return the right answer to an exercise, as the search for a mistake takes answers."""
    every = situations(exercise)
    view = exercise.comparable if exercise.view else None
    return Answer(
        exercise.source(), every, lambda args, like: plain(like, like), view=view
    )


def unseen(answer, function):
    """Return whether a function is right in every situation."""
    every = range(len(answer.situations))
    return all(same(answer.at(function, k), answer.right[k]) for k in every)


@pytest.mark.parametrize("exercise", exercises().values(), ids=exercises())
def test_an_answer_that_holds_one_of_its_arguments_fixed_is_wrong(exercise):
    answer, solution = asked(exercise), exercise.function()
    used = {getattr(node, "id", "") for node in ast.walk(ast.parse(exercise.source()))}
    for k, name in enumerate(exercise.arguments):
        if name not in used:
            continue
        every = {repr(s.args[k]): s.args[k] for s in answer.situations}
        assert len(every) > 1, name
        for value in (0.0, 1.0, *list(every.values())[:6]):

            def held(*args, k=k, value=value):
                return solution(*args[:k], value, *args[k + 1 :])

            assert not unseen(answer, held), (name, value)
