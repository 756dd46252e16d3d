"""The pencil network tells a wrong formula from a right one: each gives another number on it."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from stbp_edu.network import Params, forward
from stbp_edu.practice.explorers.pencil_network import pencil
from stbp_edu.practice.grading.answer import same
from stbp_edu.practice.grading.calling import plain
from stbp_edu.practice.tasks import Exercise, ForwardPass, course_table, exercises
from stbp_edu.practice.tasks.inputs import WALKS, one_neuron, quantity
from stbp_edu.practice.tasks.mistakes import Mistake

NETWORK = pencil()
COURSE = list(course_table())
ASKED = [
    exercise
    for exercise in exercises().values()
    if COURSE.index("case1") <= exercise.notebook <= COURSE.index("all_together")
    if exercise.inputs.partition(", ")[0] in WALKS
    if exercise.id not in ("c1-delta-last", "c1-delta-window")  # other losses, of silent steps here
]


def with_parameters(net: ForwardPass, params: Params, **other: Any) -> ForwardPass:
    """Return a network with other parameters, run again."""
    changed = replace(net, params=params, **other)
    trace = forward(changed.trace.O[0], params, changed.neuron)
    return replace(changed, trace=trace)


def mirrored(net: ForwardPass) -> ForwardPass:
    """Return the network with its hidden neurons changed over: exercises take the last one."""
    W, b = net.params.W, net.params.b
    params = Params(W=[None, W[1][::-1], W[2][:, ::-1]], b=[None, b[1][::-1], b[2]])
    return with_parameters(net, params)


def more(net: ForwardPass) -> list[ForwardPass]:
    """Return the network with more of what it has one of, or with a curved gate."""
    W, b, x = net.params.W, net.params.b, net.trace.O[0]
    second = forward(np.concatenate([x, x[::-1]], axis=1), net.params, net.neuron)
    wide = Params(
        W=[None, W[1], np.vstack([W[2], [3.0, -1.0]])], b=[None, b[1], np.array([2.0, 2.0])]
    )
    curved = replace(net, neuron=replace(net.neuron, gate="exponential"))
    return [
        with_parameters(net, Params(W=W, b=[None, b[1], np.array([5.0])])),  # its last step spikes
        with_parameters(net, wide, targets=np.array([[1.0, 0.0]])),
        replace(net, trace=second, targets=np.array([[1.0], [0.0]])),
        with_parameters(curved, net.params),
    ]


def arguments(exercise: Exercise, net: ForwardPass) -> Iterator[tuple[Any, ...]]:
    """Yield what the exercise's function is called with, at every node that its case has."""
    walk, _, scalar = exercise.inputs.partition(", ")
    take = one_neuron if scalar else quantity
    for either in (net, mirrored(net)):
        for t, n, _ in WALKS[walk](either):
            yield tuple(take(name, either, t, n) for name in exercise.arguments)


def tells(net: ForwardPass, exercise: Exercise, mistake: Mistake) -> bool:
    """Return whether a wrong answer gives another number than the right one at some node."""
    wrong = exercise.function(mistake.body)
    for args in arguments(exercise, net):
        try:
            got = wrong(*args)
        except Exception:  # NumPy refuses it
            return True
        right = exercise.answer(*args)
        if not same(plain(got, right), plain(right, right)):
            return True
    return False


def test_a_wrong_formula_gives_another_number():
    """On the network itself, but where it has one of a kind: there, on one that has more."""
    wrong = [(exercise, mistake) for exercise in ASKED for mistake in exercise.mistakes]
    untold = [pair for pair in wrong if not tells(NETWORK, *pair)]
    assert len(untold) < len(wrong) / 3
    assert [pair for pair in untold if not any(tells(net, *pair) for net in more(NETWORK))] == []


def test_the_constants_differ_from_each_other_and_from_what_stands_beside_them():
    neuron, U, O = NETWORK.neuron, NETWORK.trace.U, NETWORK.trace.O
    rate = float(O[2].mean())
    one_over_t, h, kept, miss = 1 / len(O[2]), 1 / 4, neuron.tau, 1 - rate
    factors = {round(x, 9) for x in (one_over_t, h, kept, miss, 1.0)}
    assert len(factors) == 5
    assert rate == pytest.approx(one_over_t)  # one spike: what ``case1`` says
    met = {round(abs(float(x)), 9) for a in (U[1], U[2], NETWORK.params.W[2]) for x in a.ravel()}
    assert not factors & met
    assert {float(x) for u in U[1:] for x in neuron.h(u).ravel()} == {0.0, h}


def test_the_classic_rule_is_right_at_the_step_before_the_last_and_visibly_wrong_before():
    twin = forward(NETWORK.trace.O[0], NETWORK.params, NETWORK.neuron, spike=NETWORK.neuron.H)
    smooth = replace(NETWORK, trace=twin)
    exact, classic = (smooth.sweep(rule).delta[2][:, 0, 0] for rule in ("exact", "classic"))
    assert classic[1:] == pytest.approx(exact[1:], rel=1e-12)
    assert abs(classic[0] / exact[0] - 1) > 0.05
    hard = [NETWORK.sweep(rule).delta[1][0, 0, 0] for rule in ("exact", "classic")]
    assert hard[0] > 0 > hard[1]


def test_one_potential_reaches_the_loss_by_what_is_carried_alone():
    h = [None, *(NETWORK.neuron.h(u)[:, 0] for u in NETWORK.trace.U[1:])]
    assert [(n, *at) for n in (1, 2) for at in np.argwhere(h[n] == 0).tolist()] == [(1, 1, 1)]
    epsilon = NETWORK.sweep("exact").epsilon[1][:, 0, 1]
    assert epsilon[1] == pytest.approx(epsilon[2] / 2) == pytest.approx(1 / 48)


def test_every_number_is_a_small_fraction():
    def largest(*arrays: Any) -> int:
        """Return the largest denominator."""
        numbers = [float(x) for a in arrays for x in np.ravel(a)]
        fractions = [Fraction(x).limit_denominator(1000) for x in numbers]
        assert np.allclose([float(f) for f in fractions], numbers, rtol=1e-14, atol=0)
        return max(f.denominator for f in fractions)

    exact, trace = NETWORK.sweep("exact"), NETWORK.trace
    assert largest(*trace.U[1:]) == 2
    assert largest(*exact.delta[1:]) == 24
    assert largest(*exact.epsilon[1:]) == 96
    assert largest(*exact.gradients.W[1:], *exact.gradients.b[1:]) == 288
