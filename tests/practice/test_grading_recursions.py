"""How the lines of a recursion are judged, and the changes of a solution that are tried."""

import ast
from decimal import Decimal

import numpy as np
import pytest

from stbp_edu.practice import check, exercises
from stbp_edu.practice.grading import algebra, diagnosis, single_changes, unnamed_mistakes
from stbp_edu.practice.grading.calling import Habits
from stbp_edu.practice.grading.epsilon_fit import (
    DIRECT,
    EXPECTED,
    LEAK,
    OF_CLASSIC,
    ON,
    UP,
    explanations,
    gradients_of,
    recover_epsilon,
    wide_network,
    wrong_cases,
)
from stbp_edu.practice.grading.outcomes import outcomes_of, right_outcomes, second_time
from stbp_edu.practice.grading.steps import VAGUE, by_step
from stbp_edu.practice.tasks import Inputs, blanks, inputs_of

RUN, FORWARD = exercises()["lif-run"], exercises()["forward"]


def said_of(exercise, old, new):
    """Return what is said about the steps of a solution with one edit."""
    assert old in exercise.solution
    function = exercise.function(exercise.solution.replace(old, new))
    outcomes = outcomes_of(exercise, function, Habits())
    return [
        (f.text, f.kind) for f in by_step(exercise, function, outcomes, right_outcomes(exercise))
    ]


LINE = "In the line that makes a potential from the step before: "
LEFT = "what is left of the last potential"


@pytest.mark.parametrize(
    ("old", "new", "said", "kind"),
    [
        ("+ x[t]", "- x[t]", f"{LINE}the input has its sign turned round.", "step"),
        ("+ x[t]", "+ 3 * x[t]", f"{LINE}the input is 3 times what it should be.", "step"),
        ("+ x[t]", "", f"{LINE}the input is missing.", "step"),
        ("u[t - 1] *", "2 * u[t - 1] *",
         f"{LINE}{LEFT} where no spike came is doubled; {LEFT} after a spike is doubled.", "step"),
        (" * np.exp(-o[t - 1] / tau)", "* (1 - o[t - 1])",
         f"{LINE}{LEFT} after a spike is missing.", "step"),
        ("+ x[t]", "+ x[t] + 0.5", f"{LINE}a constant comes in, times 0.5, and does not belong.",
         "step"),
        ("+ x[t]", "+ x[t] + (0.5 if t == 0 else 0)",
         f"{LINE}a constant at the first step comes in, times 0.5, and does not belong.", "step"),
        ("+ x[t]", "+ x[t] - o[t - 1] * (t > 0)",
         f"{LINE}the last spike comes in, times -1, and does not belong.", "step"),
        ("+ x[t]", "+ x[t] + (x[t - 1] if t else 0)",
         f"{LINE}the input of the step before comes in, times 1, and does not belong.", "step"),
        ("u[t - 1] *", "u[t - 1]**2 *",
         f"The first step is right; in the later ones something else stands in place of {LEFT}.",
         VAGUE),
        ("if t > 0 else 0.0", "if t > 0 else x.sum()**2",
         "Given the step before, every potential is right but those of the first step.", "step"),
        ("+ x[t]", "+ x[t]**2", "Already the potentials of the first step are wrong.", VAGUE),
    ],
)  # fmt: skip
def test_the_line_that_makes_a_potential_is_judged_by_its_terms(old, new, said, kind):
    assert (said, kind) in said_of(RUN, old, new)


SPIKE = "In the line that makes a spike from its potential: o is not g(u)"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (">= v_th", "> v_th", f"{SPIKE} where u is exactly at the threshold."),
        ("1.0 if", "0.0 if", f"{SPIKE} where u is at or above the threshold."),
        ("else 0.0\nreturn", "else 0.25\nreturn", f"{SPIKE} where u is below the threshold."),
        ("1.0 if u[t] >= v_th", "1.0 if u[t] == v_th else 0.5 if u[t] > v_th",
         f"{SPIKE} where u is above the threshold."),
        ("1.0 if u[t] >= v_th else 0.0", "0.5", f"{SPIKE}."),
    ],
)  # fmt: skip
def test_the_line_that_makes_a_spike_is_judged_by_where_it_is_wrong(old, new, said):
    assert said_of(RUN, old, new)[-1] == (said, "step")


