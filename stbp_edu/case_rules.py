"""The two rules, and the ablations of the literature: what each lets flow backward through time.

``exact`` and ``classic`` differ in one expression, the incoming signal err (see
:func:`stbp_edu.cases.sweep`). An ablation is the exact rule with the gate's f or f' changed
in the backward pass only.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.neuron import LIF

CASE_RULES = ("exact", "classic")
"""The two rules."""

CARRIED: dict[str, Callable[[Any, float], Any]] = {
    "detached-reset": lambda f, tau: f,
    "leak-only": lambda f, tau: tau,
    "spatial-only": lambda f, tau: 0.0,
}
"""What each ablation takes for f, which carries ε to the step before; for f' all take 0."""

ABLATIONS = tuple(CARRIED)
"""The ablations; see :func:`backward_gate`."""

Gate = Callable[[Array], Array]
"""f or f': spikes to factors, elementwise."""


def check_gain_limit(gain_limit: object) -> float | None:
    """Return ``gain_limit`` if it is None, for no limit, or a positive number.

    From step t + 1 to step t a neuron's own error is multiplied by its gain: f + u f' h under the
    exact rule, and under the classic one u f' h for err and f for what joins it in ε. With a limit
    each gain is held between -limit and limit, whatever it would be, and every path is kept.
    """
    return (
        None
        if gain_limit is None
        else checks.number("gain_limit", gain_limit, positive=True)
    )


def backward_gate(neuron: LIF, rule: str) -> tuple[Gate, Gate]:
    """Return f and f' as the backward pass of this rule sees them.

    ``exact`` and ``classic``: the neuron's own. ``detached-reset``: f' := 0, as where a framework
    detaches the reset; the page on resets lists which do so by default. ``leak-only``: f := τ
    too, as if no spike had reset. ``spatial-only``: nothing flows from step to step.

    >>> f, df = backward_gate(LIF(tau=0.5), "leak-only")
    >>> f(np.array([0.0, 1.0])), df(np.array([0.0, 1.0]))
    (array([0.5, 0.5]), array([0., 0.]))
    """
    checks.instance("neuron", neuron, LIF)
    if checks.choice("rule", rule, CASE_RULES + ABLATIONS) in CASE_RULES:
        return neuron.f, neuron.df

    def carried(o: Array) -> Array:
        """Return the factor used for f(o)."""
        return np.full_like(o, CARRIED[rule](neuron.f(o), neuron.tau))

    return carried, np.zeros_like
