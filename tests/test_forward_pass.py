import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, forward_pass, init_params
from tests.networks import fast_forward, make_problem

NEURON = LIF(tau=0.5, v_th=0.6, surrogate=Gaussian(0.5))
RUNS = {"step by step": forward_pass.forward, "engine": fast_forward}
each_run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def by_index_loops(problem):
    """Evaluate fwd-x, fwd-u and fwd-o as the notes print them, one number at a time."""
    p, neuron = problem.params, problem.neuron
    U, O = [None], [problem.spikes]
    for n in range(1, p.N + 1):
        u, o = np.zeros((2, *O[-1].shape[:2], p.sizes[n]))
        for t, s, i in np.ndindex(u.shape):
            x = sum(W * below for W, below in zip(p.W[n][i], O[-1][t, s], strict=True))
            if t:
                f = neuron.tau * np.exp(-o[t - 1, s, i] / neuron.tau)
                u[t, s, i] = u[t - 1, s, i] * f
            u[t, s, i] += x + p.b[n][i]
            o[t, s, i] = u[t, s, i] >= neuron.v_th
        U.append(u)
        O.append(o)
    return U, O


@each_run
def test_fwd_x_fwd_u_fwd_o_equal_the_source_evaluated_with_index_loops(run):
    problem = make_problem(3, [4, 5, 3, 2], T=6, S=3, neuron=NEURON)
    u, o = by_index_loops(problem)
    trace = run(problem.spikes, problem.params, problem.neuron)
    for n in range(1, 4):
        np.testing.assert_allclose(trace.U[n], u[n], atol=1e-14)
        np.testing.assert_array_equal(trace.O[n], o[n])
        assert (
            0 < o[n].mean() < 1
        )  # neither silent nor saturated, or nothing was compared


def test_init_unit_rows_have_norm_one_and_both_signs_and_init_uniform_fills_its_limit():
    params = init_params([50, 40, 10], np.random.default_rng(1))
    for n in (1, 2):
        np.testing.assert_allclose(np.linalg.norm(params.W[n], axis=1), 1)
        assert params.W[n].min() < 0 < params.W[n].max()
        assert not params.b[n].any()
    W = init_params(
        [400, 300], np.random.default_rng(1), np.float32, scheme="uniform"
    ).W[1]
    limit = np.sqrt(6 / 400)
    assert W.dtype == np.float32
    assert 0.99 * limit < np.abs(W).max() <= limit
    assert W.std() == pytest.approx(limit / np.sqrt(3), rel=0.01)


def test_a_seed_draws_these_weights_in_every_version_and_scale_multiplies_them():
    """What the results pages print was trained from them."""
    known = [
        [0.4333434079116379, 1.3759889694937129],
        [0.9550032448487416, -0.9519102169818329],
    ]
    for scale in (1.0, 3.0):
        rng = np.random.default_rng(7)
        W = init_params([2, 2], rng, scheme="uniform", scale=scale).W[1]
        np.testing.assert_allclose(W / scale, known, rtol=1e-12)