def test_a_right_run_has_no_wrong_line():
    assert said_of(RUN, "carried +", "carried +") == []
    assert said_of(FORWARD, "carried +", "carried +") == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (" + b[n]", "", f"{LINE}the bias is missing."),
        (" + b[n]", " - b[n]", f"{LINE}the bias has its sign turned round."),
        ("O[n - 1][t] @", "2 * O[n - 1][t] @", f"{LINE}the input is doubled."),
        ("O = [spikes]", "O = [2 * spikes]", "O[0] is not the input spikes."),
    ],
)
def test_the_lines_of_a_forward_pass_are_judged(old, new, said):
    assert said_of(FORWARD, old, new)[0] == (said, "step")


def test_an_answer_of_another_kind_has_no_steps():
    for old, new in (("return u, o", "return u"), ("return u, o", "return u[1:], o"),
                     ("return u, o", "return u * np.nan, o")):  # fmt: skip
        assert said_of(RUN, old, new) == []
    other = exercises()["c1-epsilon"]
    assert by_step(other, other.answer, right_outcomes(other), right_outcomes(other)) == []


# ---- the cells of a backward pass

NET = wide_network()
SOLUTION = exercises()["backward"].solution


def cases_of(old, new, expected=EXPECTED):
    """Return what is said about the cases of a backward pass with one edit."""
    function = exercises()["backward"].function(SOLUTION.replace(old, new))
    value = function(NET.trace, NET.targets, NET.params, NET.neuron)
    return wrong_cases(NET, gradients_of(value, NET), expected)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("d = -(Y", "d = (Y", {
            1: f"the sign of {DIRECT} is turned round. First at t = 4 (index 3 in code), n = 3.",
            3: f"the sign of {DIRECT} is turned round. First at t = 3 (index 2 in code), n = 3."}),
        ("@ W[n + 1]", "@ W[n + 1] * 0.5", {
            2: f"{UP} is 0.5 times what it should be. First at t = 4 (index 3 in code), n = 2.",
            4: f"{UP} is 0.5 times what it should be. First at t = 3 (index 2 in code), n = 2."}),
        ("epsilon[n][t] = d * neuron.h(U[n][t]) + e", "epsilon[n][t] = d * neuron.h(U[n][t])", {
            3: f"{LEAK} is missing. First at t = 3 (index 2 in code), n = 3.",
            4: f"{LEAK} is missing. First at t = 3 (index 2 in code), n = 2."}),
        ("d = epsilon[n + 1][t] @ W[n + 1]",
         "d = (epsilon[n + 1][t] if t == T - 1 else delta[n + 1][t] * neuron.h(U[n + 1][t])) "
         "@ W[n + 1]",
         {4: f"{UP} carries δ ⊙ h where ε belongs. First at t = 3 (index 2 in code), n = 2."}),
        ("d = d + epsilon[n][t + 1] *", "d = d + delta[n][t + 1] * neuron.h(U[n][t + 1]) *", {
            3: f"{ON} carries δ ⊙ h where ε belongs. First at t = 2 (index 1 in code), n = 3.",
            4: f"{ON} carries δ ⊙ h where ε belongs. First at t = 2 (index 1 in code), n = 2."}),
        ("e = 0.0", "e = 1.0 * (t == T - 1)", {
            1: "no sum of the terms of this case gives these values. First at t = 4 (index 3 in "
               "code), n = 3.",
            2: "no sum of the terms of this case gives these values. First at t = 4 (index 3 in "
               "code), n = 2."}),
        ("e = 0.0", "e = 0.0", {}),
    ],
)  # fmt: skip
def test_the_cases_of_a_pass_are_judged_by_their_terms(old, new, said):
    assert cases_of(old, new) == {case: f"Case {case}: {text}" for case, text in said.items()}


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [("d = -(Y", "d = (Y", {"step"}), ("e = 0.0", "e = 1.0 * (t == T - 1)", {VAGUE})],
)
def test_a_case_whose_terms_are_found_is_clear_and_another_vague(old, new, kinds):
    function = exercises()["backward"].function(SOLUTION.replace(old, new))
    found = by_step(exercises()["backward"], function, (), ())
    assert {f.kind for f in found} == kinds
    assert {name for f in found for name in f.names} <= {f"case {case}" for case in range(1, 6)}


