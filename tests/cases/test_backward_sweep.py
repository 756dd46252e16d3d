"""The sweep: index formulas = sweep, classic rule = the notes' formulas, named bad input."""

import numpy as np
import pytest
from hypothesis import given

from stbp_edu import LIF, cases
from stbp_edu.losses import RATE
from stbp_edu.neuron import HARD_GATES
from tests.networks import assert_close, make_problem, problems

SMALL = {
    "max_layers": 3,
    "max_steps": 5,
    "max_width": 4,
    "max_batch": 3,
    "gates": HARD_GATES,
}


@pytest.mark.parametrize("rule", ["exact", "classic"])
@given(problem=problems(**SMALL))
def test_c1_c2_c3_c4_c5_scalar_equals_sweep(problem, rule):
    args = (problem.trace, problem.targets, problem.params, problem.neuron, rule)
    scalar, vector = cases.scalar.sweep(*args), cases.sweep(*args)
    assert_close(vector.delta, scalar.delta, "delta")
    assert_close(vector.epsilon, scalar.epsilon, "epsilon")
    assert_close(vector.gradients.W, scalar.gradients.W, "dL/dW")
    assert_close(vector.gradients.b, scalar.gradients.b, "dL/db")


@given(problem=problems(**SMALL))
def test_c1_delta_is_the_direct_term_of_the_rate_loss(problem):
    written = cases.vector.c1_delta(problem.targets, problem.trace.O[-1])
    for direct in RATE.direct(problem.trace, problem.targets).o:
        np.testing.assert_array_equal(written, direct)


def test_the_soft_reset_is_refused_and_its_place_named():
    soft, said = (
        LIF(gate="soft"),
        r"neuron must have a hard reset .* stbp_edu\.network",
    )
    run = PROBLEM._replace(neuron=soft).trace
    for sweep in (cases.sweep, cases.scalar.sweep):
        with pytest.raises(ValueError, match=said):
            sweep(run, PROBLEM.targets, PROBLEM.params, soft)
    with pytest.raises(ValueError, match="rule must be one of 'exact', 'classic'"):
        cases.scalar.sweep(PROBLEM.trace, *PROBLEM[1:], "leak-only")


def test_case_at_covers_the_grid():
    grid = [[cases.case_at(t, n, T=3, N=2) for t in range(3)] for n in (1, 2)]
    assert grid == [[4, 4, 2], [3, 3, 1]]
    assert cases.case_at(0, 1, T=1, N=1) == 1


PROBLEM = make_problem(0, [3, 4, 2], T=3, S=5, neuron=LIF(tau=0.5, v_th=0.6))
