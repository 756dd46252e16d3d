from itertools import pairwise

import numpy as np
import pytest

import stbp_edu
from stbp_edu.surrogates import SURROGATES, Gaussian, Rectangle, Sigmoid, Triangle

ALL = pytest.mark.parametrize("make", SURROGATES.values(), ids=SURROGATES)
WIDTHS = pytest.mark.parametrize("a", [0.25, 1.0, 3.0])


def test_h1_rectangle_is_one_over_a_inside_its_window():
    v = np.array([-0.51, -0.49, 0.0, 0.49, 0.51])
    np.testing.assert_array_equal(Rectangle(1.0).derivative(v), [0, 1, 1, 1, 0])
    np.testing.assert_array_equal(Rectangle(4.0).derivative(v), [0.25] * 5)


def test_h2_triangle_has_height_sqrt_a_over_2_and_ends_at_2_over_sqrt_a():
    h = Triangle(4.0).derivative(np.array([-1.0, -0.5, 0.0, 0.5, 1.0, 2.0]))
    np.testing.assert_allclose(h, [0, 0.5, 1.0, 0.5, 0, 0])


def test_h3_sigmoid_follows_its_formula_and_does_not_overflow():
    v, a = np.array([-1.0, 0.3, 2.0]), 0.7
    naive = np.exp(v / a) / (1 + np.exp(v / a)) ** 2 / a
    np.testing.assert_allclose(Sigmoid(a).derivative(v), naive, rtol=1e-14)
    far = np.array([-1e6, 1e6])
    np.testing.assert_array_equal(Sigmoid(a).derivative(far), [0, 0])
    np.testing.assert_array_equal(Sigmoid(a).antiderivative(far), [0, 1])


def test_h4_gaussian_has_variance_a():
    v = np.linspace(-30, 30, 60_001)
    h = Gaussian(2.5).derivative(v)
    assert np.trapezoid(h * v**2, v) == pytest.approx(2.5, rel=1e-9)


@ALL
@WIDTHS
def test_h1_h2_h3_h4_are_the_slopes_of_twin_1_twin_2_twin_3_twin_4(make, a):
    v, s = np.linspace(-30, 30, 600_001), make(a)
    area = s.antiderivative(v[-1:]) - s.antiderivative(v[:1])
    assert np.trapezoid(s.derivative(v), v) == pytest.approx(area[0], abs=5e-4)
    ends = s.antiderivative(np.array([-np.inf, 0, np.inf]))
    np.testing.assert_allclose(ends, [0, 0.5, 1], atol=1e-15)


def test_every_surrogate_is_public():
    assert {curve.__name__ for curve in SURROGATES.values()} <= set(stbp_edu.__all__)


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