def test_a_last_step_that_is_wrong_is_case_5_and_nothing_else():
    said = (
        "Case 5: W[1] and b[1], W[2] and b[2], W[3] and b[3] are no sum over steps and samples of "
        "ε times the spikes below, whatever ε is."
    )
    assert cases_of("epsilon[n], O[n - 1])", "epsilon[n], O[n - 1] ** 2)") == {5: said}


def test_the_terms_of_the_classic_rule_are_its_own():
    classic = NET.sweep("classic")
    assert wrong_cases(NET, classic.gradients, OF_CLASSIC) == {}
    found = wrong_cases(NET, NET.sweep("exact").gradients, OF_CLASSIC)
    assert set(found) == {3, 4}
    assert f"it holds {ON}, times 1" in found[3]
    assert f"{ON} with δ ⊙ h is missing" in found[3]
    assert set(wrong_cases(NET, classic.gradients, EXPECTED)) == {3, 4}


def test_epsilon_is_fitted_by_layer_and_its_misfit_is_relative():
    exact = NET.sweep("exact")
    epsilon, misfit = recover_epsilon(NET, exact.gradients)
    assert misfit[0] == 0.0
    np.testing.assert_allclose(epsilon[2], exact.epsilon[2], atol=1e-12)
    corner = np.eye(9) * (np.arange(9) == 0)
    moved = [None, *(w + corner for w in exact.gradients.W[1:])]
    wrong = gradients_of((moved, exact.gradients.b), NET)
    assert min(recover_epsilon(NET, wrong)[1][1:]) > 1e-3
    assert explanations(NET, exact.epsilon, 3) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda W, b: (W[:-1], b),
        lambda W, b: ([None, *(w * np.nan for w in W[1:])], b),
        lambda W, b: ([None, *(w / (1 - np.eye(9)) for w in W[1:])], b),
        lambda W, b: (W, [None, *(x[None] for x in b[1:])]),
        lambda W, b: 3.0,
    ],
)
def test_gradients_of_another_shape_or_without_a_value_are_none(change):
    exact = NET.sweep("exact").gradients
    with np.errstate(divide="ignore"):
        assert gradients_of(change(exact.W, exact.b), NET) is None
    assert gradients_of((exact.W, exact.b), NET) is not None
    assert gradients_of(exact, NET) is not None


# ---- one change of the solution


def changed(formula, names=("a", "b")):
    """Return every change of a formula: in words, and what it becomes."""
    tree = ast.parse(formula, mode="eval").body
    return {words: ast.unparse(new) for words, new, _ in single_changes.changes(tree, names)}


def test_the_changes_of_a_sum():
    assert changed("a + b") == {
        "without the term `a`": "b",
        "without the term `b`": "a",
        "with a minus in place of the plus before `b`": "a - b",
        "with a minus before `a`": "-a + b",
        "with `*` in place of `+` before `b`": "a * b",
        "with `/` in place of `+` before `b`": "a / b",
        "with `**` in place of `+` before `b`": "a ** b",
        "with `b` in place of `a`": "b + b",
        "with a factor `a` too many": "a + b * a",
        "with a factor `b` too many": "a + b * b",
        "with `a` in place of `b`": "a + a",
    }


