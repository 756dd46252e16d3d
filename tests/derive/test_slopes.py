"""The differentiator against SymPy, on random lines: exact, as rational functions."""

import re

import numpy as np
import pytest
import sympy as sp

from stbp_edu.arrows.lines.expressions import Name, latex, python, symbol
from stbp_edu.arrows.lines.reading import expression
from stbp_edu.arrows.lines.slopes import derivative

NAMES = ("u", "o", "tau", "x")
FUNCTIONS = ("exp", "log", "tanh", "sqrt", "abs", "min", "max", "spike")


def line(rng, depth):
    """A random expression."""
    if depth == 0 or rng.random() < 0.15:
        return str(rng.choice([*NAMES, "2", "3", "0.5"]))
    a, b = line(rng, depth - 1), line(rng, depth - 1)
    match int(rng.integers(8)):
        case 0 | 1:
            return f"({a} {rng.choice(['+', '-'])} {b})"
        case 2 | 3:
            return f"({a} * {b})"
        case 4:
            return f"({a} / {b})"
        case 5:
            return f"({a}) ** {rng.integers(-2, 4)}"
        case 6:
            return f"-{a}"
    function = str(rng.choice(FUNCTIONS))
    return f"{function}({a}, {b})" if function in ("min", "max") else f"{function}({a})"


def function(name, *slopes):
    """A function of SymPy with these derivatives by its arguments."""
    return type(name, (sp.Function,), {"fdiff": lambda self, k=1: slopes[k - 1](*self.args)})


AT_LEAST, H = sp.Function("at_least"), sp.Function("h")
SPACE = {name: sp.Symbol(name) for name in NAMES} | {
    **{name: getattr(sp, name) for name in ("exp", "log", "tanh", "sqrt")},
    "max": function("Max", AT_LEAST, lambda a, b: 1 - AT_LEAST(a, b)),
    "min": function("Min", lambda a, b: AT_LEAST(b, a), lambda a, b: 1 - AT_LEAST(b, a)),
    "abs": function("Size", lambda a: 2 * AT_LEAST(a, 0) - 1),
    "spike": function("Spike", H),
    "h": H,
    "at_least": AT_LEAST,
}


def as_sympy(text):
    """A line as SymPy has it, its numbers exact."""
    exact = re.sub(r"[\d.]+", lambda number: f"sp.Rational('{number[0]}')", text)
    return eval(exact, {"sp": sp, **SPACE})


def of_ours(tree):
    """One of our trees as SymPy has it."""
    match tree:
        case Name(name):
            return SPACE[name]
        case object(value=value):
            return sp.Rational(value)
    args = [of_ours(arg) for arg in tree.args]
    plain = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
    plain |= {"/": lambda a, b: a / b, "**": lambda a, b: a**b, "neg": lambda a: -a}
    return (plain | SPACE)[tree.op](*args)


def same(a, b):
    """Whether two expressions are the same rational function of their functions."""
    tidied = (a - b).replace(
        lambda e: isinstance(e, sp.Function) and e.args,
        lambda e: e.func(*(sp.expand(arg) for arg in e.args)),
    )
    return sp.expand(sp.numer(sp.together(tidied))) == 0 or sp.simplify(tidied) == 0


def drawn(seed):
    """A random line on which SymPy finds no division by 0."""
    rng = np.random.default_rng(seed)
    while True:
        text = line(rng, 3)
        if not as_sympy(text).has(sp.zoo, sp.nan, sp.oo):
            return text


@pytest.mark.parametrize(
    "seed", [*range(60), *(pytest.param(k, marks=pytest.mark.slow) for k in range(60, 500))]
)
def test_derivatives_equal_those_of_sympy(seed):
    text = drawn(seed)
    for name in ("u", "o"):
        found = of_ours(derivative(expression(text), Name(name)))
        assert same(found, sp.diff(as_sympy(text), SPACE[name])), text


@pytest.mark.parametrize(
    ("text", "by", "expected", "tex"),
    [
        ("tau * exp(-o / tau) * u + x", "o", "-u * exp(-o / tau)", r"-u e^{-\frac{o}{\tau}}"),
        ("tau * exp(-o / tau) * u + x", "x", "1", "1"),
        ("u ** 3 / 3", "u", "u ** 2", "u^{2}"),
        ("spike(u - v_th)", "v_th", "-h(u - v_th)", r"-h(u-V_{th})"),
        ("max(u, 2 * o)", "o", "2 * (1 - (u >= 2 * o))", r"2 (1-[u \geq 2 o])"),
        ("abs(u)", "u", "2 * (u >= 0) - 1", r"2 [u \geq 0]-1"),
        ("u - u", "u", "0", "0"),
        ("2 ** u", "u", "2 ** u * log(2)", r"2^{u} \log(2)"),
        (f"{9**14} * ({9**14} * u)", "u", f"{9**14} * {9**14}", rf"{9**14}\cdot{9**14}"),
        ("(1 / 3 + 1 / 6) * u", "u", "1 / 2", r"\frac{1}{2}"),
    ],
)
def test_derivatives_are_tidy(text, by, expected, tex):
    found = derivative(expression(text), Name(by))
    assert python(found, lambda name: name.name) == expected
    assert latex(found, lambda name: symbol(name.name)) == tex
