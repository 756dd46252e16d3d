"""What docs/which-reset.md claims: which recurrence, differentiated how, equals which rule here.

Each recurrence is written as the framework documents it, differentiated by HIPS autograd, and
compared with the package's rule. A detached signal is a number to autograd, as it is to torch.
"""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from autograd.extend import defvjp, primitive
from autograd.tracer import getval

from stbp_edu import LIF, Rectangle, Sigmoid
from tests.networks import fast_backward, make_problem

V_TH, TAU = 0.6, 0.7


def before_the_leak(u, o, x, fire, seen):
    """Reset to zero with the last spike, leak, add the input, fire."""
    u = TAU * (u * (1 - seen(o))) + x
    return u, fire(u)


def within_the_step(v, o, x, fire, seen):
    """Leak and add the input, fire, and reset at once; the state is the potential after that."""
    u = TAU * v + x
    o = fire(u)
    return u * (1 - seen(o)), o


def subtract(u, o, x, fire, seen):
    """Leak, add the input, and take off the threshold for the last spike."""
    u = TAU * u + x - V_TH * seen(o)
    return u, fire(u)


@pytest.mark.parametrize(
    ("seen", "rule"),
    [(lambda o: o, "exact"), (getval, "detached-reset")],
    ids=["kept", "detached"],
)
@pytest.mark.parametrize("surrogate", [Rectangle(1.0), Sigmoid(0.25)], ids=repr)
@pytest.mark.parametrize(
    ("step", "gate"),
    [(before_the_leak, "linear"), (within_the_step, "linear"), (subtract, "soft")],
)
def test_a_reset_is_that_of_a_gate_and_to_detach_it_is_a_rule(
    step, gate, surrogate, seen, rule
):
    """Each step is applied layer by layer, and the rate loss differentiated."""
    neuron = LIF(tau=TAU, v_th=V_TH, surrogate=surrogate, gate=gate)
    problem = make_problem(0, [6, 5, 4], 7, 3, neuron)
    fire = primitive(neuron.g)
    defvjp(fire, lambda ans, u: lambda signal: signal * neuron.h(u))

    def value(W):
        states, counts = [(0.0, 0.0)] * 2, 0.0
        for below in problem.spikes:
            for n, (u, o) in enumerate(states):
                x = below @ W[n].T + problem.params.b[n + 1]
                states[n] = step(u, o, x, fire, seen)
                below = states[n][1]
            counts = counts + below
        return anp.sum((problem.targets - counts / 7) ** 2) / (2 * 3)

    assert all(o.mean() > 0.1 for o in problem.trace.O[1:])
    want = autograd.grad(value)(problem.params.W[1:])
    found = fast_backward(
        problem.trace, problem.targets, problem.params, neuron, rule=rule
    ).W[1:]
    for ours, theirs in zip(found, want, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-15)
