"""The checks of a pass: all states and gradients are finite, or the error names the line.

It names the line, the operation and what that was given. Looking for these costs more than the run,
and is done only where a state is not finite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array, NotFiniteError, check_finite
from stbp_edu.arrows.adjoints import around, factors_of
from stbp_edu.arrows.arrow import Neuron, Parameters, StateArrays
from stbp_edu.arrows.forward_run import check_params, driven
from stbp_edu.arrows.table import LayerParams, Table
from stbp_edu.lines.expressions import args_of, evaluate, nodes_in, op_of, written_out
from stbp_edu.lines.operations import OPERATIONS

WORDS = {"+": "sum", "-": "difference", "*": "product", "/": "quotient", "**": "power"}
"""What an operation's result is called."""


def check_states(
    net: Table, params: LayerParams, states: Sequence[StateArrays]
) -> None:
    """Raise NotFiniteError if a state of a forward pass is not finite, and say where it arose.

    Args:
        net: the network.
        params: its parameters, by layer.
        states: by layer, the states of all steps; of layer 0 the input, ``"o"``.
    """
    for n in range(1, net.N + 1):
        neuron = net.layers[n].neuron
        try:
            for name in neuron.order:
                if name != neuron.lines.spike:  # 0 or 1
                    check_finite(name, states[n][name])
        except NotFiniteError:
            check_finite("spikes", states[0]["o"])
            check_params(net, [*params])
            raise NotFiniteError(
                f"{_place(net, n, params[n], states)}; keep the line in range, as with "
                "max(u, 0.001), or change a constant"
            ) from None


def check_gradients(
    net: Table,
    params: LayerParams,
    states: Sequence[StateArrays],
    gradients: Mapping[str, Array],
) -> None:
    """Raise NotFiniteError if a gradient is not finite, and say which factor is not.

    Args:
        net: the network.
        params: its parameters, by layer.
        states: as those of :func:`check_states`.
        gradients: the gradients, by name.
    """
    for name, gradient in gradients.items():
        try:
            check_finite(f"the gradient of {name}", gradient)
        except NotFiniteError as error:
            said = ""
            for n in range(1, net.N + 1):  # the highest layer that has one
                own = _of_layer(net, n, states)
                said = slope_not_finite(net.layers[n].neuron, own, params[n], n) or said
            raise NotFiniteError(f"{error}{said}") from None


def slope_not_finite(
    neuron: Neuron, states: StateArrays, params: Parameters, layer: int
) -> str:
    """Return a sentence that says which slope of a layer's lines is not finite, or "".

    The arguments are those of :func:`first_not_finite`; of the states, the input is not read.
    """
    found = factors_of(neuron, around(states), params)
    for arrow in (*neuron.enters, *neuron.arrows):
        slopes = found[arrow.kind, False]
        step = _first_not_finite(slopes)
        if step < len(slopes):
            return (
                f". The slope of {arrow.target} by {arrow.source} is not finite at step "
                f"{step} of layer {layer}, in {_line(neuron, arrow.target)}; keep the line "
                "from there, as with max(u, 0.001)"
            )
    return ""


def _first_not_finite(series: Array) -> int:
    """Return the first step at which some value is not finite; where all are, one past the last."""
    finite = np.isfinite(series).reshape(len(series), -1).all(axis=1)
    return int(np.append(finite, False).argmin())


def _line(neuron: Neuron, name: str) -> str:
    """Return the line of a state, as it was written."""
    for line in neuron.lines.text.splitlines():
        if line.partition("=")[0].strip() == name:
            return line.strip()
    return name


def _place(net: Table, n: int, p: Parameters, states: Sequence[StateArrays]) -> str:
    """Return where the states of layer n are first not finite."""
    layer = net.layers[n]
    own = _of_layer(net, n, states)
    below = _of_layer(net, n - 1, states)[net.output_of(n - 1)]
    with np.errstate(all="ignore"):
        x = driven(layer, p, below)
        if layer.recurrent:
            sent = own[layer.neuron.output][:-1]
            x[1:] += layer.recurrent.forward(sent, p["R"]).reshape(x[1:].shape)
    return first_not_finite(layer.neuron, {**own, "x": x}, p, n)


def _of_layer(net: Table, n: int, states: Sequence[StateArrays]) -> dict[str, Array]:
    """Return the states of a layer, (T, S, m) each, as (T, S, *shape)."""
    shape = net.shape_of(n)
    own = states[n].items()
    return {name: array.reshape(*array.shape[:2], *shape) for name, array in own}


def first_not_finite(
    neuron: Neuron, states: StateArrays, params: Parameters, layer: int
) -> str:
    """Return a sentence that says where the states of a layer are first not finite, or "".

    Args:
        neuron: the layer's.
        states: every state by name, and what weights and biases bring as ``"x"``, each of shape
            (T, S, ...); ``"x"`` may be left out, and with it the operation that failed.
        params: the layer's parameters, of which those that the neuron learns are read.
        layer: the number of the layer.

    >>> from stbp_edu.derived import derive
    >>> root = derive("u = 0.5 * sqrt(u) + x").neuron
    >>> states = {"x": np.array([[[-0.5]], [[0.0]]]), "u": np.array([[[-0.5]], [[np.nan]]])}
    >>> print(first_not_finite(root, states, {}, layer=1))
    line 1 of the neuron, u = 0.5 * sqrt(u) + x: sqrt of -0.5 at step 1 of layer 1; 1 of 1 values
    """
    known = [name for name in ("x", *neuron.lines.lines) if name in states]
    steps = {name: _first_not_finite(states[name]) for name in known}
    name = min(known, key=lambda one: steps[one])
    step = steps[name]
    if step == len(states[name]):
        return ""
    bad = ~np.isfinite(states[name][step])
    at = f"at step {step} of layer {layer}; {bad.sum():,} of {bad.size:,} values"
    if name == "x":
        return f"the input x, which weights and biases bring, is not finite {at}"
    number = [*neuron.lines.lines].index(name) + 1
    cause = ""
    if "x" in states:
        place = np.unravel_index(bad.argmax(), bad.shape)
        cause = _cause(neuron, name, states, params, step, place)
    cause = cause or f"{name} is not finite"
    return f"line {number} of the neuron, {_line(neuron, name)}: {cause} {at}"


def _cause(
    neuron: Neuron,
    name: str,
    states: StateArrays,
    params: Parameters,
    step: int,
    place: tuple[Any, ...],
) -> str:
    """Return the first operation of a line whose result is not finite, with its arguments."""
    values: dict[str, Any] = {}
    for constant, first in neuron.lines.constants.items():
        own = np.asarray(params.get(constant, first))
        values[constant] = own[place[1:]] if own.ndim else own
    for state, series in states.items():
        values[state] = series[step][place]
        values[f"{state}_last"] = series[step - 1][place] if step else 0.0
    dtype = states[name].dtype
    line = written_out(neuron.lines.lines[name])
    with np.errstate(all="ignore"):
        for call in reversed([*nodes_in(line)]):  # the arguments before their operation
            op = str(op_of(call))
            if op in ("", "spike"):
                continue
            given = [np.asarray(evaluate(arg, values), dtype) for arg in args_of(call)]
            if not np.isfinite(OPERATIONS[op].value(np, *given)):
                shown = [f"{one:.4g}" for one in given]
                return f"{WORDS.get(op, op)} of {' and '.join(shown)}"
    return ""
