"""The forward run: each step's states from those of the last one, and checks of what it returns."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.arrow import Parameters, StateArrays
from stbp_edu.arrows.table import Layer, LayerParams, Series, Table
from stbp_edu.parameters import LayerArrays, Params, by_layer

NEAR = 1e-4  # the most by which a state may differ that was computed again
Now = list[StateArrays]
"""The states of one step, by layer; layer 0 has ``"o"``, the input."""


def rest(net: Table, x: Array) -> Now:
    """Return the states before the first step, whose input is x: all 0."""
    states: Now = []
    for n, names in enumerate(net.states):
        shape = (len(x), *net.shape_of(n))
        zero = np.zeros(shape, x.dtype)
        states.append(dict.fromkeys(names, zero))
    return states


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


def _step(
    layer: Layer, p: Parameters, below: Any, past: StateArrays, twin: bool
) -> StateArrays:
    """Return the states of a layer after one step, from the output below and its last states."""
    neuron = layer.neuron
    drive = driven(layer, p, below, past)
    states: dict[str, Any] = {}
    for name in neuron.order:
        v = neuron.updated(name, states, past, drive, p)
        if name != neuron.lines.spike:
            states[name] = v
        elif twin:
            states[name] = neuron.smooth(v)
        else:
            states[name] = (v >= 0).astype(v.dtype)
    return states


def driven(layer: Layer, p: Parameters, below: Any, past: StateArrays) -> Any:
    """Return x, the current that weights and biases bring to the neurons of a layer."""
    drive = layer.link.forward(below, p["W"])
    pixels = len(layer.link.shape) - 1
    bias = p["b"].reshape(-1, *[1] * pixels)
    drive = drive + bias
    if layer.recurrent:
        sent = past[layer.neuron.output]
        again = layer.recurrent.forward(sent, p["R"])
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
    check_shapes(net, layers)
    for n in range(1, net.N + 1):
        for name in net.layers[n].shapes:  # other entries are not read
            array = np.asarray(layers[n][name])
            checks.check_finite(f"params[{n}][{name!r}]", array)
    return layers


def check_shapes(net: Table, layers: LayerParams) -> None:
    """Check that every parameter is there, and is an array of floats of its shape."""
    if len(layers) != net.N + 1 or layers[0] is not None:
        raise ValueError(
            f"params must have N + 1 = {net.N + 1} entries, got {len(layers)}, and None first"
        )
    for n, layer in enumerate(net.layers[1:], 1):
        of = f"params[{n}]"
        given = checks.instance(of, layers[n], dict)
        for name, shape in layer.shapes.items():
            if name not in given:
                raise ValueError(f"{of} lacks {name!r}; give an array of shape {shape}")
            value = given[name]
            if not shape and not isinstance(value, np.ndarray):
                value = np.asarray(value)
            checks.array_of_floats(f"{of}[{name!r}]", value, str(shape), shape)


def check_run(net: Table, trace: Series, targets: Array) -> None:
    """Check that a trace has every state of the network, and the targets a row for each sample."""
    checks.instance("trace", trace, dict)
    run_shape: tuple[int | None, ...] = (None, None)
    for n, names in enumerate(net.states):
        for name in names:
            series: Any = trace.get(name)
            whole = isinstance(series, list | tuple) and len(series) == net.N + 1
            if not whole or series[n] is None:
                raise ValueError(
                    f"trace must have state {name!r} of layer {n}; pass what forward returned for "
                    "this network"
                )
            of = f"trace[{name!r}][{n}]"
            shape = (*run_shape, *net.shape_of(n))
            array = checks.array(of, series[n], "(T, S, *shape)", shape)
            run_shape = array.shape[:2]
    _, S = run_shape
    shape = (S, *net.shape_of(net.N))
    checks.array("targets", targets, "(S, n[N])", shape)


def check_follows(net: Table, params: LayerParams, trace: Series) -> None:
    """Check that a trace's last step follows from the one before: that it is this network's."""
    inputs = trace["o"][0]
    T = len(inputs)
    now = _states_at(net, trace, T - 1)
    past = rest(net, inputs[0])
    if T > 1:
        past = _states_at(net, trace, T - 2)
    for n, layer in enumerate(net.layers[1:], 1):
        neuron = layer.neuron
        below = now[n - 1][net.output_of(n - 1)]
        x = driven(layer, params[n], below, past[n])
        for name, found in now[n].items():
            value = neuron.updated(name, now[n], past[n], x, params[n])
            follows = False
            if name == neuron.lines.spike:
                follows = _is_spike_of(value, found)
                value = neuron.smooth(value)
            if follows or np.allclose(value, found, 1e-3, NEAR, equal_nan=True):
                continue
            raise ValueError(
                f"trace[{name!r}][{n}] must follow from this network and these parameters, but "
                "at its last step it does not; pass what forward returned for them"
            )


def _states_at(net: Table, trace: Series, t: int) -> Now:
    """Return the states of one step."""
    states: Now = []
    for n, names in enumerate(net.states):
        of_layer = {name: trace[name][n][t] for name in names}
        states.append(of_layer)
    return states


def _is_spike_of(v: Any, found: Any) -> bool:
    """Return whether spikes are those of v; close to 0 it may have been rounded to either side."""
    same = found == (v >= 0)
    at_threshold = np.abs(v) < NEAR
    return bool((same | at_threshold).all())


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
    checks.instance("twin", twin, bool)
    shape = (None, None, *net.shape)
    checks.array("inputs", inputs, f"(T, S, *{net.shape})", shape)
    steps = [now for _, now in run(net, layers, inputs, twin)]
    return as_trace(net, steps)


def as_trace(net: Table, steps: list[Now]) -> Series:
    """Return the states of many steps, by state."""
    trace: Series = {}
    every = set(chain.from_iterable(net.states))
    for name in sorted(every):
        trace[name] = []
        for n, names in enumerate(net.states):
            series = None
            if name in names:
                values = [now[n][name] for now in steps]
                series = np.stack(values)
            trace[name].append(series)
    return trace
