"""The oracle of the machine, and the exact rule against it at every size that the issue names."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stbp_edu import LIF, backward, cases, forward, network
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


def test_a_missing_library_is_named(monkeypatch):
    problem = make_problem(0, [2, 1], 2, 1, LIF())
    monkeypatch.setitem(sys.modules, "autograd", None)
    with pytest.raises(ImportError, match=r'autograd; run: pip install "stbp-edu\[verify\]"'):
        autodiff.derivatives(problem.spikes, problem.targets, problem.params, problem.neuron)
