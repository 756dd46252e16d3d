"""Any rule on any lines: PyTorch accepts what NumPy accepts, and has its gradient."""

import os

import numpy as np
import pytest
import torch

from stbp_edu import arrows, derive
from stbp_edu.arrows import RULES, Rule, in_blocks, with_gain_limit
from stbp_edu.losses import RATE, Membrane
from stbp_edu.torch import LIFNetwork
from tests.arrows.oracle import error
from tests.bridges.test_gradients import gradients, rate
from tests.derive.texts import BELL, derived

QUICK = os.environ.get("STBP_EXAMPLES", "quick") == "quick"
LINES = {
    "plain": "u = 0.8 * u * (1 - o) + x; o = spike(u - 0.4)",
    "current": "i = 0.6 * i + x; u = 0.8 * u * (1 - o) + i; o = spike(u - 0.4)",
    "adaptive": "r = 0.9 * r + o; u = 0.8 * u - 0.3 * o + x; o = spike(u - 0.4 - 0.2 * r)",
    "nasty": "u_1 = 0.5 * u_1 + x; u = 0.7 * u * (1 - o) + u_1; o = spike(u - 0.4)",
}
KINDS = (
    *("spike", "carry", "reset", "weight", "recur", "readout", "decay", "charge"),
    *("adapt", "adapt:r", "relax", "threshold:r", "i>u", "u_1>u", "time", "*"),
)
STATES = ("1", "owes", "a b", "a_b")
LIMITED = [with_gain_limit(0.5), with_gain_limit(1, "e-prop"), in_blocks(2, "classic")]


def drawn_rule(rng):
    """A table of moves with up to three states, some of which refuse some arrows."""
    states = list(rng.choice(STATES, rng.integers(1, 4), replace=False))
    moves = {}
    for state in states:
        named = rng.choice(KINDS, rng.integers(0, 5), replace=False)
        heads = [*states, *states, None]
        row = {str(kind): heads[rng.integers(len(heads))] for kind in named}
        moves[state] = {**row, "*": row.get("*", states[rng.integers(len(states))])}
    return Rule("drawn", moves)


@pytest.mark.parametrize("seed", range(60 if QUICK else 2000))
def test_any_rule_on_drawn_layers(seed):
    """A drawn rule and a known one; recurrent layers, learned constants, silent read-outs."""
    rng = np.random.default_rng(seed)
    names = rng.choice([*LINES, "drawn", "drawn"], 2)
    spiking = seed % 7 > 0
    neurons = [
        derive(LINES.get(name, LINES["plain"]), surrogate=BELL) for name in names
    ]
    for k in np.flatnonzero(names == "drawn"):
        neurons[k] = derived(seed + k, spikes=spiking or not k)
    sizes = str(rng.choice(["3-4-2", "3-4R-2", "3-4R-2R"]))
    losses = (
        [RATE, Membrane(None)] if neurons[-1].neuron.lines.spike else [Membrane(None)]
    )
    nets = [arrows.network(sizes, [one.neuron for one in neurons], of) for of in losses]
    net = nets[seed % len(nets)]
    params = arrows.draw_params(net, rng, scale=1.5)
    inputs, y = rng.random((5, 2, 3)), rng.random((2, 2))
    trace = arrows.forward(net, params, inputs)
    known = [*RULES.values(), *LIMITED][seed % (len(RULES) + len(LIMITED))]
    for rule in (drawn_rule(rng), known):
        try:
            want = arrows.backward(net, params, trace, y, rule).gradients
        except ValueError as said:
            # PyTorch cannot know what a loss will read: it takes a rule that keeps some words
            if "keeps no word" not in str(said) or not any(map(rule.keeps, nets)):
                with pytest.raises(ValueError, match="rule '"):
                    LIFNetwork.from_params(params, neurons, rule)
            continue
        network = LIFNetwork.from_params(params, neurons, rule)
        ours = network.trace(torch.from_numpy(inputs))
        read = ours.O if net.loss.state == neurons[-1].neuron.output else ours.U
        found = gradients(network, rate(torch.from_numpy(y), read[-1]))
        assert error(found, want) < 1e-11, rule.name
