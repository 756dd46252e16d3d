"""The forward run: each step's states from those of the last one, and checks of what it returns."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.arrow import Parameters, StateArrays
from stbp_edu.arrows.table import Layer, LayerParams, Series, Table
from stbp_edu.lines.operations import fires
from stbp_edu.parameters import LayerArrays, Params, by_layer

Now = list[StateArrays]
"""The states of one step, by layer; layer 0 has ``"o"``, the input."""


def run(
    net: Table, params: LayerParams, inputs: Array, twin: bool
) -> Iterator[tuple[Now, Now]]:
    """Yield the states of the last step and of this one, step by step from rest."""
    past = rest(net, inputs[0])
    for x in inputs:
        now: Now = [{"o": x}]
        for n, layer in enumerate(net.layers[1:], 1):
            below = now[n - 1][net.output_of(n - 1)]
            now.append(_step(layer, params[n], below, past[n], twin))
        yield past, now
        past = now


def rest(net: Table, x: Array) -> Now:
    """Return the states before the first step, whose input is x: all 0."""
    states: Now = []
    for n, names in enumerate(net.states):
        zero = np.zeros((len(x), *net.shape_of(n)), x.dtype)
        states.append(dict.fromkeys(names, zero))
    return states


def _step(
    layer: Layer, p: Parameters, below: Any, past: StateArrays, twin: bool
) -> StateArrays:
    """Return the states of a layer after one step, from the output below and its last states."""
    neuron = layer.neuron
    drive = driven(layer, p, below, past)
    states: dict[str, Any] = {}
    for name in neuron.order:
        v = neuron.updated(name, states, past, drive, p)
        if name == neuron.lines.spike:
            v = neuron.smooth(v) if twin else fires(v)
        states[name] = v
    return states


def driven(layer: Layer, p: Parameters, below: Any, past: StateArrays) -> Any:
    """Return x, the current that weights and biases bring to the neurons of a layer."""
    drive = layer.link.forward(below, p["W"])
    pixels = len(layer.link.shape) - 1
    drive = drive + p["b"].reshape(-1, *[1] * pixels)
    if layer.recurrent:
        again = layer.recurrent.forward(past[layer.neuron.output], p["R"])
        drive = drive + again.reshape(drive.shape)  # p2-recur-u
    return drive


def check_params(net: Table, params: LayerArrays) -> LayerParams:
    """Return the arrays by layer, once each is there, has its shape, and is finite."""
    checks.instance("net", net, Table)
    if not isinstance(params, Params | list):
        raise TypeError(
            f"params must be of type Params, got {checks.brief(params)}; pass what init of the "
            "network returns"
        )
    layers = by_layer(params)
    if len(layers) != net.N + 1 or layers[0] is not None:
        raise ValueError(
            f"params must have N + 1 = {net.N + 1} entries, got {len(layers)}, and None first"
        )
    for n, layer in enumerate(net.layers[1:], 1):
        of = f"params[{n}]"
        given = checks.instance(of, layers[n], dict)
        for name, shape in layer.shapes.items():  # other entries are not read
            if name not in given:
                raise ValueError(f"{of} lacks {name!r}; give an array of shape {shape}")
            value = given[name] if shape else np.asarray(given[name])
            checks.array_of_floats(f"{of}[{name!r}]", value, str(shape), shape)
            checks.check_finite(f"{of}[{name!r}]", value)
    return layers


def check_run(net: Table, trace: Series, targets: Array) -> None:
    """Check that a trace has every state of the network, and the targets a row for each sample."""
    checks.instance("trace", trace, dict)
    for n, names in enumerate(net.states):
        for name in names:
            series: Any = trace.get(name)
            if series is None or len(series) != net.N + 1 or series[n] is None:
                raise ValueError(
                    f"trace must have state {name!r} of layer {n}; pass what forward returned for "
                    "this network"
                )
    S = trace["o"][0].shape[1]
    checks.array("targets", targets, "(S, n[N])", (S, *net.shape_of(net.N)))


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
    return as_trace(net, [now for _, now in run(net, layers, inputs, twin)])


def as_trace(net: Table, steps: list[Now]) -> Series:
    """Return the states of many steps, by state."""
    trace: Series = {}
    for name in sorted(set(chain.from_iterable(net.states))):
        trace[name] = [None] * (net.N + 1)
        for n, names in enumerate(net.states):
            if name in names:
                trace[name][n] = np.stack([now[n][name] for now in steps])
    return trace
