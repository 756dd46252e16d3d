"""Derived neurons go to other processes, and come back as they were."""

import copy
import pickle
import subprocess
import sys

import numpy as np

from stbp_edu import Gaussian, arrows, derive

MINE = derive(
    "f(o) = tau * exp(-o / tau)\na = rho * a + o\nu = f(o) * u + x\no = spike(u - 1 - beta * a)",
    surrogate=Gaussian(0.5), learn=["tau"], learn_each=["beta"], tau=0.5, rho=0.9, beta=0.2,
)  # fmt: skip
READ = """
import pickle, sys
sys.stdout.buffer.write(pickle.dumps(pickle.load(sys.stdin.buffer)))
"""


def gradients(mine):
    """The gradients of a small network."""
    net = arrows.network("2-3R-2", mine.neuron)
    rng = np.random.default_rng(0)
    params = arrows.draw_params(net, rng)
    trace = arrows.forward(net, params, rng.random((4, 2, 2)))
    return arrows.backward(net, params, trace, np.ones((2, 2)), "e-prop").gradients


def test_a_derived_neuron_is_the_same_after_another_process_had_it():
    """Where strings have other hashes."""
    sent = pickle.dumps(MINE)
    done = subprocess.run(
        [sys.executable, "-c", READ], input=sent, capture_output=True, check=True
    )
    want = gradients(MINE)
    for one in (pickle.loads(done.stdout), pickle.loads(sent), copy.deepcopy(MINE)):
        assert str(one) == str(MINE)
        assert one.formulas()[0] == MINE.formulas()[0]
        found = gradients(one)
        for p, q in zip(found[1:], want[1:], strict=True):
            for name in q:
                np.testing.assert_array_equal(p[name], q[name])
