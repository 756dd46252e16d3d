"""What the neuron lab shows: a neuron at every setting of its sliders, and every surrogate."""

from itertools import product
from typing import Any

import numpy as np

from stbp_edu.engine import forward
from stbp_edu.network import Params
from stbp_edu.neuron import HARD_GATES, LIF
from stbp_edu.surrogates import SURROGATES

TAUS = (0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
THRESHOLDS = (0.5, 0.75, 1.0, 1.25, 1.5)
CURRENTS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 1.2)
WIDTHS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
STEPS = 15
DIGITS = 4
Json = dict[str, Any]


def lab_data() -> Json:
    """Return potentials and spikes for every setting, and every curve.

    >>> data = lab_data()
    >>> list(data["curves"]) == list(SURROGATES), len(data["runs"])
    (True, 480)
    """
    v = np.linspace(-3, 3, 121)
    settings = product(range(len(HARD_GATES)), TAUS, THRESHOLDS, CURRENTS)
    curves = {
        name: [
            {"h": _rounded(c.derivative(v)), "H": _rounded(c.antiderivative(v))}
            for c in (surrogate(a) for a in WIDTHS)
        ]
        for name, surrogate in SURROGATES.items()
    }
    return {
        "gates": list(HARD_GATES),
        "taus": list(TAUS),
        "thresholds": list(THRESHOLDS),
        "currents": list(CURRENTS),
        "widths": list(WIDTHS),
        "steps": STEPS,
        "f": [[_rounded(LIF(t, gate=g).f(np.array([0.0, 1.0]))) for t in TAUS] for g in HARD_GATES],
        "runs": [_run(HARD_GATES[g], tau, v_th, current) for g, tau, v_th, current in settings],
        "v": _rounded(v),
        "curves": curves,
    }


def _run(gate: str, tau: float, v_th: float, current: float) -> Json:
    """Return one neuron under a constant input."""
    params = Params(W=[None, np.array([[current]])], b=[None, np.zeros(1)])
    trace = forward(np.ones((STEPS, 1, 1)), params, LIF(tau=tau, v_th=v_th, gate=gate))
    spikes = "".join(str(int(o)) for o in trace.O[1].ravel())
    return {"u": _rounded(trace.U[1].ravel()), "o": spikes}


def _rounded(values: Any) -> list[float]:
    """Return floats with a few digits, to keep the file small."""
    return [float(x) for x in np.round(values, DIGITS)]
