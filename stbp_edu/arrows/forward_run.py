"""The forward run: each step's states from those of the last one, and checks of what it returns."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.models import Layer, LayerParams, Network, Series
from stbp_edu.parameters import LayerArrays, Params, by_layer

NEAR = 1e-4  # the most by which a state may differ that was computed again
Now = list[dict[str, Any]]
"""The states of one step, by layer; layer 0 has ``"o"``, the input."""


def rest(net: Network, x: Array) -> Now:
    """Return the states before the first step, whose input is x: all 0."""
    zeros = [np.zeros((len(x), *net.shape_of(n)), x.dtype) for n in range(net.N + 1)]
    return [dict.fromkeys(of, zero) for of, zero in zip(net.states, zeros, strict=True)]


def run(
    net: Network, params: LayerParams, inputs: Array, twin: bool
) -> Iterator[tuple[Now, Now]]:
    """Yield the states of the last step and of this one, step by step from rest."""
    past = rest(net, inputs[0])
    for x in inputs:
        now: Now = [{"o": x}]
        for n, layer in enumerate(net.layers[1:], 1):
            states: dict[str, Any] = {}
            drive = driven(layer, params[n], now[n - 1][net.output_of(n - 1)], past[n])
            for name in net.states[n]:
                v = layer.neuron.updated(name, states, past[n], drive, params[n])
                if name == layer.neuron.lines.spike:
                    v = layer.neuron.smooth(v) if twin else (v >= 0).astype(v.dtype)
                states[name] = v
            now.append(states)
        yield past, now
        past = now


def driven(layer: Layer, p: dict[str, Any], below: Any, past: dict[str, Any]) -> Any:
    """Return x, the current that weights and biases bring to the neurons of a layer."""
    drive = layer.link.forward(below, p["W"])
    drive = drive + p["b"].reshape(-1, *[1] * (len(layer.link.shape) - 1))
    if layer.recurrent:
        again = layer.recurrent.forward(past[layer.neuron.output], p["R"])
        drive = drive + again.reshape(drive.shape)  # p2-recur-u
    return drive


def check_params(net: Network, params: LayerArrays) -> LayerParams:
    """Return the arrays by layer, once each is there, has its shape, and is finite."""
    checks.instance("net", net, Network)
    if not isinstance(params, Params | list):
        raise TypeError(
            f"params must be of type Params, got {checks.brief(params)}; pass what init of the "
            "network returns"
        )
    layers = by_layer(params)
    check_shapes(net, layers)
    for n, layer in enumerate(net.layers[1:], 1):
        for name in layer.shapes:  # other entries are not read
            checks.check_finite(f"params[{n}][{name!r}]", np.asarray(layers[n][name]))
    return layers


def check_shapes(net: Network, layers: LayerParams) -> None:
    """Check that every parameter is there, and is an array of floats of its shape."""
    if len(layers) != net.N + 1 or layers[0] is not None:
        raise ValueError(
            f"params must have N + 1 = {net.N + 1} entries, got {len(layers)}, and None first"
        )
    for n, layer in enumerate(net.layers[1:], 1):
        checks.instance(f"params[{n}]", layers[n], dict)
        for name, shape in layer.shapes.items():
            if name not in layers[n]:
                raise ValueError(
                    f"params[{n}] lacks {name!r}; give an array of shape {shape}"
                )
            value = layers[n][name]
            if not shape and not isinstance(value, np.ndarray):
                value = np.asarray(value)
            checks.array_of_floats(f"params[{n}][{name!r}]", value, str(shape), shape)


def check_run(net: Network, trace: Series, targets: Array) -> None:
    """Check that a trace has every state of the network, and the targets a row for each sample."""
    shape: tuple[int | None, ...] = (None, None)
    for n, name in (
        (n, name) for n, states in enumerate(net.states) for name in states
    ):
        series: Any = checks.instance("trace", trace, dict).get(name)
        whole = isinstance(series, list | tuple) and len(series) == net.N + 1
        if not whole or series[n] is None:
            raise ValueError(
                f"trace must have state {name!r} of layer {n}; pass what forward returned for "
                "this network"
            )
        of = f"trace[{name!r}][{n}]"
        array = checks.array(
            of, series[n], "(T, S, *shape)", (*shape, *net.shape_of(n))
        )
        shape = array.shape[:2]
    checks.array("targets", targets, "(S, n[N])", (shape[1], *net.shape_of(net.N)))


def check_follows(net: Network, params: LayerParams, trace: Series) -> None:
    """Check that a trace's last step follows from the one before: that it is this network's."""
    steps = range(len(trace["o"][0]))[-2:]
    last = [
        [{s: trace[s][n][t] for s in of} for n, of in enumerate(net.states)]
        for t in steps
    ]
    past, now = last if len(last) > 1 else (rest(net, trace["o"][0][0]), *last)
    for n, layer in enumerate(net.layers[1:], 1):
        x = driven(layer, params[n], now[n - 1][net.output_of(n - 1)], past[n])
        for name in net.states[n]:
            value, found = (
                layer.neuron.updated(name, now[n], past[n], x, params[n]),
                now[n][name],
            )
            fires = np.False_
            if name == layer.neuron.lines.spike:
                # close to the threshold it may have been rounded to either side; or it is H(v)
                fires = ((found == (value >= 0)) | (np.abs(value) < NEAR)).all()
                value = layer.neuron.smooth(value)
            if not fires and not np.allclose(value, found, 1e-3, NEAR, equal_nan=True):
                raise ValueError(
                    f"trace[{name!r}][{n}] must follow from this network and these parameters, but "
                    "at its last step it does not; pass what forward returned for them"
                )


def forward(
    net: Network, params: LayerArrays, inputs: Array, *, twin: bool = False
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
    checks.array("inputs", inputs, f"(T, S, *{net.shape})", (None, None, *net.shape))
    return as_trace(net, [now for _, now in run(net, layers, inputs, twin)])


def as_trace(net: Network, steps: list[Now]) -> Series:
    """Return the states of many steps, by state."""
    return {
        name: [
            np.stack([now[n][name] for now in steps]) if name in of else None
            for n, of in enumerate(net.states)
        ]
        for name in sorted({name for of in net.states for name in of})
    }
