import pytest

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
