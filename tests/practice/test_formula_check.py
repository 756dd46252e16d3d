"""Derivation blanks: equal forms are right, named mistakes are named, nothing is executed."""

import re

import pytest

from stbp_edu.practice import check_formula
from stbp_edu.practice.grading import formulas
from stbp_edu.practice.tasks import blanks


@pytest.mark.slow  # to import it
def test_a_sympy_expression_is_an_answer():
    import sympy

    delta_T, eps_next, u, df = sympy.symbols("delta_T eps_next u df")
    assert check_formula("c3-delta", delta_T + eps_next * u * df).right
    assert not check_formula("c3-delta", delta_T + eps_next * u).right


def test_untouched_blanks_list_the_symbols():
    for answer in (None, ..., "", "..."):
        feedback = check_formula("c3-delta", answer)
        assert feedback.state == "todo"
        assert "eps_next" in repr(feedback)


def test_a_zero_is_not_two_mistakes_that_cancel():
    for blank in blanks().values():
        assert not check_formula(blank.equation, "0").together, blank.id


def test_a_mistake_with_its_sign_turned_round_has_both_names():
    found = check_formula("c1-delta", "y - rate")
    assert set(found.mistakes) == {"missing-one-over-ts", "sign"}
    assert found.together
    assert check_formula("c1-delta", "rate - y").mistakes == ("missing-one-over-ts",)


def test_a_formula_with_its_sign_reversed_is_named_in_every_blank():
    for blank in blanks().values():
        found = check_formula(blank.equation, f"-({blank.solution})")
        assert found.mistakes == ("sign",), blank.id


@pytest.mark.parametrize("far", ["exp(u**9)", "exp(exp(exp(u)))", "exp(-u**4)"])
def test_a_right_formula_may_pass_the_bounds_of_numbers_far_from_0(far):
    assert check_formula("c3-delta", f"delta_T + eps_next*u*df*{far}/{far}").right
    assert not check_formula("c3-delta", f"delta_T + 2*eps_next*u*df*{far}/{far}").right


@pytest.mark.slow
@pytest.mark.parametrize("equation", sorted(blanks().keys() - {"h3", "h4"}))  # even
def test_absolute_values_do_not_pass_for_signed_symbols(equation):
    blank = blanks()[equation]
    for symbol in set(blank.symbols) - formulas.NOT_NEGATIVE:
        for form in (f"abs({symbol})", f"sqrt({symbol}**2)"):
            wrapped = re.sub(rf"\b{symbol}\b", form, blank.solution)
            same = wrapped == blank.solution
            assert same or not check_formula(equation, wrapped).right, wrapped


@pytest.mark.parametrize(
    "c", [2, *(pytest.param(c, marks=pytest.mark.slow) for c in (20, 900))]
)
def test_absolute_values_that_turn_far_from_0_are_wrong(c):
    for equation, symbol in (
        ("c3-delta", "u"),
        ("c3-delta", "delta_T"),
        ("h3", "v"),
        ("h4", "v"),
    ):
        text = blanks()[equation].solution
        for form in (f"(abs({symbol} + {c}) - {c})", f"({c} - abs({symbol} - {c}))"):
            wrapped = re.sub(rf"\b{symbol}\b", form, text)
            assert not check_formula(equation, wrapped).right, wrapped


@pytest.mark.parametrize("small", [".001**9", "(.001*h)**9", ".001*.001*.001*.001**9"])
def test_no_small_term_hides_behind_rounding(small):
    feedback = check_formula("c3-delta", f"delta_T + eps_next*u*df + {small}")
    assert feedback.state == "wrong"
    assert [f.id for f in feedback.findings] == ["tiny"]
    assert check_formula(
        "c3-delta", f"delta_T + eps_next*u*df + {small} - {small}"
    ).right
