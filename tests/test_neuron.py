import math
from types import SimpleNamespace

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian
from stbp_edu.neuron import GATES
from stbp_edu.ode import euler_step, exact_step, slope


def test_ode_slope_is_zero_at_rest_and_points_to_the_input():
    assert slope(u=2.0, current=2.0, tau=3.0) == 0
    assert slope(u=0.0, current=6.0, tau=3.0) == 2


def test_ode_euler_step_is_first_order_and_ode_exact_composes():
    def error(steps):
        u = 1.0
        for _ in range(steps):
            u = euler_step(u, 0.3, 1.0 / steps, tau=0.7)
        return abs(u - exact_step(1.0, 0.3, 1.0, tau=0.7))

    assert error(200) / error(400) == pytest.approx(2, rel=0.02)
    half = exact_step(1.0, 0.3, 0.5, tau=0.7)
    assert exact_step(half, 0.3, 0.5, tau=0.7) == pytest.approx(exact_step(1.0, 0.3, 1.0, tau=0.7))


def test_gate_f_leaks_without_a_spike_and_resets_after_one():
    f = LIF(tau=0.1).f(np.array([0.0, 1.0]))
    assert f[0] == 0.1
    assert f[1] == pytest.approx(0.1 * math.exp(-10))


def test_gate_linear_leaks_without_a_spike_and_resets_to_zero():
    np.testing.assert_array_equal(LIF(tau=0.5, gate="linear").f(np.array([0.0, 1.0])), [0.5, 0])


@pytest.mark.parametrize("gate", GATES)
def test_gate_df_and_gate_linear_df_are_the_slopes_of_the_gates(gate):
    neuron, o, d = LIF(tau=0.4, gate=gate), np.linspace(0, 1, 11), 1e-6
    slopes = (neuron.f(o + d) - neuron.f(o - d)) / (2 * d)
    np.testing.assert_allclose(neuron.df(o), slopes, rtol=1e-8)


def test_spike_g_fires_at_the_threshold_itself():
    np.testing.assert_array_equal(LIF(v_th=1.5).g(np.array([1.499, 1.5, 1.501])), [0, 1, 1])


HALF = SimpleNamespace(derivative=np.exp)  # no antiderivative
NUMBERS = SimpleNamespace(derivative=1.0, antiderivative=2.0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"tau": 0.0}, ValueError, "tau must be > 0"),
        ({"tau": -1}, ValueError, "tau must be > 0"),
        ({"tau": "0.1"}, TypeError, "tau must be a real number"),
        ({"v_th": math.inf}, ValueError, "v_th must be finite"),
        ({"v_th": math.nan}, ValueError, "v_th must be finite"),
        ({"gate": "relu"}, ValueError, "gate must be one of 'exponential', 'linear', 'soft'"),
        ({"gate": 3}, ValueError, "gate must be one of"),
        ({"surrogate": "gaussian"}, TypeError, "surrogate must have the methods"),
        ({"surrogate": Gaussian}, TypeError, "surrogate must have the methods"),
        ({"surrogate": HALF}, TypeError, "surrogate must have the methods"),
        ({"surrogate": NUMBERS}, TypeError, "surrogate must have the methods"),
    ],
)
def test_a_bad_constant_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        LIF(**arguments)


@pytest.mark.parametrize("gate", GATES)
def test_what_a_spike_leaves_is_the_gate_of_a_spike_as_a_plain_number(gate):
    neuron = LIF(tau=0.4, gate=gate)
    assert type(neuron.reset) is float
    assert neuron.reset == pytest.approx(neuron.f(np.ones(1))[0], abs=1e-15)
