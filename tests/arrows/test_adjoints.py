"""The general sweep against autodiff and differences; tests/test_gain_limit.py has the engine."""

import numpy as np
import pytest
from hypothesis import given

from stbp_edu import LIF, arrows, network
from stbp_edu.losses import CrossEntropy, Rate, StepCrossEntropy
from tests.arrows.oracle import by_autodiff, cases, error


@given(case=cases())
def test_exact_equals_autodiff_and_p2_leak_is_the_slope_by_a_learned_leak(case):
    """Every neuron × loss × connection, spikes or twin: gradients and adjoints to 1e-12."""
    net, params, trace, inputs, y = case.run()
    got = arrows.backward(net, params, trace, y)
    gradients, adjoints = by_autodiff(net, params, inputs, y, case.twin)
    assert error(got.gradients, gradients) <= 1e-12
    shape = (case.T, case.S, -1)
    ours = [
        one and {state: got.adjoints[state][n].reshape(shape) for state in one}
        for n, one in enumerate(adjoints)
    ]
    assert error(ours, adjoints) <= 1e-12


@pytest.mark.parametrize("loss", [Rate(), CrossEntropy(), StepCrossEntropy()])
def test_a_run_in_single_precision_stays_so_with_targets_in_double(loss):
    net = arrows.network("2-3R-2", arrows.soft_reset(LIF(), learn_leak=True), loss)
    params = arrows.draw_params(net, np.random.default_rng(0))
    for layer in params[1:]:
        layer |= {name: np.float32(a) for name, a in layer.items()}
    trace = arrows.forward(net, params, np.ones((3, 1, 2), np.float32))
    for layer in arrows.backward(net, params, trace, np.ones((1, 2))).gradients[1:]:
        assert {a.dtype for a in layer.values()} == {np.dtype(np.float32)}


def test_a_slope_that_is_not_finite_is_named_with_its_line():
    net = network("1-1", "u = 0.5 * sqrt(max(u, 0)) + x; o = spike(u - 0.3)")
    params = net.init(np.random.default_rng(0))
    trace = net.forward(np.zeros((3, 1, 1)), params)
    said = (
        r"the gradient of W1 must be finite, got nan.*The slope of u by u is not finite at "
        r"step 0 of layer 1, in u = 0.5 \* sqrt\(max\(u, 0\)\) \+ x; keep the line"
    )
    with pytest.raises(ValueError, match=said):
        net.backward(trace, np.ones((1, 1)), params)
