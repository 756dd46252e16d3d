"""The constants of NIR's neurons in steps, read from a neuron by asking it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows import Neuron
from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.neuron import LIF

DT = 1e-4
"""The length of a step in seconds that snnTorch and SpikingJelly assume."""
EQUAL = 1e-12
"""The exponential gate leaves more than this of a potential."""
ALLOWED = (
    "train LIF(gate='linear') with tau <= 1, u = tau * u * (1 - o) + x; o = spike(u - v_th), the "
    "same with a synaptic current i = alpha * i + x before it, and both without a spike"
)


@dataclass(frozen=True)
class Discrete:
    """A layer of NIR's neurons in steps: i ← α i + x, u ← τ u (1 - o) + c i, o = spike(u - V_th).

    Attributes:
        tau: τ of each neuron; 1 is a neuron that does not leak.
        v_th: V_th of each neuron; None where they do not spike.
        alpha: α of each neuron; None where x enters the potential at once.
        gain: c of each neuron, and what x is multiplied by.
    """

    tau: Array
    v_th: Array | None
    alpha: Array | None
    gain: Array


def scaled(layer: Mapping[str, Array], factor: Array) -> dict[str, Array]:
    """Return weights and biases times a factor for each neuron, in the dtype of the weights."""
    of_row = factor[:, None]
    found = {"W": layer["W"] * of_row, "b": layer["b"] * factor}
    if "R" in layer:
        found["R"] = layer["R"] * of_row
    dtype = layer["W"].dtype
    return {name: array.astype(dtype) for name, array in found.items()}


def neuron_of_each(neuron: Any, layers: int) -> list[AnyNeuron]:
    """Return the neuron of each layer, from one, from two, or from one for each."""
    if not isinstance(neuron, list | tuple):
        return [neuron] * layers
    if len(neuron) == layers:
        return list(neuron)
    if len(neuron) == 2:
        return [neuron[0]] * (layers - 1) + [neuron[1]]
    raise ValueError(
        f"neuron must be one, a list of two, or one for each of {layers} layers, got "
        f"{len(neuron)}; the second of two is the last layer's"
    )


def check_exportable(neuron: AnyNeuron | Sequence[AnyNeuron]) -> None:
    """Raise ValueError if NIR has no such neuron: before training, not after."""
    given: Any = neuron if isinstance(neuron, list | tuple) else [neuron]
    one_neuron = {"b": np.zeros(1)}
    for own in given:
        discrete(own, one_neuron)


def discrete(neuron: AnyNeuron, layer: Mapping[str, Any]) -> Discrete:
    """Return the constants of a neuron whose lines are those of a node of NIR.

    They are read from single steps, and then a step from random states has to agree with them.

    Raises:
        ValueError: if it does something else.
    """
    table = as_neuron(neuron)
    u, o, i = _roles(table)
    driven = _step(table, layer, x=1.0)
    tau = _step(table, layer, **{u: 1.0})[u]
    v_th = alpha = None
    decays = (tau <= 1).all()
    if o:
        v_th = -_step(table, layer)[o]
    if i:
        alpha = _step(table, layer, **{i: 1.0})[i]
        decays &= (alpha < 1).all()
    found = Discrete(tau, v_th, alpha, gain=driven[u])
    known = len(table.order) <= 4 and decays and _predicts(found, table, layer, driven)
    if not known:
        shown = "; ".join(table.lines.text.splitlines())
        if isinstance(neuron, LIF):
            shown = repr(neuron)
        raise ValueError(f"neuron must be one that NIR has, got {shown}; {ALLOWED}")
    return found


def _roles(table: Neuron) -> tuple[str, str, str]:
    """Return the states that are potential, spike and current; "" for what there is not."""
    u, o = table.lines.potential, table.lines.spike or ""
    for state in table.order:
        if state not in (u, o, "x"):
            return u, o, state
    return u, o, ""


def _predicts(
    found: Discrete, table: Neuron, layer: Mapping[str, Any], driven: Mapping[str, Any]
) -> bool:
    """Return whether a step from random states, after a spike and after none, is as expected.

    ``driven`` are the states after a step from rest, with an input of 1.
    """
    u, o, i = _roles(table)
    rng = np.random.default_rng(0)
    for fired in (0.0, 1.0):
        potential, current, x = rng.normal(size=3)
        before = {u: potential, o: fired, i: current}
        got = _step(table, layer, x=x, **before)
        kept = 1 - fired if o else 1.0
        with np.errstate(all="ignore"):
            from_input = driven[u] * x
            if i:
                now = found.alpha * current + driven[i] * x
                from_input = driven[u] / driven[i] * now
            expected = found.tau * potential * kept + from_input
        if not np.allclose(got[u], expected, EQUAL, EQUAL):
            return False
        if o:
            over = expected - found.v_th
            if not np.allclose(got[o], over, EQUAL, EQUAL):
                return False
    return True


def _step(
    table: Neuron, layer: Mapping[str, Any], x: float = 0.0, **past: float
) -> dict[str, Array]:
    """Return the states of a layer after a step from others; of a spike, u - V_th."""
    ones = np.ones(len(layer["b"]))
    given = x * ones
    now: dict[str, Array] = {"x": given}
    before = {name: past.get(name, 0.0) * ones for name in table.order}
    for name in table.order:
        state = table.updated(name, now, before, given, layer)
        now[name] = state * ones
    return now
