"""The neuron: its differential equation and two steps of it, its curves."""

from itertools import pairwise

import numpy as np
import pytest

from stbp_edu.neuron import euler_step, exact_step, slope
from stbp_edu.surrogates import SURROGATES

ALL = pytest.mark.parametrize("make", SURROGATES.values(), ids=SURROGATES)
WIDTHS = pytest.mark.parametrize("a", [0.25, 1.0, 3.0])


@ALL
@WIDTHS
def test_the_pieces_of_a_curve_meet_where_it_says(make, a):
    """Between two joints H has a slope everywhere, and h none that jumps."""
    joints = np.array(make(a).joints)
    assert (np.diff(joints) > 0).all()
    for start, end in pairwise([-9, *joints, 9]):
        inside = np.linspace(start, end, 4001)[1:-1]
        jumps = np.abs(np.diff(make(a).derivative(inside), 2))
        assert jumps.max() < 1e-3 * max(1, make(a).derivative(np.zeros(1))[0])


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
    assert exact_step(half, 0.3, 0.5, tau=0.7) == pytest.approx(
        exact_step(1.0, 0.3, 1.0, tau=0.7)
    )
