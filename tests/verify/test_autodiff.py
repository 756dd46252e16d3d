"""The oracle of the machine, and the exact rule against it at every size that the issue names."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, Params, backward, cases, forward, network
from stbp_edu.losses import Direct
from stbp_edu.neuron import HARD_GATES
from stbp_edu.verify import autodiff, comparison
from tests.networks import make_problem, problems


@given(problem=problems(), smooth=st.booleans())
def test_c1_c2_c3_c4_c5_exact_equals_autodiff(problem, smooth):
    """N 1-4, T 1-30, widths 1-20, batch 1-8, every surrogate and gate: error <= 1e-12."""
    p, neuron, Y = problem.params, problem.neuron, problem.targets
    spike = neuron.H if smooth else None
    expected = autodiff.derivatives(problem.spikes, Y, p, neuron, spike=spike)
    slow = network.forward(problem.spikes, p, neuron, spike=spike)
    if neuron.gate != "soft":
        assert not comparison.failures(cases.sweep(slow, Y, p, neuron), expected)
    fast = forward(problem.spikes, p, neuron, spike=spike)
    assert not comparison.failures(backward(fast, Y, p, neuron), expected)


@given(problem=problems(max_steps=6, max_width=5, gates=HARD_GATES))
def test_err_classic_equals_autodiff_where_no_path_is_dropped(problem):
    """In the cells that the mathematics names, and for every network."""
    p, neuron, Y = problem.params, problem.neuron, problem.targets
    expected = autodiff.derivatives(problem.spikes, Y, p, neuron)
    got = cases.sweep(problem.trace, Y, p, neuron, rule="classic")
    for one in comparison.comparisons(got, expected):
        if comparison.equal_under_classic(one, len(problem.spikes), p.N):
            assert one.error() <= 1e-12, one.describe()


def test_a_missing_library_is_named(monkeypatch):
    problem = make_problem(0, [2, 1], 2, 1, LIF())
    monkeypatch.setitem(sys.modules, "autograd", None)
    with pytest.raises(ImportError, match=r'autograd; run: pip install "stbp-edu\[verify\]"'):
        autodiff.derivatives(problem.spikes, problem.targets, problem.params, problem.neuron)


@pytest.mark.parametrize("gate", ["exponential", "linear", "soft"])
@pytest.mark.parametrize("smooth", [True, False])
def test_one_neuron_over_two_steps_by_hand(gate, smooth):
    """δ and ε of both steps: the read-out, the reset, the spike and the carry."""
    neuron = LIF(tau=0.5, v_th=1.0, surrogate=Gaussian(a=0.5), gate=gate)
    fire = neuron.H if smooth else neuron.g
    w, b, x, y = 0.9, 0.2, (1.0, 0.5), 0.25
    u1 = w * x[0] + b
    o1 = float(fire(np.array(u1)))
    carried, by_u, by_o = {
        "exponential": (
            *(u1 * 0.5 * np.exp(-2 * o1), 0.5 * np.exp(-2 * o1)),
            -u1 * np.exp(-2 * o1),
        ),
        "linear": (u1 * 0.5 * (1 - o1), 0.5 * (1 - o1), -0.5 * u1),
        "soft": (0.5 * u1 - o1, 0.5, -1.0),
    }[gate]
    u2 = carried + w * x[1] + b
    h1, h2 = (np.exp(-((u - 1) ** 2)) / np.sqrt(np.pi) for u in (u1, u2))
    d2 = ((o1 + float(fire(np.array(u2)))) / 2 - y) / 2
    e2 = d2 * h2
    d1 = d2 + e2 * by_o
    e1 = d1 * h1 + e2 * by_u
    params = Params(W=[None, np.array([[w]])], b=[None, np.array([b])])
    spikes = np.array(x).reshape(2, 1, 1)
    got = autodiff.derivatives(
        spikes, np.array([[y]]), params, neuron, spike=neuron.H if smooth else None
    )
    assert got.delta[1].ravel() == pytest.approx([d1, d2], rel=1e-13)
    assert got.epsilon[1].ravel() == pytest.approx([e1, e2], rel=1e-13)
    assert got.gradients.b[1] == pytest.approx([e1 + e2], rel=1e-13)
    assert got.gradients.W[1] == pytest.approx(np.array([[e1 * x[0] + e2 * x[1]]]), rel=1e-13)


def test_a_loss_that_is_given_is_the_one_that_is_derived():
    """Of a direct term by potentials: ε of the last step is that term, and δ is 0."""
    problem = make_problem(0, [2, 1], 2, 1, LIF())
    slopes = np.array([[[2.0]], [[3.0]]])
    got = autodiff.derivatives(*problem, loss=Direct(None, slopes))
    assert got.epsilon[1][1] == pytest.approx(3.0, rel=1e-15)
    assert got.delta[1][1] == 0


def test_wrong_arguments_are_named():
    problem = make_problem(0, [2, 1], 2, 1, LIF())
    with pytest.raises(TypeError, match="neuron must be of type LIF, got str"):
        autodiff.derivatives(problem.spikes, problem.targets, problem.params, "neuron")
    with pytest.raises(ValueError, match="spikes must have shape"):
        autodiff.derivatives(problem.spikes[0], problem.targets, problem.params, problem.neuron)
    with pytest.raises(ValueError, match="targets must have shape"):
        autodiff.derivatives(problem.spikes, np.ones((1, 2)), problem.params, problem.neuron)
