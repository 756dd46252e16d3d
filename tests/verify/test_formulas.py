"""The oracle of formulas: what it asks, where, and that its own formulas are right."""

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import sympy

from stbp_edu.surrogates import SURROGATES, Sigmoid
from stbp_edu.verify import formulas
from stbp_edu.verify.formulas import rate_loss

SPIKES = [0.0, 0.25, 0.5, 1.0]
WIDTHS = {0.25: -0.25, 1.0: 0.5, 3.0: 1.5}  # and the threshold of each


@pytest.fixture
def asked(monkeypatch):
    """What is asked of each curve, before anything is worked out."""

    def noted(id, name, function, at, formula, x):
        return SimpleNamespace(id=id, name=name, function=function, at=at, formula=formula, x=x)

    monkeypatch.setattr(formulas, "_curve", noted)
    return list(formulas.curves())


def test_every_function_is_asked_for_each_of_its_constants(asked):
    gate = [(id, f"τ = {tau}") for tau in (0.2, 0.5, 0.9) for id in ("gate-f", "gate-df", "gate-f")]
    linear = [
        (id, f"τ = {tau}") for tau in (0.2, 0.5, 0.9) for id in ("gate-linear", "gate-linear-df")
    ]
    spike = [("spike-g", f"V_th = {threshold}") for threshold in (-0.25, 0.5, 1.5)]
    curves = [
        (f"{kind}{k}", f"a = {a}")
        for k in range(1, len(SURROGATES) + 1)
        for a in WIDTHS
        for kind in ("twin-", "h")
    ]
    assert [(one.id, one.name) for one in asked] == [*gate, *linear, *spike, *curves]
    assert {one.id for one in asked} | {"loss"} == set(formulas.IDS)


def test_the_points_lie_on_both_sides_on_every_edge_and_far_out(asked):
    for one in asked:
        value = float(one.name.partition(" = ")[2])
        if one.id.startswith("gate"):
            assert one.at.tolist() in (SPIKES, [1.0])
        elif one.id == "spike-g":
            near = [-1.0, -1e-9, 0.0, 1e-9, 1.0]
            assert (one.at - value).tolist() == pytest.approx(near, abs=1e-15)
        else:
            v = one.at - WIDTHS[value]
            assert v[:25].tolist() == [k / 4 for k in range(-12, 13)]
            edges = [-value / 2, value / 2, -1000 * value, 1000 * value]
            assert v[25:].tolist() == edges
    plain = [one.at.tolist() for one in asked if one.id == "gate-f"]
    assert plain == [SPIKES, [1.0]] * 3


def by_hand(id, value):
    """The formula of a curve in plain Python, of the distance v where it has one."""

    def triangle(v):
        x = min(max(v, -2 / math.sqrt(value)), 2 / math.sqrt(value))
        return 0.5 + math.sqrt(value) / 2 * x - value / 8 * x * abs(x)

    return {
        "gate-f": lambda o: value * math.exp(-o / value),
        "gate-df": lambda o: -math.exp(-o / value),
        "gate-linear": lambda o: value * (1 - o),
        "gate-linear-df": lambda o: -value,
        "spike-g": lambda v: float(v >= 0),
        "twin-1": lambda v: min(max(v / value + 0.5, 0), 1),
        "h1": lambda v: (abs(v) < value / 2) / value,
        "twin-2": triangle,
        "h2": lambda v: max(math.sqrt(value) / 2 - value / 4 * abs(v), 0),
        "twin-3": lambda v: 1 / (1 + math.exp(-v / value)),
        "h3": lambda v: 1 / (value * (2 + math.exp(v / value) + math.exp(-v / value))),
        "twin-4": lambda v: (1 + math.erf(v / math.sqrt(2 * value))) / 2,
        "h4": lambda v: math.exp(-v * v / (2 * value)) / math.sqrt(2 * math.pi * value),
    }.get(id)


def test_each_formula_and_the_function_it_is_asked_of_have_the_values_by_hand(asked):
    for one in asked:
        value = float(one.name.partition(" = ")[2])
        if by_hand(one.id, value) is None:
            continue
        shift = value if one.id == "spike-g" else 0.0
        shift = WIDTHS[value] if one.id[:2] in ("tw", "h1", "h2", "h3", "h4") else shift
        points = (
            np.array([1.0])
            if "gate" in one.id
            else shift + np.array([-5, -3, -1.5, -0.5, 0, 0.3, 1.5, 3, 5])
        )
        if "gate" in one.id and len(one.at) > 1:
            points = np.array([0.0, 0.3, 1.0])
        expected = [by_hand(one.id, value)(point - shift) for point in points]
        got = [float(one.formula.subs(one.x, sympy.Rational(float(p)))) for p in points]
        assert got == pytest.approx(expected, rel=1e-12, abs=1e-15), one
        assert one.function(points) == pytest.approx(np.array(expected), rel=1e-12, abs=1e-15)


def test_a_formula_holds_the_fractions_that_its_constants_are(asked):
    """A float in it would be rounded on the way."""
    assert not any(one.formula.atoms(sympy.Float) for one in asked)


def test_a_curve_is_a_function_beside_its_formula_in_floats():
    x = sympy.Symbol("x", real=True)
    curve = formulas._curve("h9", "a = 1", np.sqrt, np.array([1.0, 0.1]), x**2, x)
    assert (curve.id, curve.name) == ("h9", "a = 1")
    assert np.array_equal(curve.got, np.sqrt([1.0, 0.1]))
    assert curve.expected.dtype == float
    assert curve.expected.tolist() == [1.0, float(Fraction(0.1) ** 2)]  # rounded once
    assert formulas._exact(0.1) == sympy.Rational(3602879701896397, 2**55)


def test_a_sum_that_cancels_keeps_its_digits():
    """e^x - 1 near 0 has 13 digits left of 30, and none of 16."""
    x = sympy.Symbol("x", real=True)
    formula = sympy.exp(x) - sympy.exp(-x) - 2 * x
    curve = formulas._curve("h9", "", np.sin, np.array([1e-5]), formula, x)
    assert curve.expected[0] == pytest.approx(1e-15 / 3, rel=1e-9)


def test_a_sigmoid_that_overflows_far_out_is_seen(monkeypatch):
    def careless(self, v):
        return np.exp(v / self.a) / (1 + np.exp(v / self.a))

    monkeypatch.setattr(Sigmoid, "antiderivative", careless)
    with np.errstate(all="ignore"):
        three = [one for one in formulas.curves() if one.id == "twin-3"]
    for one in three:
        assert np.isnan(one.got[-1])
        assert one.expected[-2:].tolist() == [0.0, 1.0]


def test_the_rate_loss_number_by_number():
    """Rates 1/2 and 1, 0 and 3/4 of two samples: misses 1/2, -1, 1 and -1/4."""
    outputs = np.array([[[1.0, 1.0], [0.0, 0.5]], [[0.0, 1.0], [0.0, 1.0]]])
    targets = np.array([[1.0, 0.0], [1.0, 0.5]])
    assert rate_loss(outputs, targets) == (0.25 + 1 + 1 + 0.0625) / 4