@pytest.mark.parametrize(
    ("formula", "some"),
    [
        ("a - b", {"without the term `b`": "a", "with a plus in place of the minus before `b`":
                   "a + b", "with `a` and `b` swapped": "b - a"}),
        ("a * b", {"without the factor `a`": "b", "by dividing, not multiplying, by `b`": "a / b",
                   "with `+` in place of `*` before `b`": "a + b"}),
        ("a / b", {"without the factor `b`": "a", "by multiplying, not dividing, by `b`": "a * b",
                   "with `a` and `b` swapped": "b / a"}),
        ("a ** 2", {"without the power of `a`": "a", "with 3 in place of 2": "a ** 3",
                    "with 4 in place of 2": "a ** 4",
                    "with -2 in place of 2": "a ** -2", "with `*` in place of `**` before `2`":
                    "a * 2", "with a minus before `a`": "(-a) ** 2"}),
        ("a * 5", {"with 6 in place of 5": "a * 6", "with 4 in place of 5": "a * 4",
                   "with 10 in place of 5": "a * 10", "with 2.5 in place of 5": "a * 2.5"}),
        ("a @ b", {"without the factor `a`": "b", "without the factor `b`": "a"}),
        ("-a", {"without the minus before `a`": "a"}),
        ("a < b", {"with `<=` in place of `<`": "a <= b", "with `!=` in place of `<`": "a != b"}),
        ("x.mean(a)", {"with `sum` in place of `mean`": "x.sum(a)", "without `x.mean`": "a"}),
        ("x.max()", {"with `argmax` in place of `max`": "x.argmax()",
                     "with `min` in place of `max`": "x.min()"}),
        ("np.exp(a)", {"with `cosh` in place of `exp`": "np.cosh(a)"}),
    ],
)  # fmt: skip
def test_the_changes_of_other_operations(formula, some):
    assert some.items() <= changed(formula).items()


def test_what_is_not_changed():
    assert "without the factor `a`" not in changed("a / b")  # 1 / b is no answer
    assert "with `a` and `b` swapped" not in changed("a + b")
    assert "with `-` in place of `+` before `b`" not in changed("a + b")  # said otherwise
    assert changed("True") == {}
    assert not [words for words in changed("c + a") if "`c` in place" in words]


def test_in_a_long_answer_the_rarer_changes_are_left_out():
    thirty = " + ".join(["a"] * 30)  # 59 expressions; 30 more names make it long
    assert "with `*` in place of `+` before `a`" in changed(thirty)
    long = changed(thirty + " + a")
    assert "with `*` in place of `+` before `a`" not in long
    assert "without the term `a`" in long


def test_a_change_keeps_the_nodes_around_it_and_tells_where_it_is():
    tree = ast.parse("a + b", mode="eval").body
    found = {words: (new, node) for words, new, node in single_changes.changes(tree, ["a", "b"])}
    new, node = found["with `a` in place of `b`"]
    assert node is tree.right
    assert new.left is tree.left
    assert ast.unparse(tree) == "a + b"


def test_the_same_answer_is_made_once():
    loss = exercises()["loss"]
    tree = ast.parse(loss.source())
    every = [ast.unparse(new) for _, new, _ in single_changes.changes(tree, ["O", "Y", "S"])]
    found = single_changes.single_changes(loss)
    assert len(every) > len(set(every)) == len(found)
    assert single_changes.single_changes(loss) is found


def test_names_of_a_long_answer_are_replaced_by_its_arguments_alone():
    words = [change.words for change in single_changes.single_changes(exercises()["backward"])]
    assert "with `params` in place of `trace`" in words
    assert not [said for said in words if said.startswith(("with `epsilon`", "with `gW`"))]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["x"], "x"),
        (["x", "x"], "x"),
        (["x", "y"], "x, or y (both fit)"),
        (["x", "y", "z", "w"], "x, or y, or z (all of them fit)"),
    ],
)
def test_readings_are_three_at_most(given, said):
    assert single_changes.readings(given) == said


