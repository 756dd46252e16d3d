"""Derivation blanks: equal forms are right, named mistakes are named, nothing is executed."""

import re
from decimal import Decimal

import pytest
import sympy

from stbp_edu.practice import check_formula, hint, solution
from stbp_edu.practice.grading import algebra
from stbp_edu.practice.tasks import blanks

ALL = list(blanks().values())
WRONG = [(f, m) for f in ALL for m in f.mistakes]
OTHER_FORMS = {
    "gate-df": ["-1/exp(o/tau)", "-exp(-o/(2*tau))**2"],
    "ode-euler": ["u*(1 - dt/tau) + I*dt/tau", "(tau*u + dt*I - dt*u)/tau"],
    "h3": ["exp(-v/a)/(a*(1 + exp(-v/a))**2)", "1/(a*(2 + exp(v/a) + exp(-v/a)))"],
    "h4": ["1/(sqrt(2*pi*a)*exp(v**2/(2*a)))", "sqrt(1/(2*pi*a))*exp(-v^2/a/2)"],
    "c1-delta": ["(rate - y)/(S*T)", "sum_o/(S*T**2) - y/(T*S)", "-(y - sum_o/T)/T/S"],
    "c1-epsilon": ["h*delta", "2*delta*h - h*delta"],
    "c2-delta": ["w_2*eps_2 + w_1*eps_1", "ε_1·w_1 + ε_2·w_2"],
    "c2-epsilon": ["h*delta", "(delta*h**2)/h"],
    "c3-delta": [
        "u*df*eps_next + delta_T",
        "δ_T + ε_next*df*u",
        "delta_last + epsilon_next*(u*df)",
        "delta_T + eps_next * u * f'",
    ],
    "c3-epsilon": ["f*eps_next + h*delta", "h*(delta + eps_next*f/h)"],
    "c4-delta": [
        "eps_next*df*u + w_1*eps_1 + w_2*eps_2",
        "eps_2*w_2 + (eps_1*w_1 + df*u*eps_next)",
    ],
    "c4-epsilon": ["f*eps_next + h*delta", "h*(delta + eps_next*f/h)"],
    "c5-b": ["eps_3 + eps_2 + eps_1", "3*(eps_1 + eps_2 + eps_3)/3"],
    "c5-w": ["o_3*eps_3 + o_1*eps_1 + o_2*eps_2", "eps_1*o_1 + (eps_2*o_2 + eps_3*o_3)"],
    "gain": ["u*h*df + f", "h*(f/h + u*df)"],
}


@pytest.mark.parametrize("formula", ALL, ids=lambda f: f.id)
def test_the_answer_and_two_other_forms_are_right(formula):
    forms = [formula.solution, *OTHER_FORMS[formula.equation]]
    assert len(forms) >= 3
    for form in forms:
        assert check_formula(formula.equation, form).right, form


@pytest.mark.slow
@pytest.mark.parametrize(("formula", "mistake"), WRONG, ids=[f"{f.id}-{m.id}" for f, m in WRONG])
def test_each_misconception_is_rejected_and_named(formula, mistake):
    feedback = check_formula(formula.equation, mistake.body)
    assert feedback.state == "wrong"
    assert mistake.id in feedback.mistakes
    assert str(mistake) in feedback.message
    assert formula.solution not in repr(feedback)


def test_a_sympy_expression_is_an_answer():
    delta_T, eps_next, u, df = sympy.symbols("delta_T eps_next u df")
    assert check_formula("c3-delta", delta_T + eps_next * u * df).right
    assert not check_formula("c3-delta", delta_T + eps_next * u).right


def test_untouched_blanks_list_the_symbols():
    for answer in (None, ..., "", "..."):
        feedback = check_formula("c3-delta", answer)
        assert feedback.state == "todo"
        assert "eps_next" in repr(feedback)


def test_a_mistake_with_its_sign_turned_round_has_both_names():
    found = check_formula("c1-delta", "y - rate")
    assert found.mistakes == ("missing-one-over-ts", "sign")
    assert "besides" in repr(found)
    assert check_formula("c1-delta", "rate - y").mistakes == ("missing-one-over-ts",)


@pytest.mark.parametrize(
    ("equation", "formula", "finding"),
    [
        ("c3-delta", "3*(delta_T + eps_next*u*df)", ("factor", "")),
        ("c3-delta", "delta_T + eps_next*u*u*df", ("factor-too-many", "df")),
        ("c3-delta", "delta_T + eps_next*u/df", ("operation", "eps_next * u * df")),
        ("c3-delta", "u**2 + h*f", ("term", "eps_next·u·df")),
        ("c3-delta", "0.5*delta_T + eps_next*u*df", ("factor", "delta_T")),
        ("c3-delta", "delta_T + 7*eps_next*u*df", ("factor", "eps_next * u * df")),
        ("c3-delta", "delta_T**3 + eps_next*u*df", ("power", "delta_T")),
        ("c3-delta", "delta_T + eps_next*u*df + 0.2", ("shift", "")),
        ("c4-delta", "eps_1*w_1 + 3*eps_2*w_2 + eps_next*u*df", ("factor", "eps_2 * w_2")),
        ("c4-delta", "eps_1*w_1 + 2*eps_2*w_2 - 5*eps_next*u*df", ("term", "eps_2·w_2")),
        ("c4-epsilon", "delta*h + 0.25*eps_next*f", ("factor", "eps_next * f")),
        ("gain", "f + 2*u*df*h", ("doubled", "u * df * h")),
        ("c5-w", "eps_1*o_1 + eps_2*o_2*4 + eps_3*o_3", ("factor", "eps_2 * o_2")),
    ],
)
def test_a_mistake_without_a_name_gets_its_finding(equation, formula, finding):
    feedback = check_formula(equation, formula)
    assert feedback.state == "wrong"
    assert finding in [(f.id, f.place) for f in feedback.findings], feedback


