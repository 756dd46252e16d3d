"""What a network's passes are given and return: each error names what does not fit the network."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows import Neuron
from stbp_edu.arrows.any_neuron import warn_of_no_decay
from stbp_edu.arrows.state_loss import Loss
from stbp_edu.arrows.table import Layer, Table
from stbp_edu.forward_pass import Trace, check_made_with
from stbp_edu.losses import as_loss
from stbp_edu.losses.of_states import direct_term
from stbp_edu.parameters import Params, by_layer
from stbp_edu.program.program import States, own_surrogates

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


def trace_of(table: Table, states: States, twin: bool, made_with: bytes) -> Trace:
    """Return the trace of the states by layer."""
    named: dict[str, list[Any]] = {}
    U: list[Any] = [None]
    O = [_shaped(states[0]["o"], table.shape)]
    for n in range(1, table.N + 1):
        shape = table.shape_of(n)
        for name, series in states[n].items():
            by_layer = named.setdefault(name, [None] * (table.N + 1))
            by_layer[n] = _shaped(series, shape)
        lines = table.layers[n].neuron.lines
        U.append(named[lines.potential][n])
        O.append(named[lines.output][n])
    return Trace(U, O, named, twin, made_with)


def states_of(table: Table, trace: Trace, params: Params) -> States:
    """Return the states by layer that a trace holds, once they have been checked."""
    check_layers(table, trace)
    inputs = trace.O[0]
    if not isinstance(inputs, np.ndarray) or inputs.shape[2:] != table.shape:
        raise ValueError(
            f"trace.O[0] must be an array of shape (T, S, *{table.shape}), got "
            f"{checks.described(inputs)}; pass what forward returned"
        )
    T, S = inputs.shape[:2]
    cast = inputs.astype(params.dtype, copy=False)
    states: States = [{"o": flattened(cast)}]
    for n in range(1, table.N + 1):
        of_layer = {}
        shape = T, S, *table.shape_of(n)
        for name in table.states[n]:
            series = trace[name][n]
            fits = isinstance(series, np.ndarray) and series.shape == shape
            if not fits or series.dtype != params.dtype:
                raise ValueError(
                    f"trace[{name!r}][{n}] must be a {params.dtype} array of shape {shape}, got "
                    f"{checks.described(series)}; pass what forward returned for these params"
                )
            of_layer[name] = flattened(series)
        states.append(of_layer)
    check_made_with(trace, params)
    return states


def check_layers(table: Table, trace: Trace) -> None:
    """Raise TypeError or ValueError if a trace lacks an entry for a layer."""
    checks.instance("trace", trace, Trace)
    for entries in (trace.U, trace.O, *trace.states.values()):
        if len(entries) != table.N + 1:
            raise ValueError(
                f"trace must have the N = {table.N} layers of this network, got "
                f"{len(entries) - 1}; pass what its forward returned"
            )


def is_smooth(trace: Trace) -> bool:
    """Return whether a trace is of the smooth twin: it says so, or has outputs between 0 and 1."""
    if trace.smooth or trace.states:
        return trace.smooth
    for output in trace.O[1:]:
        spikes = (output == 0) | (output == 1)
        if not spikes.all():
            return True
    return False


def flattened(series: Array) -> Array:
    """Return (T, S, *shape) as (T, S, m)."""
    if series.ndim == 3:
        return series
    T, S = series.shape[:2]
    return series.reshape(T, S, -1)


def _shaped(series: Array, shape: tuple[int, ...]) -> Array:
    """Return (T, S, m) as (T, S, *shape)."""
    if len(shape) == 1:
        return series
    T, S = series.shape[:2]
    return series.reshape(T, S, *shape)


def value_of(loss: Any, trace: Trace, targets: Any) -> float:
    """Return the loss of a forward pass."""
    if isinstance(loss, Loss):
        read = flattened(trace[loss.state][-1])
        return loss.value(read, targets)
    value = as_loss(loss, "value").value(_last_layer(trace), targets)
    return float(value)


def direct_terms(
    loss: Any, layer: Layer, trace: Trace, targets: Any
) -> dict[str, Array]:
    """Return the direct term of a loss, by the state of the last layer that it reads."""
    if isinstance(loss, Loss):
        read = flattened(trace[loss.state][-1])
        return {loss.state: loss.direct(read, targets)}
    lines = layer.neuron.lines
    terms = direct_term(as_loss(loss), _last_layer(trace), targets)
    direct: dict[str, Array] = {}
    if terms.o is not None:
        direct[lines.output] = terms.o
    if terms.u is not None:
        before = direct.get(lines.potential)  # of a read-out: it is the output
        direct[lines.potential] = terms.u if before is None else before + terms.u
    return direct


def _last_layer(trace: Trace) -> Trace:
    """Return the last layer of a trace, which a loss reads, as (T, S, n[N])."""
    U, O = flattened(trace.U[-1]), flattened(trace.O[-1])
    return replace(trace, U=[None, U], O=[O, O], states={})
