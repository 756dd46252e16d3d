"""What a network's passes are given, checked against it: each error names what does not fit."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np  # noqa: F401 - for the example

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows import Neuron
from stbp_edu.arrows.any_neuron import warn_of_no_decay
from stbp_edu.arrows.table import Layer, Table
from stbp_edu.networks.traces import flattened
from stbp_edu.parameters import Params, by_layer
from stbp_edu.program.program import own_surrogates

NO_SPIKE = (
    "layer {n} does not spike: its neuron has no line such as o = spike(u - v_th), so the next "
    "layer reads {output} as it is; if that is meant, ignore this warning"
)
"""What is said of a hidden layer without a spike."""


def sizes_of(params: Params) -> str:
    """Return the sizes of a network of these parameters, as a text.

    >>> sizes_of(Params(W=[None, np.zeros((3, 2))], b=[None, np.zeros(3)]))
    '2-3'
    """
    if params.shape:
        return params.shape
    parts = [str(params.sizes[0])]
    for n in range(1, params.N + 1):
        again = "R" if params.R[n] is not None else ""
        parts.append(f"{params.sizes[n]}{again}")
    return "-".join(parts)


def layers_of(table: Table, sizes: str, params: Params) -> list[Any]:
    """Return the arrays of each layer, once each is there and has its shape."""
    layers = by_layer(checks.instance("params", params, Params))
    advice = (
        f"pass what init of this network returns, or build a network {sizes_of(params)}"
    )
    if params.N != table.N:
        raise ValueError(
            f"params must have the N = {table.N} layers of the network {sizes}, got those of a "
            f"network {sizes_of(params)}; {advice}"
        )
    for n, layer in enumerate(table.layers[1:], 1):
        for name, shape in layer.shapes.items():
            array = layers[n].get(name)
            if array is None:
                raise ValueError(
                    f"params must have {name} in layer {n} of the network {sizes}, got none; "
                    "pass what init of this network returns"
                )
            if array.shape != shape:
                raise ValueError(
                    f"params must fit the network {sizes}, where {name} of layer {n} has shape "
                    f"{shape}, got {array.shape}; {advice}"
                )
        _check_learned(n, layer, layers[n])
    return layers


def _check_learned(n: int, layer: Layer, arrays: dict[str, Array]) -> None:
    """Raise ValueError for an array that the layer does not learn."""
    for name in arrays:
        if name in layer.shapes:
            continue
        if name in layer.neuron.lines.constants:
            advice = f"is fixed there; derive the neuron with learn=[{name!r}]"
        else:
            advice = "is not part of it; pass what init of this network returns"
        raise ValueError(
            f"params must hold what the network learns, got {name} in layer {n}, "
            f"which {advice}"
        )


def warn_of_learned_decays(table: Table, layers: Sequence[Any]) -> None:
    """Warn of each layer that has learned a decay of 1 or more."""
    for layer, arrays in zip(table.layers[1:], layers[1:], strict=True):
        learned = {name: arrays[name] for name in layer.neuron.learned}
        if learned:
            warn_of_no_decay(layer.neuron.lines, learned)


def inputs_of(table: Table, sizes: str, spikes: Any, dtype: Any) -> Array:
    """Return the input in the dtype of the parameters, as (T, S, n[0])."""
    flat = (math.prod(table.shape),)
    axes = f"(T, S, n[0]) = (T, S, {flat[0]})"
    given = checks.numbers("spikes", spikes, axes, dtype)
    if given.ndim not in (3, 2 + len(table.shape)) or not given.size:
        remedy = "put the steps first, then the samples"
        if not given.size:
            remedy = "give at least one step and one sample"
        raise ValueError(
            f"spikes must have shape {axes}, got {checks.described(given)}; {remedy}"
        )
    if given.shape[2:] not in (table.shape, flat):
        raise ValueError(
            f"spikes must have the n[0] = {flat[0]} inputs of the network {sizes}, got "
            f"{given.shape[2:]} in {checks.described(given)}; pass the data of this network, or "
            "build one whose sizes begin with theirs"
        )
    return flattened(given)


def warn_of_no_spike(neurons: Sequence[Neuron]) -> None:
    """Warn of each hidden layer whose neuron does not spike: its line may be forgotten."""
    for n, neuron in enumerate(neurons[:-1], 1):
        if not neuron.lines.spike:
            warnings.warn(NO_SPIKE.format(n=n, output=neuron.output), stacklevel=3)


def weights_of(table: Table) -> int:
    """Return how many weights a network has, those of recurrence not counted."""
    return sum(math.prod(layer.link.weight_shape) for layer in table.layers[1:])


def warn_of_whole_arrays(table: Table) -> None:
    """Say that a large network runs on whole arrays, and how it would run faster."""
    if sys.platform == "emscripten":  # a web page has no Numba
        return
    own = own_surrogates(table)
    if own:
        advice = f"make the surrogate of layer {own[0]} a Curve with methods h and twin"
    else:
        advice = "pip install numba"
    warnings.warn(
        f"this network of {weights_of(table):,} weights runs on whole arrays, and compiled loops "
        f"would be faster: {advice}; backend='numpy' keeps it so without this warning",
        stacklevel=3,
    )
