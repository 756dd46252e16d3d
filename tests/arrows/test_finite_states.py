"""The place where a run is first not finite."""

import re

import numpy as np
import pytest

from stbp_edu import arrows, derive, network
from stbp_edu.arrows.finite_states import first_not_finite


@pytest.mark.parametrize(
    ("text", "x", "said"),
    [
        (
            "u = 0.5 * sqrt(u) + x",
            [-0.3, 0.1],
            "line 1 of the neuron, .*: sqrt of -0.3 at step 1",
        ),
        (
            "u = tau * u + x / u",
            [1.0],
            r"quotient of 1 and 0 at step 0 of layer 2; 2 of 2 values",
        ),
        ("i = 0.5 * i + x; u = log(i) + u", [-2.0], "line 2 .* log of -2 at step 0"),
        ("u = u ** 2 + x", [1e200, 0.0], "power of 1e.200 and 2 at step 1"),
        ("f(v) = exp(v) * tau; u = f(x)", [800.0], "exp of 800 at step 0"),
        ("u = 3 * u + x", [1e308, 1e308], "product of 3 and 1e.308 at step 1"),
    ],
)
def test_the_line_and_the_operation_are_named(text, x, said):
    mine = derive(
        text + "; o = spike(u - 1)", **({"tau": 0.5} if "tau" in text else {})
    )
    net = arrows.network("1-1", mine.neuron)
    inputs = np.repeat(np.reshape(x, (-1, 1, 1)), 2, axis=1)
    params = [None, {"W": np.ones((1, 1)), "b": np.zeros(1)}]
    with np.errstate(all="ignore"):
        trace = arrows.forward(net, params, inputs)
    states = {name: of[1] for name, of in trace.items() if of[1] is not None}
    found = first_not_finite(mine.neuron, {**states, "x": inputs}, params[1], layer=2)
    assert re.search(said, found), found
    assert not first_not_finite(mine.neuron, {"u": np.ones((2, 1, 1))}, {}, layer=1)


def test_a_weight_that_is_not_finite_is_named():
    mine = derive("u = 0.5 * u + x").neuron
    states = {"x": np.full((1, 1, 2), np.inf), "u": np.full((1, 1, 2), np.inf)}
    assert first_not_finite(mine, states, {}, 3).startswith(
        "the input x, which weights"
    )
    del states["x"]
    assert "u is not finite at step 0 of layer 3" in first_not_finite(
        mine, states, {}, 3
    )


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
