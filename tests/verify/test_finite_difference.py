"""The oracle of the definition: each entry, and honest refusals."""

import numpy as np
import pytest
from hypothesis import given

from stbp_edu import (
    LIF,
    Params,
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


def test_a_slope_that_no_two_steps_agree_on_is_refused():
    with pytest.raises(StepSizeError, match=r"no two steps .* agree on dL/db at Node"):
        partial(BIAS, *one_neuron(0.0, Sigmoid(a=1e-7)))
