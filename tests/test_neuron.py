import math
from types import SimpleNamespace

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian
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