# ---- what is said where nothing has a name

THREE = [Inputs((), "", T=2, S=3), Inputs((), "", T=5, S=2), Inputs((), "", T=4, S=7)]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (lambda i: 1.0, ""),
        (lambda i: -1.0, "-1"),
        (lambda i: i.T, "T"),
        (lambda i: i.T**2, "T²"),
        (lambda i: -i.T / i.S, "-T/S"),
        (lambda i: 2.0, "2"),
        (lambda i: 0.5, "1/2"),
        (lambda i: 1 / (i.T * i.S), "1/T·S"),
        (lambda i: 2 * i.T * i.S**2, "T·S²·2"),
        (lambda i: i.T**3, ""),
        (lambda i: 1 / i.T**2, ""),
        (lambda i: 4.0, ""),
    ],
)
def test_a_factor_of_the_whole_result_is_told(rule, said):
    values = [np.array([1.0, -2.0]), 3.0, np.float64(0.5)]
    wrong = [rule(i) * v for i, v in zip(THREE, values, strict=True)]
    assert unnamed_mistakes.constant_factor(THREE, wrong, values) == said


def test_several_results_have_no_factor():
    assert unnamed_mistakes.constant_factor(THREE, [(2.0,)] * 3, [(1.0,)] * 3) == ""


def test_what_wrong_calls_have_in_common_is_said_where_nothing_else_is_found():
    one = exercises()["c1-epsilon"]
    right = right_outcomes(one)
    steps = [inputs.T for inputs in inputs_of(one)]
    wrong = [want + (T == 1) for want, T in zip(right, steps, strict=True)]
    found = unnamed_mistakes.by_asking(one, one.answer, wrong, right, 1e-6)
    said = "It is wrong where there is one step only, and right everywhere else."
    assert [f.text for f in found] == [said]


def test_cells_are_told_by_where_they_lie():
    assert unnamed_mistakes._cells({(0, 1), (1, 0)}) == "(t, n+1), (t+1, n)"
    assert unnamed_mistakes._cells({(-1, 2)}) == "(t-1, n+2)"
    assert unnamed_mistakes._cells({(k, 0) for k in range(1, 7)}).count("t+") == 4


def test_cells_that_are_missing_and_too_many_are_told():
    sources = exercises()["sources"]
    right = right_outcomes(sources)
    cells = [inputs.args[:2] for inputs in inputs_of(sources)]

    def said(change):
        outcomes = [change(set(want), *at) for want, at in zip(right, cells, strict=True)]
        return [f.text for f in unnamed_mistakes.of_sets(sources, outcomes, right)]

    assert said(lambda want, t, n: want - {(t + 1, n)}) == ["In some calls, missing: (t+1, n)."]
    assert said(lambda want, t, n: want | {(t, n)}) == ["In some calls, too many: (t, n)."]
    assert said(lambda want, t, n: {(t, n)}) == [
        "In some calls, missing: (t, n+1), (t+1, n); too many: (t, n)."
    ]
    assert said(lambda want, t, n: 3) == []


def answer(exercise, function):
    """Return a wrong answer with its first difference."""
    habits = Habits()
    outcomes = outcomes_of(exercise, function, habits)
    return diagnosis.Answer(exercise, function, outcomes, habits)


def failing(kind="value"):
    return diagnosis.Difference(kind, "")


