"""Where a state or a slope is first not finite: the line, as an error names it.

Looking for it costs more than the run, and is done only where something is not finite.
"""

from __future__ import annotations

import numpy as np

from stbp_edu.arrows.adjoints import around
from stbp_edu.arrows.arrow import Neuron, Parameters, StateArrays


def slope_not_finite(
    neuron: Neuron, states: StateArrays, params: Parameters, layer: int
) -> str:
    """Return a sentence that says which slope of a layer's lines is not finite, or "".

    Args:
        neuron: the layer's.
        states: every state by name, each of shape (T, S, ...).
        params: the layer's parameters, of which those that the neuron learns are read.
        layer: the number of the layer.
    """
    near = around(states)
    for arrow in (*neuron.enters, *neuron.arrows):
        for step, slopes in enumerate(neuron.value(arrow, near, params)):
            if not np.isfinite(slopes).all():
                return (
                    f". The slope of {arrow.target} by {arrow.source} is not finite at step "
                    f"{step} of layer {layer}, in {_line(neuron, arrow.target)}; keep the line "
                    "from there, as with max(u, 0.001)"
                )
    return ""


def first_not_finite(neuron: Neuron, states: StateArrays, layer: int) -> str:
    """Return a sentence that says where the states of a layer are first not finite, or "".

    Args:
        neuron: the layer's.
        states: every state by name, each of shape (T, S, ...); and, where it is known, what weights
            and biases bring as ``"x"``.
        layer: the number of the layer.

    >>> from stbp_edu.derived import derive
    >>> root = derive("u = 0.5 * sqrt(u) + x").neuron
    >>> states = {"u": np.array([[[-0.5]], [[np.nan]]])}
    >>> print(first_not_finite(root, states, layer=1).partition(";")[0])
    line 1 of the neuron, u = 0.5 * sqrt(u) + x: u is not finite at step 1 of layer 1
    """
    lines = [*neuron.lines.lines]
    names = [name for name in ("x", *lines) if name in states]
    for step in range(len(states[names[0]])):
        for name in names:
            bad = ~np.isfinite(states[name][step])
            if not bad.any():
                continue
            at = (
                f"at step {step} of layer {layer}; {bad.sum():,} of {bad.size:,} values"
            )
            if name == "x":
                return (
                    f"the input x, which weights and biases bring, is not finite {at}"
                )
            return (
                f"line {lines.index(name) + 1} of the neuron, {_line(neuron, name)}: {name} is not "
                f"finite {at}; keep the line in range, as with max(u, 0.001), or change a constant"
            )
    return ""


def _line(neuron: Neuron, name: str) -> str:
    """Return the line of a state, as it was written."""
    for line in neuron.lines.text.splitlines():
        if line.partition("=")[0].strip() == name:
            return line.strip()
    return name
