"""Any rule: PyTorch accepts what NumPy accepts, and has its gradient."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from stbp_edu import Gaussian, arrows, derive
from stbp_edu.arrows import Rule
from stbp_edu.torch import LIFNetwork
from tests.bridges.test_gradients import gradients, rate

QUICK = os.environ.get("STBP_EXAMPLES", "quick") == "quick"
BELL = Gaussian(0.5)
LINES = {
    "plain": "u = 0.8 * u * (1 - o) + x; o = spike(u - 0.4)",
    "current": "i = 0.6 * i + x; u = 0.8 * u * (1 - o) + i; o = spike(u - 0.4)",
    "adaptive": "r = 0.9 * r + o; u = 0.8 * u - 0.3 * o + x; o = spike(u - 0.4 - 0.2 * r)",
    "nasty": "u_1 = 0.5 * u_1 + x; u = 0.7 * u * (1 - o) + u_1; o = spike(u - 0.4)",
}
KINDS = (
    "spike",
    "carry",
    "reset",
    "weight",
    "recur",
    "readout",
    "decay",
    "charge",
    "adapt",
)
OWN = ("adapt:r", "relax", "threshold:r", "i>u", "u_1>u", "time", "*")
STATES = ("1", "owes", "a b", "a_b")


def drawn_rule(rng):
    """A table of moves with up to three states, some of which refuse some arrows."""
    states = list(rng.choice(STATES, rng.integers(1, 4), replace=False))
    moves = {}
    for state in states:
        named = rng.choice([*KINDS, *OWN], rng.integers(0, 5), replace=False)
        heads = [*states, *states, None]
        row = {str(kind): heads[rng.integers(len(heads))] for kind in named}
        moves[state] = {**row, "*": row.get("*", states[rng.integers(len(states))])}
    return Rule("drawn", moves)


def reading_u(net):
    """The network with a loss of the potentials."""
    return replace(net, loss=arrows.Loss("u"))


@pytest.mark.parametrize("seed", range(60 if QUICK else 2000))
def test_a_drawn_rule_on_drawn_layers(seed):
    rng = np.random.default_rng(seed)
    names = rng.choice([*LINES], 2)
    neurons = [derive(LINES[name], surrogate=BELL) for name in names]
    sizes = str(rng.choice(["3-4-2", "3-4R-2", "3-4R-2R"]))
    net = arrows.network(sizes, [one.neuron for one in neurons])
    params = arrows.draw_params(net, rng, scale=1.5)
    inputs, y = rng.random((5, 2, 3)), rng.random((2, 2))
    trace, rule = arrows.forward(net, params, inputs), drawn_rule(rng)
    try:
        want = arrows.backward(net, params, trace, y, rule).gradients
    except ValueError as error:
        # PyTorch cannot know what a loss will read: it takes a rule that keeps words from either
        if "keeps no word" not in str(error) or not rule.keeps(reading_u(net)):
            with pytest.raises(ValueError, match="rule 'drawn'"):
                LIFNetwork.from_params(params, neurons, rule)
        return
    network = LIFNetwork.from_params(params, neurons, rule)
    ours = network.trace(torch.from_numpy(inputs))
    loss = rate(torch.from_numpy(y), ours.O[-1])
    found = gradients(network, loss)
    for one, other in zip(found[1:], want[1:], strict=True):
        for name in other:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-10, atol=1e-13)
