"""The program on one page computes what the course derives, and learns to read."""

import re
import subprocess
import sys

import numpy as np
import pytest

import stbp
import stbp_edu
from stbp_edu import LIF, Gaussian, Params, cases
from stbp_edu._support.equations import EQUATIONS
from tools import ROOT

SOURCE = (ROOT / "stbp.py").read_text("utf-8")
NEURON = LIF(
    tau=stbp.Neuron.tau, v_th=stbp.Neuron.v_th, surrogate=Gaussian(stbp.Neuron.a)
)


@pytest.mark.parametrize("sizes", [(4, 3, 2), (3, 5, 4, 2)])
def test_its_passes_are_those_of_the_five_cases(sizes):
    rng = np.random.default_rng(len(sizes))
    params = stbp_edu.init_params(list(sizes), rng, scale=2.0)
    spikes = (rng.random((5, 6, sizes[0])) < 0.5) * 1.0
    Y = np.eye(2)[rng.integers(0, 2, 6)]
    W, b = list(params.W), list(params.b)
    U, O = stbp.forward(spikes, W, b, stbp.Neuron())
    trace = stbp_edu.forward(spikes, Params(W, b), NEURON)
    dW, db = stbp.backward(U, O, Y, W, stbp.Neuron())
    exact = cases.sweep(trace, Y, params, NEURON).gradients
    for n in range(1, len(sizes)):
        assert trace.O[n].any()
        np.testing.assert_array_equal(O[n], trace.O[n])
        np.testing.assert_allclose(U[n], trace.U[n], rtol=1e-13, atol=1e-15)
        scale = np.abs(exact.W[n]).max()
        np.testing.assert_allclose(dW[n], exact.W[n], rtol=0, atol=1e-13 * scale)
        np.testing.assert_allclose(db[n], exact.b[n], rtol=0, atol=1e-13 * scale)


def test_it_fits_on_a_page_and_names_the_equations_of_all_cases():
    assert len(SOURCE.splitlines()) <= 100
    named = {id_ for id_ in EQUATIONS if re.search(rf"# .*\b{id_}(?![\w-])", SOURCE)}
    derived = {
        id_
        for id_ in EQUATIONS
        if re.match("c[1-5]-", id_) and not id_.endswith("-classic")
    }
    assert derived <= named


@pytest.mark.slow
def test_it_learns_to_read_the_digits():
    command = [sys.executable, str(ROOT / "stbp.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    last = done.stdout.splitlines()[-1]
    assert float(re.search(r"([\d.]+)%", last)[1]) >= 95
