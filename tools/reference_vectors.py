"""Write reference vectors: a small run of spiking networks, with its gradient under many rules.

``python -m tools.reference_vectors`` writes ``docs/results/reference-vectors.npz``, which
:func:`stbp_edu.testing.load_vectors` reads. All is in double precision: for each gate the spikes of
two layers, and for each gate, rule and surrogate the gradients of Σ errors · spikes2.
"""

from itertools import product
from typing import Any

import numpy as np

from stbp_edu import LIF, arrows
from stbp_edu.arrows.adjoints import derivatives_on, gradients, lambdas
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.case_rules import ABLATIONS, CASE_RULES
from stbp_edu.neuron import GATES
from stbp_edu.surrogates import SURROGATES
from stbp_edu.testing import SCHEMA
from tools import ROOT

PATH = ROOT / "docs" / "results" / "reference-vectors.npz"
T, S, SIZES = 8, 2, "3-4-2"
TAU, V_TH, A = 0.7, 0.6, 0.4
RULES = (*CASE_RULES, *ABLATIONS)


def vectors() -> dict[str, Any]:
    """Return the arrays of the file by name."""
    rng = np.random.default_rng(0)
    inputs = (rng.random((T, S, 3)) < 0.6).astype(float)
    errors = rng.normal(size=(T, S, 2))
    params: list[Any] = [None]
    for m, n in ((4, 3), (2, 4)):
        params.append({"W": rng.normal(0.3, 0.7, (m, n)), "b": rng.normal(0.1, 0.1, m)})
    found: dict[str, list[Any]] = {}
    for gate, rule, surrogate in product(GATES, RULES, SURROGATES):
        neuron = LIF(tau=TAU, v_th=V_TH, surrogate=SURROGATES[surrogate](A), gate=gate)
        net = arrows.network(SIZES, from_lif(neuron), arrows.Loss("given", "o"))
        trace = arrows.forward(net, params, inputs)
        local = derivatives_on(net, params, trace, errors)
        layers = gradients(local, lambdas(local, rule), arrows.RULES[rule].start)
        for n in (1, 2):
            found.setdefault(f"spikes{n}", []).append(trace["o"][n])
            for name in ("W", "b"):
                found.setdefault(f"grad_{name}{n}", []).append(layers[n][name])
    axes = len(GATES), len(RULES), len(SURROGATES)
    shaped = {}
    for name, every in found.items():
        stacked = np.reshape(every, (*axes, *every[0].shape))
        shaped[name] = stacked[:, 0, 0] if name.startswith("spikes") else stacked
    given = {f"{name}{n}": params[n][name] for n in (1, 2) for name in ("W", "b")}
    names = {"gates": GATES, "rules": RULES, "surrogates": [*SURROGATES]}
    constants = {"tau": TAU, "v_th": V_TH, "a": A}
    one: dict[str, Any] = {"schema": SCHEMA, "inputs": inputs, "errors": errors}
    return {**one, **names, **constants, **given, **shaped}


if __name__ == "__main__":
    np.savez_compressed(PATH, **vectors())
