"""The network that a run trains, the input that it gets, and dropout."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support.checks import Array
from stbp_edu._support.sizes import hidden_layer, widths
from stbp_edu.arrows.part_one import for_layers
from stbp_edu.networks import Model, network
from stbp_edu.parameters import LayerArrays, Params, by_layer, by_name, sizes_of
from stbp_edu.training.encoders import encode, inputs
from stbp_edu.training.settings import Settings

MUCH = 100_000_000
"""Products of weights and spikes in a step from which it pays to compile."""


def network_of(settings: Settings, sizes: str) -> Model:
    """Return the network of these settings, with the loss that they name.

    Loops are compiled where that is asked for, or where a step is so much work that it pays.
    """
    layers = sum(part[0] != "P" for part in sizes.split("-")[1:])
    backend = settings.backend
    if backend == "auto":
        products = sum(a * b for a, b in pairwise(widths(sizes)))
        much = settings.batch * settings.T * products >= MUCH
        backend = "auto" if much else "numpy"
    neurons = for_layers(settings.make_neurons(), layers)
    return network(sizes, neurons, settings.make_loss(), backend)


def check_fit(
    params: Params,
    settings: Settings,
    image: tuple[int, ...] | None = None,
    classes: int = 0,
) -> None:
    """Raise ValueError where parameters do not fit the settings, or images and classes if given."""
    parts = sizes_of(params).split("-")[1:-1]
    hidden = tuple(hidden_layer("hidden", part) for part in parts)
    if hidden != settings.hidden:
        raise ValueError(
            f"params must be of a network with hidden layers {settings.hidden} as in the settings, "
            f"got {hidden}; give the settings that they were trained with"
        )
    has, outputs = params.sizes[0], params.sizes[-1]
    needed = inputs(settings.encoder, image) if image else has
    if has != needed or outputs < classes:
        raise ValueError(
            f"params must be of a network with {needed} inputs and {classes} outputs for images "
            f"{image} and these labels, got {has} and {outputs}; give the data that it was trained "
            "on"
        )


def network_for(params: Params, settings: Settings) -> Model:
    """Return the network of these settings that has these parameters."""
    return network_of(settings, sizes_of(params))


NetworkOf = Callable[[Params, Settings], Any]
"""Makes what has ``forward`` and ``backward`` of a :class:`Model`, as :func:`network_for` does."""


def encode_images(
    images: NDArray[Any],
    settings: Settings,
    T: int,
    rng: np.random.Generator,
    dtype: Any,
) -> Array:
    """Return the newly drawn input of all steps, from images (S, height, width).

    With the encoder ``direct``, all steps are the same memory.
    """
    encoder, steps = settings.encoder, 1 if settings.encoder == "direct" else T
    seen = images if encoder == "rows" else images.reshape(len(images), -1)
    shown = encode(encoder, seen, steps, rng, hold=settings.hold).astype(
        dtype, copy=False
    )
    return np.broadcast_to(shown, (T, *shown.shape[1:]))


DropoutFactors = Sequence[Array]
"""For each of the layers 1..N - 1 the factor on what leaves each neuron; none without dropout."""


def draw_dropout(
    sizes: Sequence[int], dropout: float, rng: np.random.Generator
) -> DropoutFactors:
    """Return 0 for the hidden neurons that a step leaves out, and 1 / (share kept) for the others.

    >>> draw_dropout([2, 4, 1], 0.5, np.random.default_rng(0))[0]
    array([2., 0., 2., 0.])
    """
    factors = []
    for m in sizes[1:-1] if dropout else ():
        kept = rng.permutation(m)[: max(1, round((1 - dropout) * m))]
        factors.append(np.zeros(m))
        factors[-1][kept] = m / len(kept)
    return factors


def drop(arrays: LayerArrays, factors: DropoutFactors) -> list[Any]:
    """Return arrays by layer, the weights that leave each neuron times its factor."""
    layers: list[Any] = [None, *(dict(layer) for layer in by_layer(arrays)[1:])]
    for n, factor in enumerate(factors, 1):
        for name, layer in (("R", layers[n]), ("W", layers[n + 1])):
            if name in layer:
                layer[name] = layer[name] * factor.astype(layer[name].dtype)
    return layers


def with_dropout(params: Params, factors: DropoutFactors) -> Params:
    """Return the parameters of a step that leaves neurons out."""
    return Params(**by_name(drop(params, factors)), shape=params.shape)
