"""The program on one page computes what the course derives, and learns to read."""

import re
import subprocess
import sys

import pytest

import stbp
from stbp_edu import LIF, Gaussian, cases
from stbp_edu._support.equations import EQUATIONS
from tests.networks import assert_close, make_problem
from tools import ROOT

SOURCE = (ROOT / "stbp.py").read_text("utf-8")
NEURON = LIF(
    tau=stbp.Neuron.tau, v_th=stbp.Neuron.v_th, surrogate=Gaussian(stbp.Neuron.a)
)


@pytest.mark.parametrize("sizes", [(4, 3, 2), (3, 5, 4, 2)])
def test_its_passes_are_those_of_the_five_cases(sizes):
    problem = make_problem(len(sizes), sizes, T=5, S=6, neuron=NEURON)
    trace, W = problem.trace, problem.params.W
    assert all(O.any() for O in trace.O)
    U, O = stbp.forward(problem.spikes, W, problem.params.b, stbp.Neuron())
    dW, db = stbp.backward(U, O, problem.targets, W, stbp.Neuron())
    exact = cases.sweep(trace, *problem[1:]).gradients
    assert_close(U, trace.U, "U", 1e-13)
    assert_close(O, trace.O, "O", 0)
    assert_close(dW, exact.W, "dW", 1e-13)
    assert_close(db, exact.b, "db", 1e-13)


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
