"""Weights and biases: :class:`stbp_edu.Params` to a ``state_dict`` and back.

A file in either form is then two lines away::

    save_params(path, to_params(network.state_dict()))  # of stbp_edu.files
    network.load_state_dict(to_state(load_params(path), network.state_dict()))
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from stbp_edu import checks
from stbp_edu.arrays import tensors
from stbp_edu.network import Params

State = Mapping[str, Tensor]
"""A ``state_dict``."""


def to_params(state: State) -> Params:
    """Return the weights and biases of the fully connected layers in a state dict, in its order.

    Any module's will do, if its weights are those of ``nn.Linear``, one layer on top of the
    other. Entries that are called neither ``weight`` nor ``bias`` are left out; a layer without a
    bias gets zeros.

    Raises:
        TypeError, ValueError: if a weight is no matrix of float32 or float64, there is none, or
            the shapes do not chain.

    >>> params = to_params(torch.nn.Linear(3, 2).state_dict())
    >>> params.sizes
    (3, 2)
    """
    W: list[object] = [None]
    b: list[object] = [None]
    for weight, bias in _layers(state):
        w = state[weight].detach().cpu()
        zeros = torch.zeros(len(w), dtype=w.dtype)
        W.append(w.clone().numpy())
        b.append(state.get(bias, zeros).detach().cpu().clone().numpy())
    return Params(W=W, b=b)


def to_state(params: Params, like: State) -> dict[str, Tensor]:
    """Return a state dict that has the names, dtype and device of another, with these parameters.

    Args:
        params: the weights and biases.
        like: a state dict with a place for each of them, such as ``model.state_dict()``.

    Raises:
        TypeError, ValueError: if the two do not have the same layers; ``like`` keeps its values.
    """
    places = to_params(like)
    checks.instance("params", params, Params)
    if places.sizes != params.sizes:
        raise ValueError(
            f"params must have the widths of the state dict, {places.sizes}, got {params.sizes}; "
            "make the module with the widths of the parameters"
        )
    names = [name for pair in _layers(like) for name in pair]
    state = dict(like)
    for name, array in zip(names, tensors(params).values(), strict=True):
        if name in like:
            state[name] = torch.tensor(array, dtype=like[name].dtype, device=like[name].device)
        elif array.any():
            raise ValueError(
                f"params must have biases of 0 where the module has none, got {name} != 0; "
                "make the module with bias=True"
            )
    return state


def _layers(state: State) -> Iterator[tuple[str, str]]:
    """Yield the names of the weight and of the bias of each layer."""
    weights = [name for name in state if name.rpartition(".")[2] == "weight"]
    if not weights:
        raise ValueError(
            f"state must hold an entry called weight, got {sorted(state)}; pass module.state_dict()"
        )
    for name in weights:
        if state[name].ndim != 2:
            raise ValueError(
                f"state[{name!r}] must be a matrix, got shape {tuple(state[name].shape)}; "
                "Params hold fully connected layers alone"
            )
        yield name, f"{name.removesuffix('weight')}bias"
