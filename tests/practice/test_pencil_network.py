"""The pencil network: its numbers fit on paper, and tell what the notebooks say of them."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from stbp_edu.network import forward
from stbp_edu.practice.explorers.pencil_network import pencil

NETWORK = pencil()


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
