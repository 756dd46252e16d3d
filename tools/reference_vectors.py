"""Write reference vectors: a small run of spiking networks, with its gradient under many rules.

``python -m tools.reference_vectors`` writes ``docs/results/reference-vectors.npz``, which
:func:`stbp_edu.testing.load_vectors` reads. All is in double precision: for each gate, rule and
surrogate the spikes of two layers, and the gradients of Σ errors · spikes2. The last surrogate is
that of Norse's own neurons, the Gaussian of variance 1/8.
"""

from itertools import product
from typing import Any

import numpy as np

from stbp_edu import LIF, arrows
from stbp_edu.arrows.adjoints import derivatives_on, gradients, lambdas
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.cases import ABLATIONS, CASE_RULES
from stbp_edu.neuron import GATES
from stbp_edu.surrogates import SURROGATES
from stbp_edu.testing import SCHEMA
from tools import ROOT

PATH = ROOT / "docs" / "results" / "reference-vectors.npz"
T, S, SIZES = 8, 2, "3-4-2"
TAU, V_TH = 0.7, 0.6
CURVES = [*((name, 0.4) for name in SURROGATES), ("gaussian", 1 / 8)]
"""The surrogates, each with its width a."""
TEXT = """

Each array has an entry for each case along its first axis, as gate[k] and grad_W1[k].

Forward, for steps t from 0 and layers n = 1, 2, with u = o = 0 before the first step; o[0] is
inputs, and o[n] is spikes_n:
  u[n][t] = kept(u[n][t-1], o[n][t-1]) + W_n o[n-1][t] + b_n
  o[n][t] = 1 where v >= 0, else 0, with v = u[n][t] - v_th

Backward, of sum(errors * spikes2), with h(v) for the derivative of o by v; kept_u and kept_o are
the derivatives of kept at step t, and above the last layer and after the last step all is 0:
  d[n][t] = above + err[n][t+1] * kept_o, above = errors[t] for n = 2, W_2^T err[2][t] for n = 1
  e[n][t] = d[n][t] * h(v) + e[n][t+1] * kept_u
  grad_W_n = sum over t and samples of e[n][t] o[n-1][t]^T, grad_b_n = that of e[n][t]

kept(u, o), by gate
  exponential: tau * exp(-o / tau) * u
  linear: tau * (1 - o) * u
  soft: tau * u - v_th * o

h(v), by surrogate
  rectangle: (abs(v) < a / 2) / a
  triangle: max(sqrt(a) / 2 - a / 4 * abs(v), 0)
  sigmoid: exp(-v / a) / (a * (1 + exp(-v / a)) ** 2)
  gaussian: exp(-v ** 2 / (2 * a)) / sqrt(2 * pi * a)
  atan: 1 / (pi * a * (1 + (v / a) ** 2))
  fast-sigmoid: 1 / (2 * a * (1 + abs(v) / a) ** 2)

err, by rule
  exact: e
  classic: d * h(v)
  detached-reset: e, with kept_o = 0
  leak-only: e, with kept_o = 0 and kept_u = tau
  spatial-only: e, with kept_o = kept_u = 0
"""
RULES = (*CASE_RULES, *ABLATIONS)


def vectors() -> dict[str, Any]:
    """Return the arrays of the file by name; all but the schema have an entry for each case."""
    rng = np.random.default_rng(10)
    inputs = (rng.random((T, S, 3)) < 0.6).astype(float)
    errors = rng.normal(size=(T, S, 2))
    params: list[Any] = [None]
    for m, n in ((4, 3), (2, 4)):
        params.append({"W": rng.normal(0.3, 0.7, (m, n)), "b": rng.normal(0.1, 0.1, m)})
    cases = []
    for gate, rule, (surrogate, a) in product(GATES, RULES, CURVES):
        neuron = LIF(tau=TAU, v_th=V_TH, surrogate=SURROGATES[surrogate](a), gate=gate)
        net = arrows.network(SIZES, from_lif(neuron))
        trace = arrows.forward(net, params, inputs)
        local = derivatives_on(net, params, trace, errors)
        layers = gradients(local, lambdas(local, rule), arrows.RULES[rule].start)
        case = {
            "gate": gate, "rule": rule, "surrogate": surrogate, "a": a,
            "tau": TAU, "v_th": V_TH, "inputs": inputs, "errors": errors,
        }  # fmt: skip
        for n in (1, 2):
            case[f"spikes{n}"] = trace["o"][n]
            for name in ("W", "b"):
                case[f"{name}{n}"] = params[n][name]
                case[f"grad_{name}{n}"] = layers[n][name]
        cases.append(case)
    arrays = {name: np.array([case[name] for case in cases]) for name in cases[0]}
    return {"schema": SCHEMA + TEXT, **arrays}


if __name__ == "__main__":
    np.savez_compressed(PATH, **vectors())
