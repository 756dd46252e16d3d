"""What δ and ε are, by their definitions, on one neuron over two steps that fits on paper."""

import math

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, Params
from stbp_edu.verify import finite_difference

NEURON = LIF(tau=0.5, v_th=1.0, surrogate=Gaussian(a=0.5))
NETWORK = Params(W=[None, np.array([[0.8]])], b=[None, np.array([0.1])])
PULSES, TARGET = np.ones((2, 1, 1)), np.ones((1, 1))


def twin(v):
    return 0.5 * (1 + math.erf(v))  # the Gaussian with a = 1/2


def h(v):
    return math.exp(-v * v) / math.sqrt(math.pi)


u1 = 0.9
o1 = twin(u1 - 1)
u2 = u1 * 0.5 * math.exp(-2 * o1) + 0.9
o2 = twin(u2 - 1)
d2 = -(1 - (o1 + o2) / 2) / 2  # the loss is (1 - rate)² / 2, and the rate (o1 + o2) / 2
e2 = d2 * h(u2 - 1)


def measured(kind, t):
    return finite_difference.partial((kind, 1, (t, 0, 0)), PULSES, TARGET, NETWORK, NEURON)


def test_def_delta_counts_the_direct_path_and_the_one_through_the_reset():
    d1 = d2 + e2 * u1 * -math.exp(-2 * o1)
    assert measured("o", 1) == pytest.approx(d2, rel=1e-8)
    assert measured("o", 0) == pytest.approx(d1, rel=1e-8)


def test_def_epsilon_counts_the_path_through_the_spike_and_the_one_that_carries_on():
    d1 = d2 + e2 * u1 * -math.exp(-2 * o1)
    e1 = d1 * h(u1 - 1) + e2 * 0.5 * math.exp(-2 * o1)
    assert measured("u", 1) == pytest.approx(e2, rel=1e-8)
    assert measured("u", 0) == pytest.approx(e1, rel=1e-8)