def test_how_often_a_wrong_answer_is_right_is_told():
    one = exercises()["c1-epsilon"]
    calls = []

    def right_at_first(delta, h):
        calls.append(1)
        return h * delta if len(calls) <= 2 else h

    def fails_later(delta, h):
        calls.append(1)
        if len(calls) > 2:
            raise ValueError
        return h * delta

    total = len(inputs_of(one))
    found = diagnosis._agreement(answer(one, right_at_first), failing())
    assert found == [f"It agrees with the exact value in 2 of {total} situations."]
    calls.clear()
    wrong = answer(one, fails_later)
    said = f"It fails in {total - 2} of {total} situations, and is right in every other."
    assert diagnosis._agreement(wrong, failing("problem")) == [said]
    assert diagnosis._agreement(wrong, failing("type")) == []
    assert diagnosis._agreement(answer(one, lambda delta, h: 1 // 0), failing("problem")) == []


def test_nothing_is_said_of_a_function_that_did_not_end():
    one, habits = exercises()["c1-epsilon"], Habits()
    doubled = tuple(2 * want for want in right_outcomes(one))
    wrong = diagnosis.Answer(one, lambda delta, h: 2 * h * delta, doubled, habits)
    assert [f.kind for f in diagnosis.unnamed(wrong, failing())] == ["factor"]
    habits.stopped = True
    assert diagnosis.unnamed(wrong, failing()) == []
    assert diagnosis._agreement(wrong, failing()) == []


def test_nothing_is_said_where_every_call_or_the_search_itself_fails(monkeypatch):
    one = exercises()["c1-epsilon"]
    assert diagnosis.unnamed(answer(one, lambda delta, h: 1 // 0), failing("problem")) == []
    monkeypatch.setattr(diagnosis, "unnamed", lambda *_: 1 // 0)
    assert diagnosis._located(answer(one, lambda delta, h: h), failing()) == []


def test_two_functions_that_raise_the_same_kind_of_error_make_the_same_mistake():
    one = exercises()["c1-epsilon"]
    wrong = answer(one, lambda delta, h: {}["a"])
    assert wrong.gives(lambda delta, h: {}["b"])
    assert not wrong.gives(lambda delta, h: {}["b"], exactly=True)
    assert wrong.gives(lambda delta, h: {}["a"], exactly=True)
    assert not wrong.gives(lambda delta, h: h)


def test_the_first_difference_is_the_first_of_any_size():
    one = exercises()["c1-epsilon"]
    first = inputs_of(one)[0].args[0]

    def nearly_at_first(delta, h):
        return h * delta * (1 + 1e-5 if np.array_equal(delta, first) else 2)

    assert check("c1-epsilon", nearly_at_first).where == inputs_of(one)[0].where


def test_the_shapes_of_a_call_are_told():
    one = exercises()["c1-epsilon"]
    inputs = Inputs((np.ones((2, 3)), 1.0), "")
    assert diagnosis._shapes(one, inputs) == "Shapes in that call: delta (2, 3)."
    assert diagnosis._shapes(one, Inputs((1.0, 2), "")) == "No argument is an array."


def test_a_function_that_answers_otherwise_later_is_told():
    one, kept = exercises()["c1-epsilon"], []

    def keeps(delta, h):
        kept.append(1)
        return h * delta + len(kept)

    outcomes = outcomes_of(one, keeps, Habits())
    assert second_time(one, keeps, outcomes).startswith("Called again with the inputs of the first")
    assert second_time(one, one.answer, right_outcomes(one)) == ""


# ---- formulas


@pytest.mark.parametrize("text", ["u**99", "(u**5)**5", "u**-99"])
def test_a_large_power_is_refused(text):
    with pytest.raises(ValueError, match="Powers are small whole numbers"):
        algebra.parse(text, ["u"])


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ε·u^2 − δ", "eps * u ** 2 - delta"),
        ("epsilon_next + ε_next", "eps_next + eps_next"),
        ("f' * f′", "df * df"),
        ("delta_last + τ * π", "delta_T + tau * pi"),
        ("+u", "+u"),
        ("u**-9 + u**9", "u ** (-9) + u ** 9"),
        ("(u**3)**3", "(u ** 3) ** 3"),
        ("0.001*u + 1000*u + 0*u", "0.001 * u + 1000 * u + 0 * u"),
        ("exp(sqrt(abs(u)))", "exp(sqrt(abs(u)))"),
        ("-" * 60 + "u", "-" * 60 + "u"),
        ("u" + " " * 399, "u"),
    ],
)
def test_a_formula_is_read_as_the_page_writes_it(text, same):
    names = ("eps", "u", "delta", "eps_next", "df", "delta_T", "tau", "pi")
    symbols = dict.fromkeys(names, "")
    assert ast.dump(algebra.parse(text, symbols)) == ast.dump(ast.parse(same, mode="eval").body)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("u**10", "Powers are small whole"),
        ("(u**5)**2", "Powers are small whole"),
        ("(u**-5)**2", "Powers are small whole"),
        ("exp(u**5)**2", "Powers are small whole"),
        ("u**2.0", "Powers are small whole"),
        ("0.00099*u", "Numbers lie between"),
        ("1001*u", "Numbers lie between"),
        ("True*u", "not plain arithmetic"),
        ("u.real", "not plain arithmetic"),
        ("log(u)", "not plain arithmetic"),
        ("exp(u, x=1)", "not plain arithmetic"),
        ("u % 2", "not plain arithmetic"),
        ("~u", "not plain arithmetic"),
        ("-" * 61 + "u", "more than 60 brackets in brackets"),
        ("u + " * 100 + "u", "It is 401 characters long, and 400 are enough"),
        ("w", "`w` is none of the symbols here: `u` (the potential). A product needs its *."),
        ("u u", "It cannot be read as a formula: invalid syntax. A product needs its *."),
        ("u\x00", "cannot be read as a formula"),
    ],
)
def test_a_formula_that_is_refused_says_why(text, why):
    with pytest.raises(ValueError) as caught:
        algebra.parse(text, {"u": "the potential"})
    assert why in str(caught.value)


def test_a_formula_is_worth_the_same_in_floats_and_in_decimals():
    tree = algebra.parse("-u**2/4 + exp(0*u) - sqrt(abs(u))*3**-1", {"u": ""})
    assert algebra.evaluate(tree, {"u": -9.0}, algebra.FUNCTIONS) == pytest.approx(-20.25)
    long = algebra.evaluate(tree, {"u": Decimal(-9)}, algebra.LONG_FUNCTIONS)
    assert long == pytest.approx(Decimal("-20.25"))


def test_points_take_both_signs_but_for_what_cannot_be_negative():
    blank = blanks()["h4"]
    points = list(algebra.points(blank))
    assert len(points) == algebra.POINTS
    for name in blank.symbols:
        signs = {np.sign(point[name]) for point in points}
        assert signs == ({1.0} if name in algebra.NOT_NEGATIVE else {1.0, -1.0})
        assert all(0.3 <= abs(point[name]) <= 1.9 for point in points)
    assert {type(v) for v in next(algebra.points(blank, Decimal)).values()} == {Decimal}


@pytest.mark.parametrize(
    ("a", "b", "equal", "ratio"),
    [
        ("delta_T + eps_next*u*df", "df*u*eps_next + delta_T", True, 1.0),
        ("3*delta_T", "delta_T", False, 3.0),
        ("delta_T", "delta_T + .001*u**9", False, np.nan),
        ("delta_T + u", "delta_T", False, np.nan),
        ("delta_T", "delta_T - delta_T", False, np.nan),
    ],
)
def test_formulas_are_compared_at_points(a, b, equal, ratio):
    blank = blanks()["c3-delta"]
    one, other = (algebra.parse(text, blank.symbols) for text in (a, b))
    assert algebra.equal(one, other, blank) is equal
    np.testing.assert_allclose(algebra.ratio(one, other, blank), ratio)


@pytest.mark.parametrize(("off", "told"), [("1.00001", True), ("1.0000001", False)])
def test_a_line_may_be_off_by_a_millionth(off, told):
    assert bool(said_of(RUN, "+ x[t]", f"+ {off} * x[t]")) is told
