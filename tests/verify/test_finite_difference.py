"""The oracle of the definition: each entry, and honest refusals."""

import numpy as np
import pytest
from hypothesis import given

from stbp_edu import (
    LIF,
    Gaussian,
    Params,
    Rectangle,
    Sigmoid,
    cases,
    forward_pass,
)
from stbp_edu.arrows import Node
from stbp_edu.verify import comparison, finite_difference, paths
from stbp_edu.verify.finite_difference import StepSizeError, partial
from tests.networks import failures, problems

BIAS = Node("b", 1, i=0)


@given(net=problems(max_layers=3, max_steps=3, max_width=2, max_batch=2))
def test_def_delta_and_def_epsilon_are_exact_on_any_small_network(net):
    """As the sweep on the smooth twin, or the paths with the soft reset."""
    trace = forward_pass.forward(net.spikes, net.params, net.neuron, spike=net.neuron.H)
    form = paths.derivatives if net.neuron.gate == "soft" else cases.sweep
    measured = finite_difference.derivatives(*net)
    assert not failures(form(trace, *net[1:]), measured, comparison.DIFFERENCES)


def one_neuron(u, surrogate, v_th=0.0):
    """A network of one neuron and one step whose potential is ``u``."""
    neuron = LIF(tau=0.5, v_th=v_th, surrogate=surrogate)
    params = Params(W=[None, np.array([[1.0]])], b=[None, np.array([u - 1.0])])
    return np.ones((1, 1, 1)), np.zeros((1, 1)), params, neuron


def slope(v, surrogate):
    """o h at this distance from the threshold: dL/du, as L = o²/2."""
    return surrogate.antiderivative(np.array(v)) * surrogate.derivative(np.array(v))


def test_a_joint_of_h1_nearby_makes_the_step_smaller():
    """u is 1e-4 inside the window: the first step would leave it."""
    net = one_neuron(0.5 - 1e-4, Rectangle(a=1.0))
    assert partial(Node("u", 1, 0, 0), *net) == pytest.approx(1 - 1e-4, rel=1e-6)


@pytest.mark.parametrize(
    ("u", "surrogate"),
    [
        (0.0, Sigmoid(a=0.5)),  # no joint
        (0.0, Gaussian(a=0.5)),
        *(
            (u, Sigmoid(a=1e-3)) for u in (-7e-3, -9e-3)
        ),  # a small slope of a steep curve
        *((2 * a, Sigmoid(a)) for a in (1e-3, 2e-4)),  # the smallest step that there is
    ],
)
def test_a_slope_is_as_exact_as_its_size(u, surrogate):
    measured = partial(BIAS, *one_neuron(u, surrogate))
    assert measured == pytest.approx(slope(u, surrogate), rel=1e-7, abs=1e-10)


def test_a_slope_that_no_two_steps_agree_on_is_refused():
    with pytest.raises(StepSizeError, match=r"no two steps .* agree on dL/db at Node"):
        partial(BIAS, *one_neuron(0.0, Sigmoid(a=1e-7)))
