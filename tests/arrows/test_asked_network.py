"""A network of own neurons, asked for its rule: here the network is one of this package."""

import numpy as np
import pytest

from stbp_edu import arrows, derive
from stbp_edu.arrows.adjoints import derivatives_on, gradients, lambdas
from stbp_edu.arrows.finder.asked_network import which_rule

LINES = "{u} = 0.7 * {u} * (1 - {o}) + x; {o} = spike({u} - 0.3)"
FIRST, SECOND = (derive(LINES.format(u=u, o=o)).neuron for u, o in ("us", "vz"))
READ_OUT = derive("y = 0.9 * y + x").neuron


@pytest.mark.parametrize("rule", ["exact", "classic", "detached-reset"])
def test_three_own_neurons_whose_outputs_have_different_names(rule):
    neurons = [FIRST, SECOND, READ_OUT]
    net = arrows.network("3-4-4-2", neurons, arrows.Loss("y"))
    rng = np.random.default_rng(0)
    params = arrows.draw_params(net, rng, 2.0)

    def ask(inputs):
        trace = arrows.forward(net, params, inputs)

        def gradient(signal):
            local = derivatives_on(net, params, trace, signal)
            return gradients(local, lambdas(local, rule), arrows.RULES[rule].start)

        return trace["y"][-1], gradient

    found = which_rule(ask, params, "3-4-4-2", neurons, rng.random((6, 3, 3)))
    assert found.gates == ["lines"]
    assert found.rules == [("lines", rule)]
