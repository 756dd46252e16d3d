"""The parameters of a network of arrows: by layer, and by name."""

import math
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows.link import Shape
from stbp_edu.arrows.models import Layer, Network
from stbp_edu.checks import Array

LayerParams = list[Any]
"""None, then a dictionary for each layer: ``"W"``, ``"b"``, ``"R"`` and what its neuron learns."""


def draw_params(net: Network, rng: np.random.Generator, scale: float = 1.0) -> LayerParams:
    """Draw weights, normal with standard deviation scale / √inputs; biases 0.

    >>> from stbp_edu.arrows import network, soft_reset
    >>> from stbp_edu import LIF
    >>> net = network("3-2R-1", soft_reset(LIF(), learn_leak=True))
    >>> {name: a.shape for name, a in draw_params(net, np.random.default_rng(0))[1].items()}
    {'W': (2, 3), 'b': (2,), 'R': (2, 2), 'tau': ()}
    """
    checks.generator("rng", rng)
    scale = checks.number("scale", scale, positive=True)

    def drawn(layer: Layer, name: str, shape: Shape) -> Array:
        """Return one parameter."""
        if name in layer.neuron.learned:
            return np.full(shape, dict(layer.neuron.enters)[name].initial)
        if name == "b":
            return np.zeros(shape)
        return rng.normal(0, scale / math.sqrt(math.prod(shape[1:])), shape)

    layers = net.layers[1:]
    return [None, *({k: drawn(layer, k, s) for k, s in layer.shapes.items()} for layer in layers)]


def check_params(net: Network, params: LayerParams) -> None:
    """Check that every parameter is there and has its shape."""
    if len(params) != net.N + 1:
        raise ValueError(f"params must have N + 1 = {net.N + 1} entries, got {len(params)}")
    for n in range(1, net.N + 1):
        for name, shape in net.layers[n].shapes.items():
            if name not in params[n]:
                raise ValueError(f"params[{n}] lacks {name!r}; give an array of shape {shape}")
            axes = "the shape of this layer's weights" if shape else "()"
            checks.array(f"params[{n}][{name!r}]", np.asarray(params[n][name]), axes, shape)
