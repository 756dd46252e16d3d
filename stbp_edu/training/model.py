"""The network that a run trains, and the input that it gets."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support.checks import Array
from stbp_edu._support.links import hidden_layer, widths
from stbp_edu.networks import Model, network
from stbp_edu.networks.arguments import for_layers
from stbp_edu.parameters import Params, sizes_of
from stbp_edu.training.encoders import encode, inputs
from stbp_edu.training.settings import Settings

MUCH = 100_000_000
"""Products of weights and spikes in a step from which it pays to compile."""


def network_of(settings: Settings, sizes: str) -> Model:
    """Return the network of these settings, with the loss that they name.

    Loops are compiled where that is asked for, or where a step is so much work that it pays.
    """
    counts = widths(sizes)
    backend = settings.backend
    if backend == "auto":
        products = sum(a * b for a, b in pairwise(counts))
        much = settings.batch * settings.T * products >= MUCH
        backend = "auto" if much else "numpy"
    neurons = for_layers(settings.make_neurons(), len(counts) - 1)
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
