"""How expressions, derivatives, arrows and programs are written for a reader."""

import pytest

from stbp_edu import derive
from stbp_edu.arrows.formula_text import mathml
from stbp_edu.arrows.letters import letter_array
from stbp_edu.lines import expressions as ex
from stbp_edu.lines.slopes import derivative

A, B, C = (ex.Name(name) for name in "abc")

ADAPTIVE = """
tau = 0.5
v = 0.3
u = tau * u * (1 - o) - z + x
z = v * z + o
o = spike(u - 0.4)
"""


def latex(tree: ex.Expression) -> str:
    return ex.latex(tree, lambda one: one.name)


@pytest.mark.parametrize(
    ("tree", "python", "formula"),
    [
        (A + B - C, "a + b - c", "a+b-c"),
        (A - B - C, "a - b - c", "a-b-c"),
        (A - (B - C), "a - (b - c)", "a-(b-c)"),
        (-(A - B), "-(a - b)", "-(a-b)"),
        (A * (B - C), "a * (b - c)", "a (b-c)"),
        ((A - B) * C, "(a - b) * c", "(a-b) c"),
        (A * B / C, "a * b / c", r"\frac{a b}{c}"),
        (A / (B * C), "a / (b * c)", r"\frac{a}{b c}"),
        ((A - B) ** 2, "(a - b) ** 2", "(a-b)^{2}"),
        ((A**B) ** C, "(a ** b) ** c", "(a^{b})^{c}"),
        (A ** (B - C), "a ** (b - c)", "a^{b-c}"),
        (A * 2, "a * 2", r"a\cdot2"),
    ],
)
def test_brackets_stand_where_they_change_the_value(
    tree: ex.Expression, python: str, formula: str
) -> None:
    assert (ex.python(tree), latex(tree)) == (python, formula)


@pytest.mark.parametrize(("a", "less"), [(1.0, 1), (2.0, 0), (3.0, 0)])
def test_less_is_not_at_least(a: float, less: int) -> None:
    values = {A: a, B: 2.0}
    assert ex.evaluate(A < B, values.__getitem__, {}) == less


def test_a_partial_derivative_names_its_argument_counted_from_1() -> None:
    f = ex.Function("f", (A, B), A * B)
    called = ex.Call(f, (ex.Name("u"), ex.Name("v")))
    assert latex(derivative(called, ex.Name("u"))) == r"\partial_1f(u,v)"
    assert latex(derivative(called, ex.Name("v"))) == r"\partial_2f(u,v)"


def test_mathml_nests_a_root_in_a_fraction() -> None:
    root = "<msqrt><mrow><mi>b</mi></mrow></msqrt>"
    above, below = "<mrow><mi>a</mi></mrow>", f"<mrow>{root}</mrow>"
    right = '<mi>c</mi><mo lspace="0" rspace="0">′</mo>'
    formula = f"<math><mfrac>{above}{below}</mfrac><mo>+</mo>{right}</math>"
    assert mathml(r"\frac{a}{\sqrt{b}}+c'") == formula


def test_arrows_are_listed_with_those_of_the_course_first() -> None:
    kinds = [slope.kind for slope in derive(ADAPTIVE).neuron.lines.slopes]
    assert kinds[:3] == ["spike", "carry", "reset"]


def test_a_program_says_what_its_adjoints_sum_to_and_writes_a_minus() -> None:
    text = derive(ADAPTIVE, learn=("tau", "v")).program()
    assert " d_z = -d_u_next + v * d_z_next" in text
    sentence = " ".join(text[text.index("Over steps") : text.rindex('"""')].split())
    assert sentence.endswith(", and g_v to that of v.")
    assert sentence.count("to that of tau") == sentence.count("to that of v") == 1


def test_a_letter_has_the_index_of_its_neuron_layer_and_step_counted_from_1() -> None:
    seen: list[str] = []

    def letter(name: str) -> float:
        seen.append(name)
        return 2.0

    factors = letter_array((2, 1, 2), "-u{-} f'(o{})", 3, letter)
    assert (factors == -4.0).all()
    assert seen[:2] == ["u_{1}^{0,3}", "f'(o_{1}^{1,3})"]
    assert seen[-2:] == ["u_{2}^{1,3}", "f'(o_{2}^{2,3})"]
