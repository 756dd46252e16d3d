"""The explorers' values are the package's."""

import numpy as np
import pytest

import stbp_edu
from stbp_edu.explorers import data
from stbp_edu.explorers.network_explorers import paths_data, sweep_data
from stbp_edu.explorers.pencil_network import pencil, smooth


@pytest.mark.parametrize("example", [pencil(), smooth()], ids=["pencil", "smooth"])
@pytest.mark.parametrize("rule", ["exact", "classic"])
def test_the_terms_of_the_sweep_add_up_to_the_package_values(example, rule):
    shown, sweep = sweep_data(example)["rules"][rule], example.sweep(rule)
    assert len(shown) == 6
    for cell in shown:
        for x in cell["neurons"]:
            at = (cell["t"] - 1, 0, x["i"] - 1)
            for name, exact in (("delta", sweep.delta), ("epsilon", sweep.epsilon)):
                total = sum(
                    np.prod([v for _, v in term["factors"]]) for term in x[name]
                )
                assert np.isclose(total, exact[cell["n"]][at], rtol=1e-12, atol=1e-15)
                assert x[f"{name}Value"] == exact[cell["n"]][at]


def test_the_paths_add_up_to_the_sweep_under_each_rule():
    example = smooth()
    starts = paths_data(example)["starts"]
    for name, rule, off in (
        ("exact", "exact", set()),
        ("classic", "classic", set()),
        ("detached-reset", "exact", {"reset"}),
        ("spatial-only", "exact", {"reset", "carry"}),
    ):
        sweep = example.sweep(name)
        for id_, start in starts.items():
            kind, n, t, i = id_.split("-")
            of = sweep.delta if kind == "o" else sweep.epsilon
            total = sum(
                path["value"]
                for path in start["paths"]
                if rule not in path["droppedBy"] and not off & {*path["kinds"]}
            )
            assert np.isclose(total, of[int(n)][int(t) - 1, 0, int(i) - 1], rtol=1e-12)


def test_the_lab_shows_the_package_neuron_and_curves():
    shown, axes = data("lab"), ("gates", "taus", "thresholds", "currents")
    at = (1, 5, 0, 7)
    gate, tau, v_th, current = (
        shown[axis][k] for axis, k in zip(axes, at, strict=True)
    )
    neuron = stbp_edu.LIF(tau=tau, v_th=v_th, gate=gate)
    silent = stbp_edu.Params([None, np.zeros((1, 1))], [None, np.array([current])])
    trace = stbp_edu.forward(np.zeros((shown["steps"], 1, 1)), silent, neuron)
    sizes = [len(shown[axis]) for axis in axes]
    run = shown["runs"][np.ravel_multi_index(at, sizes)]
    np.testing.assert_allclose(run["u"], trace.U[1].ravel(), atol=1e-4)
    assert [float(o) for o in run["o"]] == trace.O[1].ravel().tolist()
    curves = zip(shown["widths"], shown["curves"]["gaussian"], strict=True)
    v = np.array(shown["v"])
    for a, curve in curves:
        exact = stbp_edu.Gaussian(a)
        np.testing.assert_allclose(curve["h"], exact.derivative(v), atol=1e-4)
        np.testing.assert_allclose(curve["H"], exact.antiderivative(v), atol=1e-4)
