"""The place where a run is first not finite."""

import numpy as np
import pytest

from stbp_edu import derive, network
from stbp_edu.arrows.finite_states import first_not_finite


def test_a_weight_that_is_not_finite_is_named():
    mine = derive("u = 0.5 * u + x").neuron
    states = {"x": np.full((1, 1, 2), np.inf), "u": np.full((1, 1, 2), np.inf)}
    assert first_not_finite(mine, states, 3).startswith("the input x, which weights")
    del states["x"]
    assert "u is not finite at step 0 of layer 3" in first_not_finite(mine, states, 3)


def test_a_slope_that_is_not_finite_is_named_with_its_line():
    net = network("1-1", derive("u = 0.5 * sqrt(max(u, 0)) + x; o = spike(u - 0.3)"))
    params = net.init(np.random.default_rng(0))
    trace = net.forward(np.zeros((3, 1, 1)), params)
    said = (
        r"the gradient of W1 must be finite, got nan.*The slope of u by u is not finite at "
        r"step 0 of layer 1, in u = 0.5 \* sqrt\(max\(u, 0\)\) \+ x; keep the line"
    )
    with pytest.raises(ValueError, match=said):
        net.backward(trace, np.ones((1, 1)), params)
