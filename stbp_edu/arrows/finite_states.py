"""The check of a forward pass: every state is finite, or the error says where it first is not.

It names the line, the operation and what that was given. Looking for these costs more than the run,
and is done only where a state is not finite.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array, NotFiniteError, check_finite
from stbp_edu.arrows.arrow import Neuron, Parameters, StateArrays
from stbp_edu.arrows.forward_run import driven
from stbp_edu.arrows.table import LayerParams, Table
from stbp_edu.lines import expressions as ex

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
        if all_finite(net.layers[n].neuron, states[n]):
            continue
        check_finite("spikes", states[0]["o"])
        for name, array in params[n].items():
            check_finite(f"params: {name} of layer {n}", array)
        raise NotFiniteError(
            f"{_place(net, n, params[n], states)}; keep the line in range, as with max(u, 0.001), "
            "or change a constant"
        )


def all_finite(neuron: Neuron, series: StateArrays) -> bool:
    """Return whether every state of a layer is finite; a spike, 0 or 1, is not looked at."""
    for name in neuron.order:
        if name == neuron.lines.spike:
            continue
        flat = series[name].ravel()
        with np.errstate(over="ignore", invalid="ignore"):
            # One pass: a NaN or an infinity makes the sum of squares not finite.
            fine = np.isfinite(np.dot(flat, flat))
        if not fine and not np.isfinite(flat).all():
            return False
    return True


def _place(net: Table, n: int, p: Parameters, states: Sequence[StateArrays]) -> str:
    """Return where the states of layer n are first not finite."""
    layer = net.layers[n]
    neuron = layer.neuron
    shape = net.shape_of(n)
    own = {name: _shaped(series, shape) for name, series in states[n].items()}
    outputs_below = states[n - 1][net.output_of(n - 1)]
    below = _shaped(outputs_below, net.shape_of(n - 1))
    first = neuron.order[0]
    x = np.empty_like(own[first])
    sent = np.zeros_like(x[0])
    with np.errstate(all="ignore"):
        for t in range(len(x)):
            x[t] = driven(layer, p, below[t], {neuron.output: sent})
            sent = own[neuron.output][t]
    return first_not_finite(neuron, {**own, "x": x}, p, n)


def _shaped(series: Array, shape: tuple[int, ...]) -> Array:
    """Return (T, S, m) as (T, S, *shape)."""
    return series.reshape(*series.shape[:2], *shape)


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
    lines = neuron.lines.lines
    names = [name for name in ("x", *lines) if name in states]
    finite = {name: np.isfinite(states[name]) for name in names}
    broken = {}
    for name in names:
        steps = _steps_not_finite(finite[name])
        if steps:
            broken[name] = steps
    if not broken:
        return ""
    step = min(steps[0] for steps in broken.values())
    first = [name for name, steps in broken.items() if step in steps]
    name = first[0]
    bad = ~finite[name][step]
    many = f"{bad.sum():,} of {bad.size:,} values"
    at = f"at step {step} of layer {layer}; {many}"
    if name == "x":
        return f"the input x, which weights and biases bring, is not finite {at}"
    number = [*lines].index(name) + 1
    line = _line(neuron, name)
    cause = ""
    if "x" in states:
        place = np.unravel_index(bad.argmax(), bad.shape)
        cause = _cause(neuron, name, states, params, step, place)
    if not cause:
        cause = f"{name} is not finite"
    return f"line {number} of the neuron, {line}: {cause} {at}"


def _steps_not_finite(finite: Array) -> list[int]:
    """Return the steps at which some value is not finite."""
    steps = finite.reshape(len(finite), -1).all(axis=1)
    return np.flatnonzero(~steps).tolist()


def _line(neuron: Neuron, name: str) -> str:
    """Return the line of a state, as it was written."""
    for line in neuron.lines.text.splitlines():
        left, _, _ = line.partition("=")
        if left.strip() == name:
            return line.strip()
    return name


def _cause(
    neuron: Neuron,
    name: str,
    states: StateArrays,
    params: Parameters,
    step: int,
    place: tuple[Any, ...],
) -> str:
    """Return the first operation of a line whose result is not finite, with its arguments."""

    def value(one: ex.Name) -> Any:
        """Return the value of a name where the state is not finite."""
        if one.when == "last":
            return states[one.name][step - 1][place] if step else 0.0
        if one.when:
            return states[one.name][step][place]
        constant = neuron.lines.constants.get(one.name)
        own = np.asarray(params.get(one.name, constant))
        return own[place[1:]] if own.ndim else own

    dtype = states[name].dtype
    line = ex.written_out(neuron.lines.lines[name])
    with np.errstate(all="ignore"):
        for call in _calls(line):
            op = str(call.op)
            values = [ex.evaluate(arg, value, {}) for arg in call.args]
            given = [np.asarray(one, dtype) for one in values]
            result = ex.OPERATIONS[op](np, *given)
            if not np.isfinite(result):
                shown = [f"{one:.4g}" for one in given]
                return f"{WORDS.get(op, op)} of {' and '.join(shown)}"
    return ""


def _calls(tree: ex.Expression) -> Iterator[ex.Call]:
    """Yield the operations of an expression, each after those in its arguments."""
    if isinstance(tree, ex.Call):
        for arg in tree.args:
            yield from _calls(arg)
        if tree.op != "spike":
            yield tree
