"""A series in parts: with the state carried, halves have the outputs and gradients of the whole."""

from itertools import product

import pytest
import torch
from torch import nn

from stbp_edu import LIF, Gaussian, derive
from stbp_edu.arrows import RULES, in_blocks, with_gain_limit
from stbp_edu.neuron import GATES
from stbp_edu.torch import LIFLayer, LIFNetwork, detached

LEARNS = derive(
    "f(o) = tau * exp(-o / tau); a = rho * a + o; i = 0.6 * i + x; u = f(o) * u + i - 0.1 * a\n"
    "z = 0.3 * z + o * u; o = spike(u - 0.4 - beta * a + 0.1 * z)",
    surrogate=Gaussian(0.5), learn=["tau"], learn_each=["beta"], tau=0.7, rho=0.8, beta=0.2,
)  # fmt: skip
CLIPPED = "u = max(min(tau, 0.9) * u * (1 - o) + x, -1); o = spike(u - 0.4)"
READ_OUT = derive("u = 0.9 * u + x")
NEURONS = {
    **{f"LIF, {gate}": LIF(tau=0.8, v_th=0.4, gate=gate) for gate in GATES},
    "derived": LEARNS,
    "clipped": derive(CLIPPED, learn=["tau"], tau=0.7),
}


def network(neuron, rule, recurrent, last=READ_OUT):
    torch.manual_seed(0)
    first = LIFLayer(nn.Linear(4, 6), neuron, rule, recurrent=recurrent)
    second = LIFLayer(nn.Linear(6, 5), neuron, rule, recurrent=recurrent)
    return LIFNetwork(first, second, LIFLayer(nn.Linear(5, 3), last, rule)).double()


def gradients(net, x, outputs):
    """The gradients of a loss that reads every output, of parameters and input."""
    net.zero_grad()
    x.grad = None
    weights = torch.linspace(-1, 2, outputs.numel(), dtype=outputs.dtype)
    (outputs.flatten() * weights).sum().backward()
    return [x.grad.clone(), *(p.grad.clone() for p in net.parameters())]


CASES = [*product(NEURONS, RULES, [False, True])]
CASES += [("LIF, exponential", with_gain_limit(limit), False) for limit in (0.3, 0.8)]


@pytest.mark.parametrize(("neuron", "rule", "recurrent"), CASES)
def test_parts_with_the_state_carried_are_the_whole(neuron, rule, recurrent):
    """In two halves, and in three parts of which one is a single step."""
    net = network(NEURONS[neuron], rule, recurrent)
    x = torch.rand(9, 2, 4, dtype=torch.float64, requires_grad=True)
    whole = net(x)
    want = gradients(net, x, whole)
    for parts in ([4, 5], [3, 1, 5]):
        state, outputs = None, []
        for part in x.split(parts):
            output, state = net(part, state)
            outputs.append(output)
        torch.testing.assert_close(torch.cat(outputs), whole, rtol=1e-12, atol=1e-13)
        found = gradients(net, x, torch.cat(outputs))
        for one, other in zip(found, want, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)


def test_a_detached_state_ends_what_goes_back():
    """As a truncated window: the gradient of the second half alone."""
    net = network(LEARNS, "exact", recurrent=True)
    x = torch.rand(8, 2, 4, dtype=torch.float64, requires_grad=True)
    _, state = net(x[:4], None)
    output, _ = net(x[4:], detached(state))
    found = gradients(net, x, output)
    assert not found[0][:4].any()
    assert found[0][4:].any()


def test_another_state_is_refused_and_so_are_blocks():
    x = torch.rand(3, 2, 4, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"the shape of a step, \(2, 6\), .* got"):
        network(LIF(), "exact", recurrent=False)(x, [{"u": x[0], "o": x[0]}] * 3)
    with pytest.raises(ValueError, match="counts its blocks from the first step"):
        network(LIF(), in_blocks(2), recurrent=False)(x, None)
