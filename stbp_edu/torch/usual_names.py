"""The names that other frameworks give to the constants of a neuron.

They are taken where they mean the same here; others are translated in the error.
"""

import math
from collections.abc import Mapping
from typing import Any

from stbp_edu._support import checks
from stbp_edu.arrows.any_neuron import AnyNeuron
from stbp_edu.neuron import LIF

GATES = {"subtract": "soft", "zero": "linear"}
"""By ``reset_mechanism``, the gate of an ``LIF``."""
TAKEN = {
    "beta": "tau of the neuron here",
    "threshold": "v_th of the neuron here",
    "reset_mechanism": "gate of the neuron here, 'soft' for 'subtract' and 'linear' for 'zero'",
}
OTHERS = {
    "dt": "steps have no length here; pass beta = exp(-dt / tau_mem), or 1 - dt / tau_mem where "
    "the framework takes Euler's step",
    "tau": "of a time constant in steps, pass beta = 1 - 1/tau; where the input is divided by tau, "
    "too, divide the weights",
    "tau_mem": "pass beta = exp(-dt / tau_mem)",
    "tau_mem_inv": "pass beta = 1 - dt * tau_mem_inv",
    "v_th": "pass LIF(v_th=...)",
    "v_threshold": "pass threshold",
    "v_reset": "a reset leads to 0 here; shift the potentials",
    "spike_grad": "pass LIF(surrogate=SurrogateOf(spike_grad))",
    "surrogate_function": "pass LIF(surrogate=SurrogateOf(surrogate_function))",
    "surrogate": "pass LIF(surrogate=...)",
    "detach_reset": "pass rule='detached-reset'",
    "learn_beta": "pass derive('u = tau * u * (1 - o) + x; o = spike(u - v_th)', "
    "learn=['tau'], ...)",
    "learn_threshold": "pass derive(..., learn=['v_th'])",
    "init_hidden": "a layer keeps no state; carry it: layer(spikes, state)",
    "alpha": "pass derive('i = alpha * i + x; u = beta * u * (1 - o) + i; "
    "o = spike(u - v_th)', ...)",
    "step_mode": "a layer takes all steps at once, or carries its state: layer(spikes, state)",
}
"""What to pass in place of an argument."""


def neuron_of(neuron: AnyNeuron | None, named: Mapping[str, Any]) -> AnyNeuron:
    """Return the neuron, or the ``LIF`` that the names of other frameworks describe.

    Args:
        neuron: one of this package's, or None.
        named: ``beta``, the share of the potential that is kept per step; ``threshold``, 1 where
            left out; ``reset_mechanism``, ``"subtract"`` where left out, or ``"zero"``.

    Raises:
        TypeError: if both are given or neither, or a name means nothing here.
        ValueError: if a constant is not usable.

    >>> neuron_of(None, {"beta": 0.9, "reset_mechanism": "zero"})
    LIF(tau=0.9, v_th=1.0, surrogate=Gaussian(a=0.5), gate='linear')
    """
    for name, value in named.items():
        if name not in TAKEN:
            said = OTHERS.get(name, f"known are {', '.join(TAKEN)}")
            raise TypeError(f"{name}={value!r} is not an argument of a layer: {said}")
        if neuron is not None:
            raise TypeError(
                f"{name}={value!r} must be left out beside a neuron: {name} is {TAKEN[name]}"
            )
    if neuron is not None:
        return neuron
    if "beta" not in named:
        raise TypeError(
            "neuron must be given, or beta=, the share of the potential that is kept per step; "
            "pass for example LIF(tau=0.9)"
        )
    beta = checks.number("beta", named["beta"], positive=True)
    if beta > 1 and math.isfinite(beta):
        raise ValueError(
            f"beta must be <= 1, got {beta:g}; it is the share of the potential kept per step: for "
            f"a time constant of {beta:g} steps pass exp(-1/{beta:g}) = {math.exp(-1 / beta):.4g}"
        )
    reset = named.get("reset_mechanism", "subtract")
    if reset == "none":
        raise ValueError(
            "reset_mechanism 'none' is a neuron of lines here; pass derive('u = tau * u + x; "
            "o = spike(u - v_th)', tau=..., v_th=...)"
        )
    gate = GATES[checks.choice("reset_mechanism", reset, GATES)]
    return LIF(
        tau=beta,
        v_th=checks.number("threshold", named.get("threshold", 1.0)),
        gate=gate,
    )
