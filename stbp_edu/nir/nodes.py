"""NIR's neurons in steps: the lines that they follow, and the constants of these lines, both ways.

A step of any of them is ``i ← α i + x, u ← τ u (1 - o) + c i, o = spike(u - V_th)``, without the
first line where there is no synaptic current (then c x enters u), and without a spike in read-outs.
"""

from typing import Any

import nir
import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.neuron import LIF

DT = 1e-4
"""The length of a step in seconds that snnTorch and SpikingJelly assume."""
NEURONS = (nir.LIF, nir.IF, nir.CubaLIF, nir.LI, nir.I, nir.CubaLI)
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
    tau = getattr(node, "tau_mem", getattr(node, "tau", None))
    if tau is not None:
        share = share_lost(name, tau, dt)
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

    So a neuron gets τ = 0.8, and not 0.8000000000000002.
    """
    share = dt / np.asarray(tau, float)
    leaks = (share > 0) & (share < 1)
    if not leaks.all():
        raise ValueError(
            f"graph node {name!r} must have tau > dt = {dt:g} s, got {np.min(tau):g}; pass the dt "
            "that it was made for"
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
    spikes = "v_th" in constants
    given: dict[str, Any] = {}
    if spikes:
        given = {"v_threshold": constants["v_th"], "v_reset": 0 * ones}
    leaks = (tau < 1).all()
    if not leaks and ((tau < 1).any() or "alpha" in constants):
        raise ValueError(
            "neuron must have tau < 1 for NIR where it has a synaptic current, and otherwise in "
            f"all neurons of a layer or in none, got tau from {tau.min():g} to {tau.max():g}; give "
            "all of them a leak"
        )
    if not leaks:
        kind = nir.IF if spikes else nir.I
        return kind(r=ones / dt, **given), ones
    share = 1 - tau
    given["v_leak"] = 0 * ones
    if "alpha" in constants:
        slow = 1 - constants["alpha"]
        given |= {"tau_mem": dt / share, "tau_syn": dt / slow}
        kind = nir.CubaLIF if spikes else nir.CubaLI
        return kind(r=1 / share, w_in=1 / slow, **given), ones
    given["tau"] = dt / share
    if spikes and recurrent:
        return nir.LIF(r=1 / share, **given), ones
    kind = nir.LIF if spikes else nir.LI
    return kind(r=ones, **given), share


def constants_of(neuron: AnyNeuron, layer: dict[str, Any]) -> ByNeuron:
    """Return the constants of a neuron whose lines are those of a node of NIR.

    They are read from single steps. Then a run has to agree with them, in which the neuron gets
    random inputs, and spikes come back to it at random.

    Args:
        neuron: any neuron.
        layer: the parameters of its layer; those that are constants replace the neuron's.

    Raises:
        ValueError: if it does something else.
    """
    table = as_neuron(neuron)
    u, o = table.lines.potential, table.lines.spike
    currents = [state for state in table.order if state not in (u, o, "x")]
    size = len(layer["b"])

    def step(past: dict[str, Any], x: float = 0.0) -> dict[str, Any]:
        """Return the states after a step; of a spike, u - V_th."""
        given = np.full(size, x)
        before = {name: np.zeros(size) + past.get(name, 0.0) for name in table.order}
        now: dict[str, Any] = {"x": given}
        for name in table.order:
            now[name] = table.updated(name, now, before, given, layer)
        return now

    found = {"tau": step({u: 1.0})[u], "gain": step({}, 1.0)[u]}
    if o:
        found["v_th"] = -step({})[o]
    for name in currents:
        found["alpha"] = step({name: 1.0})[name]
    alpha = found.get("alpha", np.zeros(size))
    rng = np.random.default_rng(0)
    i, potential = 0.0, 1.0
    states = {u: potential}
    seen, expected = [], []
    for fired in (0, 0, 1, 0, 1, 1, 0):
        x = rng.normal()
        if o:
            states[o] = fired
            potential = potential * (1 - fired)
        states = step(states, x)
        i = alpha * i + x
        potential = found["tau"] * potential + found["gain"] * i
        seen.append(states[u])
        expected.append(potential)
        if o:
            seen.append(states[o])
            expected.append(potential - found["v_th"])
    decays = (found["tau"] <= 1).all() and (alpha < 1).all()
    alike = np.allclose(seen, expected, 1e-12, 1e-12)
    fits = len(currents) <= 1 and decays and alike
    if not fits:
        shown = "; ".join(table.lines.text.splitlines())
        if isinstance(neuron, LIF):
            shown = repr(neuron)
        raise ValueError(f"neuron must be one that NIR has, got {shown}; {ALLOWED}")
    return found


def scaled(layer: dict[str, Any], factor: Array) -> dict[str, Array]:
    """Return weights and biases times a factor for each neuron, in the dtype of the weights."""
    found = {"b": layer["b"] * factor}
    for name in ("W", "R"):
        if name in layer:
            found[name] = layer[name] * factor[:, None]
    return {name: array.astype(layer["W"].dtype) for name, array in found.items()}
