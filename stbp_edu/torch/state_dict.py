"""Parameters of modules as the NumPy side has them, and back.

A file of :class:`stbp_edu.Params` and one of PyTorch are two lines apart::

    save_params(path, to_params(network.state_dict()))  # of stbp_edu
    network.load_state_dict(to_state(load_params(path), network.state_dict()))
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stbp_edu._support import checks
from stbp_edu.parameters import LayerArrays, Params, by_layer, by_name

StateDict = Mapping[str, Tensor]
"""A ``state_dict``."""
TAKEN = frozenset({*dir(nn.ParameterDict()), "weight", "bias"})
"""Names that a module has itself, or its weights, so no learned constant can have them."""


def key_of(name: str) -> str:
    """Return the key of a learned constant in its layer: the name, unless a module has it.

    >>> key_of("tau"), key_of("half"), key_of("half_")
    ('tau', 'half_', 'half__')
    """
    return f"{name}_" if name.rstrip("_") in TAKEN else name


def name_of(key: str) -> str:
    """Return the learned constant that has a key."""
    return key[:-1] if key.rstrip("_") in TAKEN else key


def to_params(state: StateDict) -> Params:
    """Return the parameters of the fully connected layers in a state dict, in its order.

    Any module's will do, if its weights are those of ``nn.Linear``, one layer on top of the
    other. Recurrent weights and learned constants come along. Other entries are left out; a layer
    without a bias gets zeros. Half precision becomes float32.

    Raises:
        TypeError, ValueError: if a weight is not a matrix of floats, there is none, or the
            shapes do not chain.

    >>> params = to_params(torch.nn.Linear(3, 2).state_dict())
    >>> params.sizes
    (3, 2)
    """
    layers: list[Any] = [None]
    for names in layer_names(state):
        found = {name: np.array(as_array(state[key])) for name, key in names.items()}
        W = found["W"]
        layers.append({"b": np.zeros(len(W), W.dtype), **found})
    return Params(**by_name(layers))  # it checks that they chain


def as_array(tensor: Tensor) -> Any:
    """Return the values of a tensor of floats as an array, of at least single precision."""
    dtype = torch.promote_types(tensor.dtype, torch.float32)
    return tensor.detach().to(dtype).cpu().numpy()


def to_state(params: LayerArrays, like: StateDict) -> dict[str, Tensor]:
    """Return a state dict that has the names, dtype and device of another, with these parameters.

    Args:
        params: weights, biases, and what else there is.
        like: a state dict with a place for each of them, such as ``model.state_dict()``.

    Raises:
        TypeError, ValueError: if the two do not have the same layers; ``like`` keeps its values.
    """
    layers, places, state = layers_of(params), layer_names(like), dict(like)
    if len(places) != len(layers):
        raise ValueError(
            f"params must have the {len(places)} layers of the state dict, got {len(layers)}; make "
            "the module with the layers of the parameters"
        )
    for n, (names, p) in enumerate(zip(places, layers, strict=True), 1):
        odd = names.keys() ^ {name for name in p if name in names or np.any(p[name])}
        if odd:
            where = "params" if odd & names.keys() else "the module"
            raise ValueError(
                f"params and the module must have the same arrays in layer {n}, and {where} "
                f"has no {min(odd)} there; make both of one neuron, with biases in both or in none"
            )
        for name, key in names.items():
            expected, got = tuple(like[key].shape), np.shape(p[name])
            if got != expected:
                raise ValueError(
                    f"params must have the widths of the state dict: {key} has shape {expected}, "
                    f"got {got}; make the module with those of the parameters"
                )
            state[key] = torch.tensor(p[name]).to(like[key])
    return state


def layers_of(params: LayerArrays) -> list[dict[str, Any]]:
    """Return the parameters of each layer by name, in any form in which NumPy has them."""
    if not isinstance(params, Params | list):
        raise TypeError(
            "params must be of type Params, or the list [None, {'W': ..., 'b': ...}, ...] of "
            f"stbp_edu.arrows, got {checks.brief(params)}; see stbp_edu.network"
        )
    layers = by_layer(params)[1:]
    if all(np.ndim(p["W"]) == 2 for p in layers):
        Params(**by_name([None, *layers]))  # it checks arrays and widths
    return layers


def layer_names(state: StateDict) -> list[dict[str, str]]:
    """Return for each layer the names of its parameters in a state dict: W, b, R and others."""
    checks.instance("state", state, dict)
    found = []
    for weight in [key for key in state if key.rpartition(".")[2] == "weight"]:
        names = {"W": weight, "b": f"{weight.removesuffix('weight')}bias"}
        layer, of_lif_layer, _ = weight.rpartition("weights.")
        if of_lif_layer:
            names["R"] = f"{layer}R"
            for key in state:
                if key.startswith(f"{layer}learned."):
                    names[name_of(key.removeprefix(f"{layer}learned."))] = key
        names = {short: key for short, key in names.items() if key in state}
        found.append(names)
        for key in names.values():
            check_floats(f"state[{key!r}]", state[key])
        if state[weight].ndim != 2:
            raise ValueError(
                f"state[{weight!r}] must be a matrix, got shape {tuple(state[weight].shape)}; "
                "parameters in NumPy hold only fully connected layers"
            )
    if not found:
        raise ValueError(
            f"state must hold an entry called weight, got {sorted(state)}; pass module.state_dict()"
        )
    return found


def check_floats(name: str, value: object) -> Tensor:
    """Return a value if it is a tensor of floats, and not sparse."""
    got = value.dtype if isinstance(value, Tensor) else type(value).__name__
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise TypeError(
            f"{name} must be a tensor of floats, got {got}; convert it with .float()"
        )
    if value.layout != torch.strided:
        raise TypeError(
            f"{name} must be dense, got {value.layout}; convert it with .to_dense()"
        )
    return value
