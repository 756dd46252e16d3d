"""Parameters of modules as the NumPy side has them, and back.

A file of :class:`stbp_edu.Params` and one of PyTorch are two lines apart::

    save_params(path, to_params(network.state_dict()))  # of stbp_edu.files
    network.load_state_dict(to_state(load_params(path), network.state_dict()))
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stbp_edu import checks
from stbp_edu.arrows import part_one
from stbp_edu.arrows.models import LayerParams
from stbp_edu.network import Params

State = Mapping[str, Tensor]
"""A ``state_dict``."""


def to_params(state: State) -> Params | LayerParams:
    """Return the parameters of the fully connected layers in a state dict, in its order.

    Any module's will do, if its weights are those of ``nn.Linear``, one layer on top of the
    other. Of a network with recurrent weights or learned constants it is the list that
    :mod:`stbp_edu.arrows` takes, otherwise :class:`stbp_edu.Params`. Other entries than these,
    weights and biases are left out; a layer without a bias gets zeros. Half precision becomes
    float32, which NumPy has.

    Raises:
        TypeError, ValueError: if a weight is no matrix of floats, there is none, or the shapes do
            not chain.

    >>> params = to_params(torch.nn.Linear(3, 2).state_dict())
    >>> params.sizes
    (3, 2)
    """
    layers: LayerParams = [None]
    for names in layer_names(state):
        found = {name: _array(key, state[key]) for name, key in names.items() if key in state}
        layers.append({"b": np.zeros(len(found["W"]), found["W"].dtype), **found})
    params = Params(**part_one.by_name(layers))  # it checks that they chain
    return layers if any(len(p) > 2 for p in layers[1:]) else params


def to_state(params: Params | LayerParams, like: State) -> dict[str, Tensor]:
    """Return a state dict that has the names, dtype and device of another, with these parameters.

    Args:
        params: weights, biases, and what else there is.
        like: a state dict with a place for each of them, such as ``model.state_dict()``.

    Raises:
        TypeError, ValueError: if the two do not have the same layers; ``like`` keeps its values.
    """
    layers, state = by_layer(params), dict(like)
    places = [*layer_names(like)]
    if len(places) != len(layers):
        raise ValueError(
            f"params must have the {len(places)} layers of the state dict, got {len(layers)}; make "
            "the module with the layers of the parameters"
        )
    for n, (names, p) in enumerate(zip(places, layers, strict=True), 1):
        missing = {k for k, key in names.items() if key in like and k not in p}
        if missing:
            raise ValueError(f"params[{n}] lacks {', '.join(sorted(missing))}; give an array")
        for name, value in p.items():
            key = names.get(name, f"{name} of layer {n}")
            array = np.asarray(value)
            if key not in like:
                if array.any():
                    raise ValueError(
                        f"params must have {name} of 0 where the module has none, got {key} != 0; "
                        "make the module with it, such as bias=True or recurrent=True"
                    )
            elif array.shape != tuple(like[key].shape):
                raise ValueError(
                    f"params must have the widths of the state dict: {key} has shape "
                    f"{tuple(like[key].shape)}, got {array.shape}; make the module with the widths "
                    "of the parameters"
                )
            else:
                state[key] = torch.tensor(array, dtype=like[key].dtype, device=like[key].device)
    return state


def by_layer(params: object) -> list[dict[str, Any]]:
    """Return the parameters of each layer by name, from Part I's or from the list of arrows."""
    if isinstance(params, Params):
        params = part_one.by_layer(params)
    if not isinstance(params, list) or len(params) < 2 or params[0] is not None:
        raise TypeError(
            "params must be of type Params, or the list [None, {'W': ..., 'b': ...}, ...] of "
            f"stbp_edu.arrows, got {checks.brief(params)}; see arrows.draw_params"
        )
    for n, p in enumerate(params[1:], 1):
        for name in ("W", "b"):
            if name not in checks.instance(f"params[{n}]", p, dict):
                raise ValueError(f"params[{n}] lacks {name!r}; give an array")
        for name, value in p.items():
            checks.floats(f"params[{n}][{name!r}]", np.asarray(value))
        checks.array(f"params[{n}]['W']", p["W"], "(n[n], n[n-1])", (None, None))
    return params[1:]


def layer_names(state: State) -> list[dict[str, str]]:
    """Return for each layer the names of its parameters in a state dict: W, b, R and others."""
    checks.instance("state", dict(state) if isinstance(state, Mapping) else state, dict)
    weights = [name for name in state if name.rpartition(".")[2] == "weight"]
    if not weights:
        raise ValueError(
            f"state must hold an entry called weight, got {sorted(state)}; pass module.state_dict()"
        )
    found = []
    for name in weights:
        if state[name].ndim != 2:
            raise ValueError(
                f"state[{name!r}] must be a matrix, got shape {tuple(state[name].shape)}; "
                "parameters in NumPy hold fully connected layers alone"
            )
        prefix, inside, _ = name.rpartition("weights.")
        own = f"{prefix}learned."
        learned = {k.removeprefix(own): k for k in state if inside and k.startswith(own)}
        recurrent = {"R": f"{prefix}R"} if inside else {}
        bias = f"{name.removesuffix('weight')}bias"
        found.append({"W": name, "b": bias, **recurrent, **learned})
    return found


def _array(name: str, value: object) -> Any:
    """Return a tensor as an array of its own; half precision as float32."""
    tensor = checks.instance(f"state[{name!r}]", value, Tensor).detach().cpu()
    if tensor.is_floating_point():
        tensor = tensor.to(torch.promote_types(tensor.dtype, torch.float32))
    return tensor.clone().numpy()
