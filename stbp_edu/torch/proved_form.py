"""The states and gradients of PyTorch's layers, for the proof of a neuron's programs."""

from typing import Any

import torch

from stbp_edu._support.checks import Array
from stbp_edu.arrows import Rule
from stbp_edu.arrows.table import Table
from stbp_edu.parameters import by_layer
from stbp_edu.torch.layers import WHOLE, run_modules
from stbp_edu.torch.lif_network import LIFNetwork
from stbp_edu.torch.state_dict import as_array, to_params


def states_and_gradients(
    net: Table, rule: Rule, params: Any, inputs: Array, direct: Array
) -> tuple[list[Any], list[Any]]:
    """Return the states of every layer and the gradients of Σ direct · state.

    Args:
        net: the network of fully connected layers, with the state that its loss reads.
        rule: which paths are kept.
        params: its parameters.
        inputs: shape (T, S, n[0]).
        direct: shape (T, S, n[N]).
    """
    neurons = [layer.neuron for layer in net.layers[1:]]
    network = LIFNetwork.from_params(params, neurons, rule)
    spikes = torch.from_numpy(inputs)
    ran = run_modules(network, spikes, False, [WHOLE] * len(network))
    found = [states for _, states in ran.layers]
    read = found[-1][net.loss.state]
    loss = (read * torch.from_numpy(direct)).sum()
    loss.backward()
    grads = {}
    for name, p in network.named_parameters():
        grads[name] = p.grad
        if p.grad is None:
            grads[name] = torch.zeros_like(p)
    states = [{name: as_array(a) for name, a in of.items()} for of in found]
    return [{}, *states], by_layer(to_params(grads))
