"""check: what a reader may hand in, and what they are told."""

import json

import numpy as np
import pytest

from stbp_edu.practice import check, exercises, hint, progress_report, solution
from stbp_edu.practice.progress import path
from tests.practice.answers import feedback_on


def c3(body):
    return feedback_on("c3-delta", body)


def test_the_message_says_what_where_and_what_next():
    text = repr(c3("delta_last"))
    assert "Found: the term from the next time step is missing." in text
    assert "at t = 3 (index 2 in code), n = 2" in text
    assert "sample 0, neuron 0" in text
    task = exercises()["c3-delta"]
    assert f'notebook {task.notebook}, "{task.section}", equation (c3-delta)' in text
    assert 'hint("c3-delta")' in text
    html = c3("raise ValueError('<b>bold</b>'); return 0")._repr_html_()
    assert 'data-exercise="c3-delta" data-state="wrong"' in html
    assert "&lt;b&gt;bold" in html
    assert "<b>bold" not in html


def test_a_term_is_said_without_the_names_that_only_count_samples():
    body = "return epsilon_above @ W_above + cost / (2 * len(epsilon_above))"
    found = feedback_on("c2-delta-cost", body)
    assert "if the part made of `cost` is 1/2 times" in found.message[0]


KEEP = "neuron.f(O[n][t])"
UP = "epsilon[n + 1][t] @ W[n + 1]"


def test_what_has_no_name_in_the_last_program_is_explained_by_its_case():
    text = repr(feedback_on("program-5", f"{KEEP} => {KEEP} / 3"))
    assert "Case 3: the carry is 0.3333 times what it should be." in text
    assert "yours" not in text
    no_term = repr(feedback_on("program-5", f"{KEEP} => np.sqrt({KEEP})"))
    assert "Case 3: no sum of the terms of this case gives these values." in no_term
    assert "First at the 4-3-2 spiking network" in no_term


@pytest.mark.parametrize(
    ("edit", "which"),
    [
        (
            'np.einsum("tsi,tsj->ij", epsilon[n], O[n - 1]) => '
            "np.outer(epsilon[n].sum(axis=(0, 1)), O[n - 1].sum(axis=(0, 1)))",
            "weights",
        ),
        ("epsilon[n].sum(axis=(0, 1)) => epsilon[n][0].sum(axis=0)", "biases"),
    ],
)
def test_a_gradient_that_is_no_sum_is_said_with_one_place(edit, which):
    said = feedback_on("program-5", edit)
    assert f"Case 5: the gradients of the {which} are not the sum" in said.message[0]
    assert repr(said).count("First at") == 1


@pytest.mark.parametrize(
    ("id_", "edit", "words"),
    [
        (
            "program-1",
            "(axis=0) => (axis=1)",
            "if `axis=1` is used instead of `axis=0`.",
        ),
        ("program-0", "g(u[t]) => g(u[t - 1])", "if `t - 1` is used instead of `t`."),
    ],
)
def test_a_number_or_an_index_is_said_in_plain_words(id_, edit, words):
    assert words in feedback_on(id_, edit).message[0]


def test_the_classic_rule_in_case_4_is_told_by_its_term():
    edit = f"{UP} => (delta[n + 1][t] * neuron.h(U[n + 1][t])) @ W[n + 1]"
    text = repr(feedback_on("program-4", edit))
    assert "Case 4: the term from the layer above contains δ ⊙ h" in text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("delta_last[0]", "it returns shape (2,), where shape (2, 2) is expected"),
        ("delta_last * np.nan", "it returns nan"),
        ("delta_last / 0", "a division by zero, or an overflow"),
        ("delta_last + missing", "It raises NameError: name 'missing' is not defined"),
    ],
)
def test_shape_type_nan_and_exceptions_are_explained(body, words):
    feedback = c3(body)
    assert feedback.state == "wrong"
    assert words in repr(feedback)


def test_an_error_is_shown_at_the_line_of_the_answer_that_raises_it():
    def helper(U):
        return U["x"]

    def answer(delta_last, err_next, U, df):
        return helper(U)

    assert ", at `return helper(U)`." in repr(check("c3-delta", answer))


def test_a_wrong_signature_and_a_value_in_place_of_a_function():
    few = check("c3-delta", lambda delta_last: delta_last)
    assert "takes 1 positional argument but 4 were given" in repr(few)
    assert "keep the arguments of the stub" in repr(few)
    value = check("c3-delta", np.ones(3))
    assert "Pass the function itself, not ndarray" in repr(value)


def test_a_result_that_changes_later_is_judged_as_returned():
    kept = []

    def reuses(delta_last, err_next, U, df):
        kept.append(delta_last + err_next * U * df)
        for earlier in kept[:-1]:
            earlier[...] = 0.0
        return kept[-1]

    assert check("c3-delta", reuses).right


def test_an_ellipsis_left_in_a_formula_is_a_blank():
    assert c3("factor = ...\nreturn delta_last + err_next * factor").state == "todo"
    assert c3("return None, (None, ...)").state == "todo"
    assert c3("...").state == "todo"  # of which Python keeps nothing


def test_what_works_but_returns_nothing_is_told_so():
    def silent(delta_last, err_next, U, df):
        delta_last += err_next * U * df

    assert "It returns nothing: end it with `return`" in repr(check("c3-delta", silent))


def test_a_hint_to_a_name_that_is_nearly_right_says_which():
    assert "Try `hint('c3-delta')`." in repr(hint("c3delta"))
    assert "Try `progress_report()`." in repr(hint("?"))


@pytest.mark.parametrize("asked", [lambda id_: check(id_, None), solution])
def test_unknown_ids_name_the_nearest(asked):
    known = r"exercise_id must be .* such as 'c3-delta', .*progress_report\(\) lists them all"
    with pytest.raises(ValueError, match=known):
        asked("c3-dleta")


def test_progress_is_kept_and_what_was_right_stays_right():
    assert progress_report().states == {}
    c3("...")
    assert not path().exists()
    c3("delta_last")
    assert progress_report().states == {"c3-delta": "wrong"}
    c3(exercises()["c3-delta"].solution)
    c3("delta_last")
    kept = json.loads(path().read_text())
    assert kept == {"c3-delta": "right"}
    report = progress_report()
    assert "1 of " in repr(report)
    assert report.next.id == "case-at"


DAMAGED = ["not json", "[1]", '{"predictions": 1}']


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_progress_file_is_told_and_put_aside(content):
    path().write_text(content)
    assert progress_report().states == {}
    assert f"{path()} must be a " in repr(progress_report())
    with pytest.warns(UserWarning, match=r"is progress.damaged now, and progress beg"):
        assert c3("delta_last").state == "wrong"
    assert progress_report().states == {"c3-delta": "wrong"}
    assert path().with_suffix(".damaged").read_text() == content
    path().write_text("damaged again")
    with pytest.warns(UserWarning, match=r"progress.damaged1 now"):
        c3("delta_last")
    assert path().with_suffix(".damaged").read_text() == content
