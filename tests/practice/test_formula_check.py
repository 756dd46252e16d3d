"""Derivation blanks: equal forms are right, named mistakes are named, nothing is executed."""

import re

import pytest

from stbp_edu.practice import check_formula
from stbp_edu.practice.tasks import blanks
from stbp_edu.practice.tasks.inputs import NOT_NEGATIVE


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


@pytest.mark.slow
@pytest.mark.parametrize("equation", sorted(blanks().keys() - {"h3", "h4"}))  # even
def test_absolute_values_do_not_pass_for_signed_symbols(equation):
    blank = blanks()[equation]
    for symbol in set(blank.symbols) - NOT_NEGATIVE:
        for form in (f"abs({symbol})", f"sqrt({symbol}**2)"):
            wrapped = re.sub(rf"\b{symbol}\b", form, blank.solution)
            same = wrapped == blank.solution
            assert same or not check_formula(equation, wrapped).right, wrapped
