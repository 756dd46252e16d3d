"""Neurons derived from random lines, in PyTorch: every rule, recurrent weights, what is learned."""

import os

import numpy as np
import pytest
import torch

from stbp_edu.arrows import RULES, backward, forward, in_blocks, with_gain_limit
from stbp_edu.torch import LIFNetwork, to_params
from tests.derive.texts import derived, difference, run_of

SEEDS = range(4 if os.environ.get("STBP_EXAMPLES", "quick") == "quick" else 300)
EVERY = [
    *RULES.values(),
    in_blocks(2, "classic"),
    with_gain_limit(0.5),
    with_gain_limit(1, "e-prop"),
]


def gradients(network, read, y):
    """The gradients of the loss of (T, S, n) values, in the form of the parameters."""
    (((torch.from_numpy(y) - read.mean(0)) ** 2).sum() / (2 * len(y))).backward()
    named = dict(network.named_parameters())
    grads = {k: torch.zeros_like(p) if p.grad is None else p.grad for k, p in named.items()}
    return to_params(grads)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("dtype", "limit"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_gradients_are_those_of_the_arrows_under_every_rule(seed, dtype, limit):
    mine, *_ = derived(seed, spikes=seed % 7 > 0)
    net, params, *given = run_of(mine.neuron, seed)
    params = [None, *({k: np.asarray(v, dtype) for k, v in p.items()} for p in params[1:])]
    inputs, y = (array.astype(dtype) for array in given)
    trace = forward(net, params, inputs)
    for rule in EVERY:
        if rule.keeps(net):
            network = LIFNetwork.from_params(params, mine, rule)
            ours = network.trace(torch.from_numpy(inputs))
            read = ours.O if net.loss.state == mine.neuron.output else ours.U
            found = gradients(network, read[-1], y)
            want = backward(net, params, trace, y, rule).gradients
            assert difference(found, want) < limit, rule.name
