"""The checks of a pass: all states and gradients are finite, or the error names the line.

Looking for the line costs more than the run, and is done only where something is not finite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from stbp_edu._support.checks import Array, NotFiniteError, check_finite
from stbp_edu.arrows.adjoints import around
from stbp_edu.arrows.arrow import Neuron, Parameters, StateArrays
from stbp_edu.arrows.table import LayerParams, Table, check_params


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
            raise NotFiniteError(first_not_finite(neuron, states[n], n)) from None


def check_gradients(
    net: Table,
    params: LayerParams,
    states: Sequence[StateArrays],
    gradients: Mapping[str, Array],
) -> None:
    """Raise NotFiniteError if a gradient is not finite, and say which slope is not.

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
            slope = ""
            for n in range(net.N, 0, -1):  # as errors go, from the last layer down
                neuron = net.layers[n].neuron
                own = _in_shape(states[n], net.shape_of(n))
                slope = slope or slope_not_finite(neuron, own, params[n], n)
            raise NotFiniteError(f"{error}{slope}") from None


def _in_shape(states: StateArrays, shape: tuple[int, ...]) -> dict[str, Array]:
    """Return the states of a layer, (T, S, m) each, as (T, S, *shape)."""
    return {
        name: series.reshape(*series.shape[:2], *shape)
        for name, series in states.items()
    }


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
