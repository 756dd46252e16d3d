"""Traces of a network's passes: from the states by layer, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows import models
from stbp_edu.engine.passes import States
from stbp_edu.forward_pass import Trace
from stbp_edu.parameters import Params


def trace_of(table: models.Network, states: States, twin: bool) -> Trace:
    """Return the trace of the states by layer."""
    shapes = [table.shape_of(n) for n in range(table.N + 1)]
    named: dict[str, list[Any]] = {}
    U, O = [None], [_shaped(states[0]["o"], shapes[0])]
    for n in range(1, table.N + 1):
        for name, series in states[n].items():
            of_all = named.setdefault(name, [None] * (table.N + 1))
            of_all[n] = _shaped(series, shapes[n])
        lines = table.layers[n].neuron.lines
        U.append(named[lines.potential][n])
        O.append(named[lines.output][n])
    return Trace(U, O, named, twin)


def states_of(table: models.Network, trace: Trace, params: Params) -> States:
    """Return the states by layer that a trace holds, once they have been checked."""
    check_layers(table, trace)
    O = trace.O
    if not isinstance(O[0], np.ndarray) or O[0].shape[2:] != table.shape:
        raise ValueError(
            f"trace.O[0] must be an array of shape (T, S, *{table.shape}), got {described(O[0])}; "
            "pass what forward returned"
        )
    states: States = [{"o": flattened(O[0].astype(params.dtype, copy=False))}]
    for n in range(1, table.N + 1):
        of_layer = {}
        for name in table.states[n]:
            series = trace[name][n]
            shape = (*O[0].shape[:2], *table.shape_of(n))
            fits = isinstance(series, np.ndarray) and series.shape == shape
            if not fits or series.dtype != params.dtype:
                raise ValueError(
                    f"trace[{name!r}][{n}] must be a {params.dtype} array of shape {shape}, got "
                    f"{described(series)}; pass what forward returned for these params"
                )
            of_layer[name] = flattened(series)
        states.append(of_layer)
    return states


def check_layers(table: models.Network, trace: Trace) -> None:
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
    return not all(((o == 0) | (o == 1)).all() for o in trace.O[1:])


def flattened(series: Array) -> Array:
    """Return (T, S, *shape) as (T, S, m)."""
    return series if series.ndim == 3 else series.reshape(*series.shape[:2], -1)


def _shaped(series: Array, shape: tuple[int, ...]) -> Array:
    """Return (T, S, m) as (T, S, *shape)."""
    return series if len(shape) == 1 else series.reshape(*series.shape[:2], *shape)


def described(value: object) -> str:
    """Return the type and shape of an array, or what else came."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return checks.brief(value)
