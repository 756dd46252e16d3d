"""The differentiator against autograd, which runs the same line as Python, and tidy formulas."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from stbp_edu.lines.derivatives import derivative
from stbp_edu.lines.expressions import evaluate, latex, parse, python
from tests.derive.texts import BELL

NAMES = ("u", "o", "tau", "x")
FORMS = (
    *(
        "({a} + {b})",
        "({a} - {b})",
        "({a} * {b})",
        "({a} / {b})",
        "({a}) ** {n}",
        "-{a}",
    ),
    *("exp({a})", "log({a})", "tanh({a})", "sqrt({a})", "abs({a})", "spike({a})"),
    *("min({a}, {b})", "max({a}, {b})"),
)


def line(rng, depth):
    """A random expression."""
    if depth == 0 or rng.random() < 0.15:
        return str(rng.choice([*NAMES, "2", "3", "0.5"]))
    a, b = line(rng, depth - 1), line(rng, depth - 1)
    return str(rng.choice(FORMS)).format(
        a=a, b=b, n=rng.choice([-2, -1, 0.5, 1.5, 2, 3])
    )


CALLED = {name: getattr(anp, name) for name in ("exp", "log", "tanh", "sqrt")} | {
    "max": lambda a, b: anp.where(a >= b, a, b),
    "min": lambda a, b: anp.where(b >= a, a, b),
    "abs": lambda a: anp.where(a >= 0, a, -a),
}
FIRE = autograd.extend.primitive(lambda v: (v >= 0) * 1.0)
autograd.extend.defvjp(FIRE, lambda ans, v: lambda g: g * BELL.derivative(v))
CURVES = {"spike": lambda v: (v >= 0) * 1.0, "h": BELL.derivative}


def run(text, places):
    """Return what a line is where the names have these values."""
    return eval(text, {**CALLED, "spike": FIRE, **places}) + 0 * places["u"]


@pytest.mark.parametrize("seed", range(10))
def test_derivatives_equal_those_of_autograd(seed):
    """At eight places each, where the line has a value."""
    rng, compared = np.random.default_rng(seed), 0
    while compared < 400:
        text, places = line(rng, 3), {name: rng.uniform(-1.5, 1.5, 8) for name in NAMES}
        slope = autograd.elementwise_grad(
            lambda u, text=text, at=places: run(text, {**at, "u": u})
        )
        with np.errstate(all="ignore"):
            wanted, plain = slope(places["u"]), np.isfinite(run(text, places))
            tree = derivative(parse(text), "u")
            found = evaluate(tree, places, CURVES)
        plain &= np.isfinite(wanted) & (abs(wanted) < 1e6)
        found = np.broadcast_to(found, plain.shape)
        np.testing.assert_allclose(
            found[plain], wanted[plain], 1e-9, 1e-9, err_msg=text
        )
        compared += plain.sum()


@pytest.mark.parametrize(
    ("text", "by", "expected", "tex"),
    [
        (
            "tau * exp(-o / tau) * u + x",
            "o",
            "-u * exp(-o / tau)",
            r"-u e^{-\frac{o}{\tau}}",
        ),
        ("tau * exp(-o / tau) * u + x", "x", "1", "1"),
        ("u ** 3 / 3", "u", "u ** 2", "u^{2}"),
        ("u ** 2 * u", "u", "3 * u ** 2", "3 u^{2}"),
        ("spike(u - v_th)", "v_th", "-h(u - v_th)", r"-h(u-V_{th})"),
        ("max(u, 2 * o)", "o", "2 * (1 - at_least(u, 2 * o))", r"2 (1-[u \geq 2 o])"),
        ("abs(u)", "u", "2 * at_least(u, 0) - 1", r"2 [u \geq 0]-1"),
        ("u - u", "u", "0", "0"),
        ("(u + u) * x", "u", "2 * x", "2 x"),
        ("(tau + tau) * x * u", "u", "2 * tau * x", r"2 \tau x"),
        ("(o - o + 3) * x * u", "u", "3 * x", "3 x"),
        ("2 ** u", "u", "2 ** u * log(2)", r"2^{u} \log(2)"),
        (
            f"{9**14} * ({9**14} * u)",
            "u",
            f"{9**14} * {9**14}",
            rf"{9**14}\cdot{9**14}",
        ),
        ("(1 / 3 + 1 / 6) * u", "u", "1 / 2", r"\frac{1}{2}"),
    ],
)
def test_derivatives_are_tidy(text, by, expected, tex):
    found = derivative(parse(text), by)
    assert python(found) == expected
    assert latex(found) == tex
