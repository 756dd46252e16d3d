"""Where a run is first not finite: the line, the operation and what it was given.

Looking for it costs more than the run. So what runs a neuron looks only once it has seen that a
state is not finite.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.table import Neuron
from stbp_edu.checks import Array

WORDS = {"+": "sum", "-": "difference", "*": "product", "/": "quotient", "**": "power"}
"""What an operation's result is called."""


def first_not_finite(
    neuron: Neuron, states: Mapping[str, Array], params: Mapping[str, Any], layer: int
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
    broken = {name: _steps(ok) for name, ok in finite.items() if not ok.all()}
    if not broken:
        return ""
    step = min(steps[0] for steps in broken.values())
    name = next(name for name in names if name in broken and step in broken[name])
    bad = ~finite[name][step]
    at = f"at step {step} of layer {layer}; {bad.sum():,} of {bad.size:,} values"
    if name == "x":
        return f"the input x, which weights and biases bring, is not finite {at}"
    said = f"line {[*lines].index(name) + 1} of the neuron, {_line(neuron, name)}"
    place = np.unravel_index(bad.argmax(), bad.shape)
    cause = _cause(neuron, name, states, params, step, place) if "x" in states else ""
    return f"{said}: {cause or f'{name} is not finite'} {at}"


def _steps(finite: Array) -> list[int]:
    """Return the steps at which some value is not finite."""
    steps = finite.reshape(len(finite), -1).all(axis=1)
    return np.flatnonzero(~steps).tolist()


def _line(neuron: Neuron, name: str) -> str:
    """Return the line of a state, as it was written."""
    for line in neuron.lines.text.splitlines():
        if line.partition("=")[0].strip() == name:
            return line.strip()
    return name


def _cause(
    neuron: Neuron,
    name: str,
    states: Mapping[str, Array],
    params: Mapping[str, Any],
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
        own = np.asarray(params.get(one.name, neuron.lines.constants.get(one.name)))
        return own[place[1:]] if own.ndim else own

    dtype = states[name].dtype
    with np.errstate(all="ignore"):
        for call in _calls(ex.written_out(neuron.lines.lines[name])):
            given = [ex.evaluate(arg, value, {}) for arg in call.args]
            given = [np.asarray(one, dtype) for one in given]
            result = ex.OPERATIONS[str(call.op)](np, *given)
            if not np.isfinite(result):
                word = WORDS.get(str(call.op), str(call.op))
                return f"{word} of {' and '.join(f'{one:.4g}' for one in given)}"
    return ""


def _calls(tree: ex.Expression) -> Iterator[ex.Call]:
    """Yield the operations of an expression, each after those in its arguments."""
    if isinstance(tree, ex.Call):
        for arg in tree.args:
            yield from _calls(arg)
        if tree.op != "spike":
            yield tree
