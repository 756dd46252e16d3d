"""No answer is right by leaving out what the situations never vary."""

import ast
import copy
from functools import cache, partial

import numpy as np
import pytest

from stbp_edu.neuron import LIF
from stbp_edu.practice import exercises
from stbp_edu.practice.grading.answer import Answer, same
from stbp_edu.practice.grading.hypotheses import places
from stbp_edu.practice.tasks import situations
from stbp_edu.practice.tasks.programs import define

CONSTANT = {"0 * o", "(0 * o, 0 * o)", "0 * O[:1]", "O[:1]", "U.dtype"}
"""Zeros whatever the input, and the one type that all have."""
BUILTINS = {"np", "len", "sum", "max", "min", "zip", "range"}
NEVER_BELOW_0 = """
    tau v_th a h f h_next h_above O_gate o O O_before O_next o_below O_below Y y targets spikes dt
    step rho alpha beta cost lr mu eps v k t n T N S m P r c q w beta1 beta2 sizes labels answers
    classes per_sample size bandwidth latency counts length work rates limit
    pixels
"""
"""Arguments of tasks that so may be taken without a sign."""


@cache
def asked(exercise):
    """Return the right answer to an exercise, as the search for a mistake takes answers."""
    return Answer(exercise, exercise.function(), situations(exercise))


def known(exercise):
    """Yield what a right answer makes of arguments: text, values, and what holds it fixed."""
    answer, solution = asked(exercise), exercise.function()
    names = {
        n.id for n in ast.walk(ast.parse(exercise.source())) if isinstance(n, ast.Name)
    }
    for k, name in enumerate(exercise.arguments):
        if name not in names:
            continue
        values = [s.args[k] for s in answer.situations]
        yield (
            name,
            values,
            lambda value, k=k: lambda *a: solution(*a[:k], value, *a[k + 1 :]),
        )
    for place in places(exercise.source()):
        used = {
            n.id for n in ast.walk(place.node) if isinstance(n, ast.Name)
        } - BUILTINS
        if not place.text or place.text in CONSTANT | {*exercise.arguments}:
            continue
        if used and used <= set(exercise.arguments):
            yield place.text, values_of(exercise, place), partial(held, place)


def held(place, value):
    """Return the solution with a value in one of its places."""
    return with_name(place.program("held"), value)


def with_name(program, value):
    """Return a program's function that knows a value as ``held``."""
    function = define(program)
    function.__globals__["held"] = value
    return function


def values_of(exercise, place):
    """Return what stands in a place of the solution, over all situations."""
    values = []
    look = with_name(
        place.program(f"held({place.written})"),
        lambda x: values.append(copy.deepcopy(x)) or x,
    )
    for k in range(len(asked(exercise).situations)):
        asked(exercise).at(look, k)
    return values


def unseen(answer, function):
    """Return whether a function is right in every situation."""
    every = range(len(answer.situations))
    return all(same(answer.at(function, k), answer.right[k]) for k in every)


@pytest.mark.parametrize("exercise", exercises().values(), ids=exercises())
def test_an_answer_that_holds_one_of_its_inputs_fixed_is_wrong(exercise):
    for text, every, hold in known(exercise):
        values = list({repr(v): v for v in every}.values())
        assert len(values) > 1, text
        given = text in exercise.arguments
        for value in (*[0.0, 1.0] * given, *values[:6]):
            assert not unseen(asked(exercise), hold(value)), (text, value)
        assert not given or text in NEVER_BELOW_0.split() or may_be_negative(values), (
            text
        )
        if isinstance(values[0], LIF):
            assert all(
                len({getattr(neuron, c) for neuron in values}) > 1
                for c in ("tau", "v_th")
            )


def may_be_negative(values):
    """Return whether a quantity takes both signs; what is no float has none."""
    floats = [np.asarray(v) for v in values if isinstance(v, (float, np.ndarray))]
    floats = [v for v in floats if v.dtype.kind == "f"]
    return not floats or any((v < 0).any() for v in floats)
