"""The five cases: scalar = vector = sweep, and the classic rule = the source's formulas."""

import numpy as np
import pytest
from hypothesis import given

from stbp_edu import LIF, Gaussian, cases
from stbp_edu.verify.forms import scalar_adjoints
from tests.networks import assert_close, make_problem, problems

SMALL = {"max_layers": 3, "max_steps": 5, "max_width": 4, "max_batch": 3}


@pytest.mark.parametrize("rule", ["exact", "classic"])
@given(problem=problems(**SMALL))
def test_c1_c2_c3_c4_c5_scalar_equals_sweep(problem, rule):
    args = (problem.trace, problem.targets, problem.params, problem.neuron, rule)
    scalar, vector = scalar_adjoints(*args), cases.sweep(*args)
    assert_close(vector.delta, scalar.delta, "delta")
    assert_close(vector.epsilon, scalar.epsilon, "epsilon")
    assert_close(vector.gradients.W, scalar.gradients.W, "dL/dW")
    assert_close(vector.gradients.b, scalar.gradients.b, "dL/db")


def as_the_source_prints_it(problem):
    """Evaluate the source's recursion literally: δ of each case, with ∂g/∂u written as h."""
    p, nn, trace, Y = problem.params, problem.neuron, problem.trace, problem.targets
    u, o, w, N = trace.U, trace.O, p.W, p.N
    T, S, _ = o[0].shape
    l = p.sizes
    delta = [None] + [np.zeros_like(a) for a in u[1:]]
    eps = [None] + [np.zeros_like(a) for a in u[1:]]

    def dg(t, s, n, j):
        return nn.surrogate.derivative(np.array([u[n][t, s, j] - nn.v_th]))[0]

    def df(value):
        return -np.exp(-value / nn.tau) if nn.gate == "exponential" else -nn.tau

    def f(value):
        t = nn.tau
        return t * np.exp(-value / t) if nn.gate == "exponential" else t * (1 - value)

    for s in range(S):
        for t in reversed(range(T)):
            for n in reversed(range(1, N + 1)):
                for i in range(l[n]):
                    if n == N:
                        rate = sum(o[N][k, s, i] for k in range(T)) / T
                        value = -1 / (T * S) * (Y[s, i] - rate)
                    else:
                        value = sum(
                            delta[n + 1][t, s, j] * w[n + 1][j, i] * dg(t, s, n + 1, j)
                            for j in range(l[n + 1])
                        )
                    if t < T - 1:
                        value += (
                            delta[n][t + 1, s, i]
                            * u[n][t, s, i]
                            * dg(t + 1, s, n, i)
                            * df(o[n][t, s, i])
                        )
                    delta[n][t, s, i] = value
                    eps[n][t, s, i] = value * dg(t, s, n, i)
                    if t < T - 1:
                        eps[n][t, s, i] += eps[n][t + 1, s, i] * f(o[n][t, s, i])
    return delta, eps


@given(problem=problems(**SMALL))
def test_err_classic_is_the_sources_recursion_evaluated_literally(problem):
    delta, eps = as_the_source_prints_it(problem)
    swept = cases.sweep(problem.trace, problem.targets, problem.params, problem.neuron, "classic")
    assert_close(swept.delta, delta, "delta")
    assert_close(swept.epsilon, eps, "epsilon")


@given(problem=problems(max_layers=4, max_steps=6, max_width=4, max_batch=2))
def test_err_exact_and_err_classic_agree_only_where_they_should(problem):
    args = (problem.trace, problem.targets, problem.params, problem.neuron)
    exact, classic = (cases.sweep(*args, rule).gradients for rule in ("exact", "classic"))
    T, N = problem.spikes.shape[0], problem.params.N
    if T == 1 or (N == 1 and T <= 2):
        assert_close(classic.W, exact.W, "dL/dW")
        assert_close(classic.b, exact.b, "dL/db")


@pytest.mark.parametrize(("T", "sizes"), [(2, [3, 4, 2]), (3, [3, 2]), (6, [3, 4, 4, 2])])
def test_err_classic_differs_from_err_exact_elsewhere(T, sizes):
    neuron = LIF(tau=0.5, v_th=0.6, surrogate=Gaussian(1.0))
    problem = make_problem(1, sizes, T, S=3, neuron=neuron)
    args = (problem.trace, problem.targets, problem.params, neuron)
    exact, classic = (cases.sweep(*args, rule).gradients for rule in ("exact", "classic"))
    assert np.abs(classic.b[1] - exact.b[1]).max() > 1e-3 * np.abs(exact.b[1]).max()


def test_case_at_covers_the_grid():
    grid = [[cases.case_at(t, n, T=3, N=2) for t in range(3)] for n in (1, 2)]
    assert grid == [[4, 4, 2], [3, 3, 1]]
    assert cases.case_at(0, 1, T=1, N=1) == 1


@pytest.mark.parametrize(
    ("t", "n", "error", "message"),
    [
        (3, 1, ValueError, "t must be < T = 3"),
        (-1, 1, ValueError, "t must be >= 0"),
        (0, 0, ValueError, "n must be >= 1"),
        (0, 3, ValueError, "n must be <= N = 2"),
        (0.0, 1, TypeError, "t must be an integer"),
    ],
)
def test_a_cell_outside_the_grid_is_named(t, n, error, message):
    with pytest.raises(error, match=message):
        cases.case_at(t, n, T=3, N=2)
