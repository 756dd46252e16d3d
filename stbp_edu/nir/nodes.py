"""NIR's neurons in steps: the lines that they follow, and the constants of these lines, both ways.

A step of any of them is ``i ← α i + x, u ← τ u (1 - o) + c i, o = spike(u - V_th)``, without the
first line where there is no synaptic current (then c x enters u), and without a spike in read-outs.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import nir
import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.networks.arguments import AnyNeuron, as_neuron
from stbp_edu.neuron import LIF

DT = 1e-4
"""The length of a step in seconds that snnTorch and SpikingJelly assume."""
KINDS: dict[tuple[bool, bool, bool], type[Any]] = {
    (False, True, True): nir.LIF,
    (False, False, True): nir.IF,
    (True, True, True): nir.CubaLIF,
    (False, True, False): nir.LI,
    (False, False, False): nir.I,
    (True, True, False): nir.CubaLI,
}
"""By whether they have a synaptic current, leak, and spike."""
NEURONS = tuple(KINDS.values())
ALLOWED = (
    "train LIF(gate='linear') with tau <= 1, u = tau * u * (1 - o) + x; o = spike(u - v_th), the "
    "same with a synaptic current i = alpha * i + x before it, and both without a spike"
)
ByNeuron = dict[str, Array]
"""One value for each neuron of a layer: tau, the gain c of the input; v_th, alpha if any."""


def lines_of(constants: ByNeuron) -> str:
    """Return the forward lines with these constants, as text.

    >>> lines_of({"tau": np.ones(1), "v_th": np.ones(1)})
    'u = tau * u * (1 - o) + x; o = spike(u - v_th)'
    """
    spikes = "v_th" in constants
    kept = "tau * u * (1 - o)" if spikes else "tau * u"
    lines = [f"u = {kept} + x"]
    if "alpha" in constants:
        lines = ["i = alpha * i + x", f"u = {kept} + i"]
    if spikes:
        lines.append("o = spike(u - v_th)")
    return "; ".join(lines)


def constants_of_node(name: str, node: Any, dt: float) -> ByNeuron:
    """Return the constants of a node's steps of length dt.

    Raises:
        ValueError: if its neurons are not at rest at 0, or dt is too long for them.
    """
    for what in ("v_leak", "v_reset"):
        values = np.asarray(getattr(node, what, 0.0))
        if values.any():
            raise ValueError(
                f"graph node {name!r} must leak and be reset to 0, got {what} {values.max():g}; "
                "shift its potentials"
            )
    r = np.asarray(node.r, float)
    found: ByNeuron = {"tau": np.ones(len(r)), "gain": dt * r}
    for tau_m in ("tau", "tau_mem"):  # as LIF and CubaLIF call it
        if hasattr(node, tau_m):
            share = share_lost(name, getattr(node, tau_m), dt)
            found = {"tau": 1 - share, "gain": share * r}
    if hasattr(node, "tau_syn"):
        slow = share_lost(name, node.tau_syn, dt)
        found["alpha"] = 1 - slow
        found["gain"] = found["gain"] * slow * np.asarray(node.w_in)
    if hasattr(node, "v_threshold"):
        found["v_th"] = np.asarray(node.v_threshold, float)
    return found


def share_lost(name: str, tau: Any, dt: float) -> Array:
    """Return dt/τ, without what the division that made τ of it has added.

    So a neuron keeps 1 - dt/τ = 0.8, and not 0.8000000000000002.
    """
    tau = np.asarray(tau, float)
    share = dt / tau
    leaks = (share > 0) & (share < 1)
    if not leaks.all():
        raise ValueError(
            f"graph node {name!r} must have tau > dt = {dt:g} s, got {tau[~leaks].flat[0]:g}; "
            "pass the dt that it was made for"
        )
    near = 1 - np.round(1 - share, 12)
    return np.where(np.abs(near - share) <= 1e-9 * share, near, share)


def node_of(
    constants: ByNeuron, dt: float, *, recurrent: bool
) -> tuple[nir.NIRNode, Array]:
    """Return the node of a layer's neurons, and the factor that it puts on its input.

    That is 1, except where readers expect a resistance of 1: in LI and in LIF. (Of a recurrent LIF
    snnTorch reads no other factor than 1.)

    Raises:
        ValueError: if only some neurons leak, or none does and they have a synaptic current.
    """
    tau = constants["tau"]
    ones = np.ones(len(tau))
    leaks = bool((tau < 1).all())
    kind = KINDS.get(("alpha" in constants, leaks, "v_th" in constants))
    if kind is None or (not leaks and (tau < 1).any()):
        raise ValueError(
            "neuron must have tau < 1 for NIR where it has a synaptic current, and otherwise in "
            f"all neurons of a layer or in none, got tau from {tau.min():g} to {tau.max():g}; give "
            "all of them a leak"
        )
    share = 1 - tau if leaks else dt * ones
    slow = 1 - constants.get("alpha", 0 * ones)
    at_1 = kind is nir.LI or (kind is nir.LIF and not recurrent)
    factor: Array = share if at_1 else ones
    values = {
        "tau": dt / share,
        "tau_mem": dt / share,
        "tau_syn": dt / slow,
        "w_in": 1 / slow,
        "r": factor / share,
        "v_leak": 0 * ones,
        "v_reset": 0 * ones,
        "v_threshold": constants.get("v_th"),
    }
    read = {field.name for field in fields(kind)} & values.keys()
    return kind(**{name: values[name] for name in read}), factor


def constants_of(neuron: AnyNeuron, layer: Mapping[str, Any]) -> ByNeuron:
    """Return the constants of a neuron whose lines are those of a node of NIR.

    They are read from single steps. Then other steps, from random states, have to agree with them.

    Args:
        neuron: any neuron.
        layer: the parameters of its layer; those that are constants replace the neuron's.

    Raises:
        ValueError: if it does something else.
    """
    table = as_neuron(neuron)
    u, o = table.lines.potential, table.lines.spike or ""
    currents = [state for state in table.order if state not in (u, o, "x")]
    i = currents[0] if currents else ""
    nothing = np.zeros(len(layer["b"]))

    def step(past: Mapping[str, Any], x: float = 0.0) -> dict[str, Any]:
        """Return the states after a step; of a spike, u - V_th."""
        now: dict[str, Any] = {"x": nothing + x}
        now |= {f"{name}_last": nothing + past.get(name, 0.0) for name in table.order}
        for name in table.order:
            now[name] = table.updated(name, now, layer)
        return now

    found = {"tau": step({u: 1.0})[u], "gain": step({}, 1.0)[u]}
    if o:
        found["v_th"] = -step({})[o]
    taken = nothing + 1
    if i:
        found["alpha"] = step({i: 1.0})[i]
        taken = step({}, 1.0)[i]
    alpha = found.get("alpha", nothing)
    fits = len(currents) <= 1 and (found["tau"] <= 1).all() and (alpha < 1).all()
    rng = np.random.default_rng(0)
    for spike in (0, 1, 0, 1) if o else (0, 0):
        last, potential, x = rng.normal(size=3)
        now = step({i: last, u: potential, o: spike}, x)
        want = {i: alpha * last + taken * x}
        brought = found["gain"] * want[i] / np.where(taken, taken, 1)
        want[u] = found["tau"] * potential * (1 - spike) + brought
        if o:
            want[o] = want[u] - found["v_th"]
        for name in {i, u, o} & now.keys():
            fits = fits and np.allclose(now[name], want[name], 1e-12, 1e-12)
    if not fits:
        shown = "; ".join(table.lines.text.splitlines())
        if isinstance(neuron, LIF):
            shown = repr(neuron)
        raise ValueError(f"neuron must be one that NIR has, got {shown}; {ALLOWED}")
    return found


def scaled(layer: Mapping[str, Any], factor: Array) -> dict[str, Array]:
    """Return weights and biases times a factor for each neuron, in the dtype of the weights."""
    found = {"b": layer["b"] * factor}
    for name in ("W", "R"):
        if name in layer:
            found[name] = layer[name] * factor[:, None]
    return {name: array.astype(layer["W"].dtype) for name, array in found.items()}
