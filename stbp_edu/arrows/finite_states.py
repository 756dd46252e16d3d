"""The check of a forward pass: every state is finite, or the error says where it first is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stbp_edu.arrows.forward_run import driven
from stbp_edu.arrows.models import LayerParams, Network
from stbp_edu.arrows.not_finite import first_not_finite
from stbp_edu.arrows.table import Neuron, StateArrays
from stbp_edu.checks import Array, NotFiniteError, check_finite


def check_states(
    net: Network, params: LayerParams, states: Sequence[StateArrays]
) -> None:
    """Raise NotFiniteError if a state of a forward pass is not finite, and say where it arose.

    Args:
        net: the network.
        params: its parameters, by layer.
        states: by layer, the states of all steps; of layer 0 the input, ``"o"``.
    """
    for n in range(1, net.N + 1):
        if all_finite(net.layers[n].neuron, states[n]):
            continue
        check_finite("spikes", states[0]["o"])
        for name, array in params[n].items():
            check_finite(f"params: {name} of layer {n}", array)
        raise NotFiniteError(
            f"{_place(net, n, params[n], states)}; keep the line in range, as with max(u, 0.001), "
            "or change a constant"
        )


def all_finite(neuron: Neuron, series: StateArrays) -> bool:
    """Return whether every state of a layer is finite; a spike, 0 or 1, is not looked at."""
    for name in neuron.order:
        if name == neuron.lines.spike:
            continue
        flat = series[name].ravel()
        with np.errstate(over="ignore", invalid="ignore"):
            # One pass: a NaN or an infinity makes the sum of squares not finite.
            fine = np.isfinite(np.dot(flat, flat))
        if not fine and not np.isfinite(flat).all():
            return False
    return True


def _place(
    net: Network, n: int, p: Mapping[str, Any], states: Sequence[StateArrays]
) -> str:
    """Return where the states of layer n are first not finite."""
    layer = net.layers[n]
    own = {name: _shaped(series, net.shape_of(n)) for name, series in states[n].items()}
    below = _shaped(states[n - 1][net.output_of(n - 1)], net.shape_of(n - 1))
    past = {name: np.zeros_like(series[0]) for name, series in own.items()}
    x = np.empty_like(own[layer.neuron.order[0]])
    with np.errstate(all="ignore"):
        for t in range(len(x)):
            x[t] = driven(layer, dict(p), below[t], past)
            past = {name: series[t] for name, series in own.items()}
    return first_not_finite(layer.neuron, {**own, "x": x}, p, n)


def _shaped(series: Array, shape: tuple[int, ...]) -> Array:
    """Return (T, S, m) as (T, S, *shape)."""
    return series.reshape(*series.shape[:2], *shape)
