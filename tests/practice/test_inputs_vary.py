"""No answer is right by leaving out what the situations never vary."""

import ast
import copy
from functools import cache

import numpy as np
import pytest

from stbp_edu.neuron import LIF
from stbp_edu.practice import exercises
from stbp_edu.practice.grading.exercise_check import situations
from stbp_edu.practice.grading.places import places
from stbp_edu.practice.grading.search import Answer
from stbp_edu.practice.grading.values import plain

CONSTANT = {"0 * o", "(0 * o, 0 * o)", "0 * O[:1]", "O[:1]", "U.dtype"}
"""Zeros whatever the input, and the one type that all have."""
BUILTINS = {"np", "len", "sum", "max", "min", "zip", "range"}
NOT_NEGATIVE = {
    *(
        "tau",
        "v_th",
        "a",
        "h",
        "f",
        "h_next",
        "h_above",
        "O_gate",
        "o",
        "O",
        "O_before",
        "O_next",
        "o_below",
        "O_below",
    ),
    *(
        "Y",
        "y",
        "targets",
        "spikes",
        "dt",
        "step",
        "rho",
        "alpha",
        "beta",
        "cost",
        "lr",
        "mu",
        "eps",
        "v",
    ),
    *("k", "t", "n", "T", "N", "S", "m", "P", "r", "c", "q", "w", "beta1", "beta2", "sizes"),
    *("labels", "answers", "classes", "per_sample", "size", "bandwidth", "latency", "counts"),
    *("length", "work", "rates", "limit"),
}
"""Arguments of tasks that stand for what is never below 0, and so may be taken without a sign."""


@cache
def asked(exercise):
    """Return the right answer to an exercise, as the search for a mistake takes answers."""
    inputs, likes = situations(exercise)
    right = [plain(like, like) for like in likes]
    return Answer(exercise.source(), exercise.arguments, inputs, right, right, likes)


def known(exercise):
    """Yield what a right answer makes of arguments alone, each with the values that it takes."""
    every = places(exercise.source())
    whole = {p.node.id for p in every if len(p.nodes) > 1}
    for place in every:
        if place.called or place.root or not place.used - BUILTINS <= set(exercise.arguments):
            continue
        alone = len(place.nodes) == 1 and place.text in whole
        if alone or place.text in CONSTANT or not place.used - BUILTINS:
            continue
        values = values_of(exercise, place)
        yield place, list({repr(v): v for v in values}.values())


def values_of(exercise, place):
    """Return what stands in a place of the solution, over all situations."""
    values = []
    look = place.of(lambda x: values.append(copy.deepcopy(x)) or x)
    for k in range(len(asked(exercise).inputs)):
        asked(exercise).run(look, k)
    return values


TASKS = [e for e in exercises().values() if not e.view]


@pytest.mark.parametrize("exercise", TASKS, ids=lambda e: e.id)
def test_an_answer_that_holds_one_of_its_inputs_fixed_is_wrong(exercise):
    for place, values in known(exercise):
        assert len(values) > 1, place.text
        numbers = [v for v in (0.0, 1.0) if place.text in exercise.arguments]
        for value in (*numbers, *values[:6]):
            fixed = place.of(lambda _, value=value: value)
            assert not asked(exercise).gives(fixed), (place.text, value)
        assert place.text in NOT_NEGATIVE or may_be_negative(place, values), place.text
    for values in zip(*(i.args for i in asked(exercise).inputs), strict=True):
        if isinstance(values[0], LIF):
            assert all(len({getattr(neuron, c) for neuron in values}) > 1 for c in ("tau", "v_th"))


def may_be_negative(place, values):
    """Return whether a quantity takes both signs; what is no float has none."""
    given = isinstance(place.node, ast.Name)
    floats = [np.asarray(v) for v in values if isinstance(v, (float, np.ndarray))]
    floats = [v for v in floats if v.dtype.kind == "f"]
    return not given or not floats or any((v < 0).any() for v in floats)
