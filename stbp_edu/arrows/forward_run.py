"""The forward run: each step's states from those of the last one, and where they are not finite.

Looking for what is not finite costs more than the run, and is done only where something is.
"""

from itertools import chain
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.arrow import Neuron, Parameters, StateArrays
from stbp_edu.arrows.table import Layer, Series, Table, check_params
from stbp_edu.parameters import LayerArrays
from stbp_edu.surrogates import fires


def forward(
    net: Table, params: LayerArrays, inputs: Array, *, twin: bool = False
) -> Series:
    """Return every state at every step.

    Args:
        net: the network.
        params: its parameters.
        inputs: shape (T, S, *input shape); any real numbers.
        twin: whether H replaces the spike g, so every derivative is a true one.

    Returns:
        By state, a list over layers of arrays (T, S, *shape); ``["o"][0]`` is the input.

    Raises:
        TypeError, ValueError: if the parameters or inputs do not fit the network.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import network, soft_reset
    >>> net = network("1-1", soft_reset(LIF(tau=0.5, v_th=1.0)))
    >>> params = [None, {"W": np.array([[1.0]]), "b": np.zeros(1)}]
    >>> forward(net, params, np.full((3, 1, 1), 0.75))["u"][1].ravel()
    array([0.75   , 1.125  , 0.3125])
    """
    layers = check_params(net, params)
    shape = (None, None, *net.shape)
    checks.array("inputs", inputs, f"(T, S, *{net.shape})", shape)
    names = sorted(set(chain.from_iterable(net.states)))
    trace: Series = {name: [None] * (net.N + 1) for name in names}
    trace["o"][0] = inputs
    for n, layer in enumerate(net.layers[1:], 1):
        below = trace[net.output_of(n - 1)][n - 1]
        states = run_layer(layer, layers[n], below, twin)
        for name, series in states.items():
            trace[name][n] = series
    return trace


def run_layer(layer: Layer, p: Parameters, below: Array, twin: bool) -> StateArrays:
    """Return the states of a layer at all steps from the output below; it begins at rest.

    In the smooth ``twin`` H stands in for the spike.
    """
    neuron = layer.neuron
    pixels = len(layer.link.shape) - 1
    x = layer.link.forward(below, p["W"]) + p["b"].reshape(-1, *[1] * pixels)
    states = {name: np.empty_like(x) for name in neuron.order}
    past = {f"{name}_last": np.zeros_like(x[0]) for name in neuron.order}
    for t, drive in enumerate(x):
        if layer.recurrent:
            again = layer.recurrent.forward(past[f"{neuron.output}_last"], p["R"])
            drive = drive + again.reshape(drive.shape)  # p2-recur-u
        now = {**past, "x": drive}
        for name in neuron.order:
            v = neuron.updated(name, now, p)
            if name == neuron.lines.spike:
                v = neuron.smooth(v) if twin else fires(v)
            now[name] = states[name][t] = past[f"{name}_last"] = v
    return states


def check_run(net: Table, trace: Series, targets: Array) -> None:
    """Check that a trace has every state of the network, and the targets a row for each sample."""
    checks.instance("trace", trace, dict)
    for n, names in enumerate(net.states):
        for name in names:
            series: Any = trace.get(name, ())
            if len(series) != net.N + 1 or series[n] is None:
                raise ValueError(
                    f"trace must have state {name!r} of layer {n}; pass what forward returned for "
                    "this network"
                )
    S = trace["o"][0].shape[1]
    checks.array("targets", targets, "(S, n[N])", (S, *net.shape_of(net.N)))


def around(states: StateArrays) -> StateArrays:
    """Return a layer's states at each step, and those of the steps next to it.

    Before the first step they are 0; the step after the last one is not there to be read.
    """
    found = dict(states)
    for name, series in states.items():
        found[f"{name}_last"] = np.concatenate([0 * series[:1], series[:-1]])
        found[f"{name}_next"] = np.concatenate([series[1:], series[-1:]])
    return found


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


def _line(neuron: Neuron, name: str) -> str:
    """Return the line of a state, as it was written."""
    for line in neuron.lines.text.splitlines():
        if line.partition("=")[0].strip() == name:
            return line.strip()
    return name
