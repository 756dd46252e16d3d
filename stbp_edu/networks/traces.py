"""Traces of a network's passes: from the states by layer, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.table import Table
from stbp_edu.forward_pass import Trace, check_made_with
from stbp_edu.parameters import Params
from stbp_edu.program.program import States


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