@pytest.mark.parametrize("answer", ["exp(-v**2/(2*a))/sqrt(-2*pi*a)", "v/(a - a)"])
def test_a_formula_without_a_value_is_told_so(answer):
    assert "It has no value: it takes a root of" in repr(check_formula("h4", answer))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("delta_T + foo", "`foo` is none of the symbols"),
        ("delta_T +", "cannot be read"),
        ("delta_T + eps_next u df", "A product needs its *"),
        ("__import__('os').getcwd()", "not plain arithmetic"),
        ("(lambda: 1)()", "not plain arithmetic"),
        ("u[0]", "not plain arithmetic"),
        ("9**9**9", "small whole numbers"),
        ("u**u", "small whole numbers"),
        ("'text'", "not plain arithmetic"),
        ("u + " * 200 + "u", "characters long"),
        ("exp(u, u)", "not plain arithmetic"),
    ],
)
def test_what_is_no_formula_is_explained_and_not_run(answer, words):
    feedback = check_formula("c3-delta", answer)
    assert feedback.state == "wrong"
    assert words in repr(feedback)


def test_an_unknown_blank_names_the_known_ones():
    with pytest.raises(ValueError, match="equation_id must be one of"):
        check_formula("c9-delta", "u")


def test_hints_and_solution_of_a_blank():
    assert hint("c3-delta-formula").of == 3
    assert solution("c3-delta-formula").source == "delta_T + eps_next*u*df"


def test_a_number_is_the_decimal_that_was_typed():
    blank = blanks()["c3-delta"]
    point = dict.fromkeys(blank.symbols, 3.0)
    assert algebra.value(algebra.parse("0.1*u", blank.symbols), blank, point) == Decimal("0.3")


@pytest.mark.parametrize("far", ["exp(u**9)", "exp(exp(exp(u)))", "exp(-u**4)"])
def test_a_right_formula_may_pass_the_bounds_of_numbers_far_from_0(far):
    assert check_formula("c3-delta", f"delta_T + eps_next*u*df*{far}/{far}").right
    assert not check_formula("c3-delta", f"delta_T + 2*eps_next*u*df*{far}/{far}").right


def test_rounding_makes_no_right_formula_wrong():
    assert check_formula("c3-delta", "delta_T + eps_next*u*df + 1000**3*u - 1000**3*u").right


def signed_symbols(formula):
    return [s for s in formula.symbols if s not in algebra.NOT_NEGATIVE]


@pytest.mark.slow
@pytest.mark.parametrize("formula", ALL, ids=lambda f: f.id)
def test_absolute_values_do_not_pass_for_signed_symbols(formula):
    for symbol in signed_symbols(formula):
        wrapped = re.sub(rf"\b{symbol}\b", f"abs({symbol})", formula.solution)
        if wrapped != formula.solution and formula.equation not in ("h3", "h4"):  # which are even
            assert not check_formula(formula.equation, wrapped).right, wrapped
            root = re.sub(rf"\b{symbol}\b", f"sqrt({symbol}**2)", formula.solution)
            assert not check_formula(formula.equation, root).right, root


@pytest.mark.parametrize("c", [2, *(pytest.param(c, marks=pytest.mark.slow) for c in (20, 900))])
def test_absolute_values_that_turn_far_from_0_are_wrong(c):
    for equation, symbol in (("c3-delta", "u"), ("c3-delta", "delta_T"), ("h3", "v"), ("h4", "v")):
        text = blanks()[equation].solution
        for form in (f"(abs({symbol} + {c}) - {c})", f"({c} - abs({symbol} - {c}))"):
            wrapped = re.sub(rf"\b{symbol}\b", form, text)
            assert not check_formula(equation, wrapped).right, wrapped


@pytest.mark.parametrize("small", [".001**9", "(.001*h)**9", ".001*.001*.001*.001**9"])
def test_no_small_term_hides_behind_rounding(small):
    feedback = check_formula("c3-delta", f"delta_T + eps_next*u*df + {small}")
    assert feedback.state == "wrong"
    assert [f.id for f in feedback.findings] == ["tiny"]
    assert check_formula("c3-delta", f"delta_T + eps_next*u*df + {small} - {small}").right


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("(" * 7 + "9" + "**9)" * 7, "Powers are small whole numbers"),
        ("u" + "**9**9", "Powers are small whole numbers"),
        ("u**(2-1)", "Powers are small whole numbers"),
        ("1e300*u", "Numbers lie between"),
        ("u/1e-5", "Numbers lie between"),
        ("-" * 100 + "u", "brackets in brackets"),
        ("exp(" * 70 + "u" + ")" * 70, "brackets in brackets"),
        ("exp(" * 50 + "u" + ")" * 50, "`hint("),
        ("u+" * 199 + "u", "`hint("),
    ],
)
def test_what_would_take_for_ever_is_refused(text, complaint):
    assert complaint in repr(check_formula("c3-delta", text))
