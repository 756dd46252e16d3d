"""How expressions, derivatives, arrows and programs are written for a reader."""

import pytest

from stbp_edu import derive
from stbp_edu.lines.derivatives import derivative
from stbp_edu.lines.expressions import Function, evaluate, latex, parse, python

ADAPTIVE = """
tau = 0.5
v = 0.3
u = tau * u * (1 - o) - z + x
z = v * z + o
o = spike(u - 0.4)
"""


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("a + b - c", "a+b-c"),
        ("a - b - c", "a-b-c"),
        ("a - (b - c)", "a-(b-c)"),
        ("-(a - b)", "-(a-b)"),
        ("a * (b - c)", "a (b-c)"),
        ("(a - b) * c", "(a-b) c"),
        ("a * b / c", r"\frac{a b}{c}"),
        ("a / (b * c)", r"\frac{a}{b c}"),
        ("(a - b) ** 2", "(a-b)^{2}"),
        ("(a ** b) ** c", "(a^{b})^{c}"),
        ("a ** (b - c)", "a^{b-c}"),
        ("a * 2", r"a\cdot2"),
    ],
)
def test_brackets_stand_where_they_change_the_value(text, formula):
    tree = parse(text)
    assert (python(tree), latex(tree)) == (text, formula)


def test_a_minus_before_a_product_is_written_at_its_first_factor():
    tree = parse("c - (-(a * b / c))")
    assert python(tree) == "c - -a * b / c"
    values = {"a": 0.3, "b": 0.7, "c": 1.1}
    assert evaluate(tree, values) == eval(python(tree), values)


def test_a_partial_derivative_names_its_argument_counted_from_1():
    f = Function("f", ("_a", "_b"), parse("_a * _b"))
    called = f(parse("u"), parse("v"))
    assert latex(derivative(called, "u")) == r"\partial_1f(u,v)"
    assert latex(derivative(called, "v")) == r"\partial_2f(u,v)"


def test_arrows_are_listed_with_those_of_the_course_first():
    kinds = [arrow.kind for arrow in derive(ADAPTIVE).neuron.arrows]
    assert kinds[:3] == ["spike", "carry", "reset"]


def test_a_program_says_what_its_adjoints_sum_to_and_writes_a_minus():
    text = derive(ADAPTIVE, learn=("tau", "v")).program()
    assert " d_z = -d_u_next + v * d_z_next" in text
    sentence = " ".join(text[text.index("Over steps") : text.rindex('"""')].split())
    assert sentence.endswith(", and g_v to that of v.")
    assert sentence.count("to that of tau") == sentence.count("to that of v") == 1
