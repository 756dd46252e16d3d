"""What a function returned, taken apart and compared: each rule of it by itself."""

import math
import signal
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from stbp_edu.practice import check, exercises
from stbp_edu.practice.grading import calling, differences, failures
from stbp_edu.practice.grading.differences import (
    RTOL,
    SHORT_RTOL,
    difference,
    floors_of,
    same_outcome,
    side_by_side,
)
from stbp_edu.practice.grading.finding import Finding, listed, together
from stbp_edu.practice.grading.results import asked, results_of, shape_words, wrong_results
from stbp_edu.practice.grading.structure import (
    MOST,
    Difference,
    is_blank,
    is_masked,
    is_short,
    leaves,
    numbers,
    what_it_is,
)
from tests.practice.test_locate import sourced

A = np.array([[1.0, 2.0], [3.0, 4.0]])
CORNER = np.array([[0.0, 0.0], [0.0, 1.0]])
MASKED = np.ma.masked_array([1.0, 2.0, 3.0], mask=[True, False, True])


@dataclass
class Holder:
    """A dataclass, as Params are."""

    w: np.ndarray
    n: int = 1


@pytest.mark.parametrize(
    ("now", "before", "same"),
    [
        (A.copy(), A, True),
        (A + 1, A, False),
        (A[0], A, False),
        ([1.0], np.array([1.0]), False),
        (np.array([np.nan]), np.array([np.nan]), True),
        (np.array(["a"]), np.array(["a"]), True),
        (np.array(["a"]), np.array([1.0]), False),
        (np.array([1.0]), np.array(["a"]), False),
        ([A, 1], [A, 1], True),
        ([A, 2], [A, 1], False),
        ([A], [A, 1], False),
        ((1.0, "x"), (1.0, "x"), True),
        ((1.0, "y"), (1.0, "x"), False),
        (Holder(A.copy()), Holder(A), True),
        (Holder(A + 1), Holder(A), False),
        (Holder(A, 2), Holder(A, 1), False),
        (Holder([1.0]), Holder(np.array([1.0])), False),
        (None, Holder, True),
        (object(), object(), True),
        (2, 1, False),
    ],
)
def test_an_argument_is_as_it_was_or_is_not(now, before, same):
    assert calling.unchanged(now, before) is same


def test_what_a_function_does_besides_is_told_in_sentences():
    habits = calling.Habits()

    def noisy(x):
        x += 1
        print("first line\n" + "b" * 100)
        return x

    exercise = exercises()["gate-f"]
    for _ in range(2):
        calling.call(noisy, (np.ones(2), 1.0)[:1], None, habits)
    assert (habits.printed, habits.changed) == (224, [])
    assert habits.first_text == "first line\n" + "b" * (calling.LONGEST_TEXT - 11)
    habits.changed = ["x", "y", "x"]
    assert habits.sentences() == [
        "It changes `x` and `y` in place, and whoever calls it is left with the change: work on a "
        "copy.",
        "It prints 224 characters over all calls; they are left out here. They begin: first line",
    ]
    assert calling.Habits().sentences() == []
    assert len(exercise.arguments) == 2
    calling.call(lambda o, tau: o.fill(0), (np.ones(2), 0.5), exercise, quiet := calling.Habits())
    assert (quiet.changed, quiet.printed) == (["o"], 0)


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (lambda x: x + 1, 2.0),
        (lambda x: (_ for _ in ()).throw(NotImplementedError), None),
    ],
)
def test_a_call_gives_a_value_or_nothing_yet(function, value):
    assert calling.call(function, (1.0,)) == value


def test_what_is_written_is_counted_as_a_stream_counts_it():
    def writes(x):
        return float(sys.stdout.write("abc"))

    assert calling.call(writes, (1.0,)) == 3.0


def test_a_call_that_ends_the_program_or_divides_by_zero_does_no_harm(capsys):
    def leave(x):
        raise SystemExit

    assert calling.call(leave, (1.0,)).message == (
        "It ends the program (exit or sys.exit): return a value."
    )
    assert np.isinf(calling.call(lambda x: np.ones(1) / x, (0.0,))).all()
    kept = np.ones(2)
    assert calling.call(lambda x: kept, (0.0,)) is not kept
    generator = (k for k in range(2))
    assert calling.call(lambda x: generator, (0.0,)) is generator
    assert capsys.readouterr().out == ""


def test_after_a_call_that_did_not_end_none_is_made():
    habits = calling.Habits(stopped=True)
    found = calling.call(lambda x: x, (1.0,), None, habits)
    assert (found.kind, found.message) == (
        "problem",
        "It is not called again after a call that did not end.",
    )


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no alarm clock")
def test_a_clock_that_somebody_else_has_set_runs_on():
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1000)
        assert calling.call(lambda x: x, (1.0,)) == 1.0
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 100
        signal.setitimer(signal.ITIMER_REAL, 0)
        calling.call(lambda x: x, (1.0,))
        assert signal.getsignal(signal.SIGALRM) == signal.SIG_IGN
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_system_without_an_alarm_clock_calls_all_the_same(monkeypatch):
    monkeypatch.delattr(signal, "setitimer", raising=False)
    assert calling.call(lambda x: x + 1, (1.0,)) == 2.0


def test_a_call_in_a_thread_has_no_clock_and_an_answer():
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(calling.call, lambda x: x + 1, (1.0,)).result() == 2.0


def test_calls_share_their_time():
    habits = calling.Habits()
    calling.call(lambda x: x, (1.0,), habits=habits)
    assert 0.0 < habits.seconds < calling.SECONDS


@pytest.mark.parametrize(
    ("value", "blank"),
    [(None, True), (..., True), ((None, ...), True), ((None, 1), False), ((), False), (0, False)],
)
def test_what_is_left_empty_is_blank(value, blank):
    assert is_blank(value) is blank


@pytest.mark.parametrize(
    ("value", "short"),
    [
        (np.float32(1), True),
        (np.ones(2, np.float16), True),
        (np.ones(2), False),
        (1.0, False),
        ([1.0], False),
    ],
)
def test_floats_of_fewer_digits_are_short(value, short):
    assert is_short(value, np.ones(2)) is short


def test_a_result_among_several_may_be_short():
    assert is_short((1.0, np.float32(1)), (1.0, 1.0))
    assert not is_short((1.0, np.float32(1)), 1.0)  # no tuple is expected


@pytest.mark.parametrize(
    ("value", "masked"),
    [(MASKED, True), (np.ma.masked_array([1.0], mask=[False]), False), (A, False)],
)
def test_a_masked_array_lacks_values_where_one_is_masked(value, masked):
    assert is_masked(value) is masked
    assert (numbers(value) is None) is masked


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ([1, 2], [1.0, 2.0]),
        (True, 1.0),
        (range(3), [0.0, 1.0, 2.0]),
        (np.array([1, 2], np.uint8), [1.0, 2.0]),
        (np.array([1, 2.5], object), [1.0, 2.5]),
        (range(MOST), np.arange(MOST)),
    ],
)
def test_real_numbers_become_floats(value, want):
    found = numbers(value)
    assert found.dtype == float
    np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize(
    "value", [None, "1", 1j, [[1], [1, 2]], np.array(["1"]), range(MOST + 1), object()]
)
def test_what_is_no_real_number_has_no_array(value):
    assert numbers(value) is None


def test_the_leaves_of_a_value_have_the_names_of_what_is_expected():
    want = SimpleNamespace(W=[None, A, A], b=[None, A, A])
    got = SimpleNamespace(W=[None, 1, 2], b=[None, 3, 4])
    assert [(part, mine) for part, mine, _ in leaves(got, want)] == [
        ("W[1]", 1),
        ("W[2]", 2),
        ("b[1]", 3),
        ("b[2]", 4),
    ]
    assert list(leaves(1, 2)) == [("", 1, 2)]
    half = SimpleNamespace(W=3)
    assert list(leaves(1, half)) == [("", 1, half)]
    assert list(leaves((1, 2), (3, 4), parts=("u",))) == [("u", 1, 3), ("[1]", 2, 4)]


@pytest.mark.parametrize(
    ("got", "want", "parts", "said"),
    [
        ((1, 2, 3), (1, 2), ("u", "o"), "it returns 3 results, where 2 are expected (u, o)"),
        (1.0, (1, 2), (), "it returns one float alone, where 2 are expected"),
        ([1], [None, 1], (), "it returns 1 results, where 2 are expected, None first"),
        (len, (1, 2), (), "it returns the function len, which is not called (brackets call it), "
         "where 2 are expected"),
    ],
)  # fmt: skip
def test_another_count_of_results_is_told_at_each(got, want, parts, said):
    found = list(leaves(got, want, parts=parts))
    assert {mine.message for _, mine, _ in found} == {said}
    assert [part for part, _, _ in found] == [""] * len([w for w in want if w is not None])


def test_a_failed_call_stands_for_each_result():
    failed = Difference("problem", "It raises.")
    assert [mine for _, mine, _ in leaves(failed, (1, 2))] == [failed, failed]


class Silent:
    """An object that fails to say what it is."""

    def __str__(self):
        raise RuntimeError

    def __getattr__(self, name):
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (MASKED, "a masked array, 2 entries of it without a value"),
        (math, "the module math"),
        (iter([1]), "a list_iterator, whose values are not computed yet (list(...) computes them)"),
        (dict, "the class dict, and not a value of it"),
        (len, "the function len, which is not called (brackets call it)"),
        (np.exp, "the function exp, which is not called (brackets call it)"),
        ([].append, "the function append, which is not called (brackets call it)"),
        (10**400, "an integer beyond every float"),
        ([[1], [1, 2]], "a list that makes no array, of 2 parts"),
        ((), ""),
        (1.0, ""),
        (5, ""),
        ("text", ""),
    ],
)
def test_what_can_be_no_answer_is_called_by_its_name(value, said):
    assert what_it_is(value) == said


@pytest.mark.parametrize(
    ("got", "want", "kind", "said"),
    [
        ("no", A, "type", "it returns str, where shape (2, 2) is expected"),
        (None, 1.0, "type", "it returns NoneType, where one number is expected"),
        (1j, 1.0, "type", "it returns complex numbers (a root or a power of a negative number?), "
         "where one number is expected"),
        (A[0], A, "shape", "it returns shape (2,), where shape (2, 2) is expected"),
        (np.where(A == 3, np.inf, A), A, "nan",
         "it returns inf at index (1, 0): a division by zero, or an overflow"),
        (False, True, "value", "this does not hold"),
        (A + CORNER, A, "value", "yours 5, exact 4 at index (1, 1)"),
        (2.0, 1.0, "value", "yours 2, exact 1"),
        ({(0, 1)}, {(0, 2)}, "value",
         "yours [(0, 1)], expected [(0, 2)], as cells (t, n) with t counted from 0"),
        (3, {(0, 2)}, "type", "it returns int, where a set of cells (t, n) is expected"),
    ],
)  # fmt: skip
def test_a_difference_says_what_and_where(got, want, kind, said):
    found = difference(got, want)
    assert (found.kind, found.message) == (kind, said)


def test_a_place_is_named_by_its_axes():
    wrong = A + CORNER
    assert difference(wrong, A, ("t", "neuron")).message.endswith(
        " at t = 2 (index 1 in code), neuron 1 (counted from 0)"
    )
    assert difference(A[0] + [0, 1], A[0], ("t",)).message.endswith(" at t = 2 (index 1 in code)")
    assert difference(A[0] + [0, 1], A[0]).message.endswith(" at index 1")


def test_what_agrees_has_no_difference():
    assert difference(A.tolist(), A) is None
    assert difference({(0, 1), (1, 2)}, {(1, 2), (0, 1)}) is None
    assert difference((1.0, A), (1.0, A)) is None


@pytest.mark.parametrize(
    ("rtol", "off", "wrong"),
    [
        (RTOL, 0.9e-6, False),
        (RTOL, 1.1e-6, True),
        (SHORT_RTOL, 1.9e-5, False),
        (SHORT_RTOL, 2.5e-5, True),
    ],
)
def test_a_value_may_be_off_by_the_tolerance(rtol, off, wrong):
    assert (difference(np.array([1 + off]), np.array([1.0]), rtol=rtol) is not None) is wrong


@pytest.mark.parametrize(
    ("rtol", "off", "wrong"),
    [(RTOL, 0.9e-9, False), (RTOL, 1.1e-9, True), (SHORT_RTOL, 3.9e-6, False),
     (SHORT_RTOL, 4.1e-6, True)],
)  # fmt: skip
def test_beside_a_large_entry_a_small_one_may_be_off_by_a_share_of_it(rtol, off, wrong):
    """A thousandth of the tolerance; a fifth of it in float32."""
    found = difference(np.array([off, 1.0]), np.array([0.0, 1.0]), rtol=rtol)
    assert (found is not None) is wrong


def test_where_all_is_zero_nothing_but_zero_is_right():
    assert difference(np.zeros(2), np.zeros(2)) is None
    assert difference(np.array([0.0, 1e-20]), np.zeros(2)) is not None
    assert difference(np.array([0.0, 1e-20]), np.zeros(2), floors={"": 1e-19}) is None


def test_a_part_is_named_and_has_its_own_floor():
    got, want = (np.array([1.0]), np.array([1e-7])), (np.array([1.0]), np.array([0.0]))
    assert difference(got, want, parts=("u", "o")).part == "o"
    assert difference(got, want, parts=("u", "o"), floors={"o": 1e-6}) is None
    assert difference(got, want, parts=("u", "o"), floors={"u": 1e-6}) is not None


def test_floors_are_a_fifth_of_the_tolerance_of_the_largest_value_of_a_part():
    right = [(np.array([1.0, -5.0]), np.array([2.0])), (np.array([3.0]), np.array([0.5]))]
    assert floors_of(right, ("u", "o")) == pytest.approx({"u": 2e-5, "o": 8e-6})


@pytest.mark.parametrize(
    ("a", "b", "exactly", "same"),
    [
        (1.0, 1.0, False, True),
        (1.0, 2.0, False, False),
        (1.0, 1 + 1e-7, False, True),
        (np.nan, np.nan, False, True),
        (np.nan, 1.0, False, False),
        (1.0, A, False, False),
        (1j, 1j, False, True),
        (1j, 2j, False, False),
        (1j, np.array([1j]), False, False),
        ("a", "b", False, True),
        ("a", None, False, False),
        ("a", 1.0, False, False),
        (1.0, "a", False, False),
        ({(0, 1)}, {(0, 1)}, False, True),
        ({(0, 1)}, {(0, 2)}, False, False),
        (Difference("problem", "", error="KeyError: 'a'"), 1.0, False, False),
        (1.0, Difference("problem", "", error="KeyError: 'a'"), False, False),
        (Difference("problem", "", error="KeyError: 'a'"),
         Difference("problem", "", error="KeyError: 'b'"), False, True),
        (Difference("problem", "", error="KeyError: 'a'"),
         Difference("problem", "", error="KeyError: 'b'"), True, False),
        (Difference("problem", "", error="KeyError: 'a'"),
         Difference("problem", "", error="ValueError: 'a'"), False, False),
    ],
)  # fmt: skip
def test_two_outcomes_are_the_same_mistake_or_are_not(a, b, exactly, same):
    like = a if isinstance(a, (set, np.ndarray)) else b
    assert same_outcome(a, b, like, exactly=exactly) is same


def test_two_numbers_are_told_apart_by_as_many_digits_as_it_takes():
    assert side_by_side(1.0, 2.0) == "yours 1, exact 2"
    assert side_by_side(1.00001, 1.0) == "yours 1.00001, exact 1"
    assert side_by_side(1.0, 1.0) == "yours 1, exact 1"
    assert differences._shape(np.float64(1)) == "one number"


def failing(function, *args):
    """Return what is said of the error that a function raises."""
    try:
        function(*args)
    except Exception as error:
        return failures.problem(error)
    raise AssertionError("it did not fail")


def test_an_exception_is_told_with_the_expression_that_raised_it():
    found = failing(lambda x: 1 / x + 1, 0)
    assert found.message.startswith(
        "It raises ZeroDivisionError: division by zero, at `1 / x` in `"
    )
    assert found.error == "ZeroDivisionError: division by zero"
    assert (found.kind, found.blank) == ("problem", False)


def test_an_expression_over_several_lines_is_told_by_its_first():
    def wide(x):
        return int(
            x,
        )

    assert failing(wide, "a").message.endswith(", at `return int(`.")


def test_no_part_of_a_first_line_passes_for_an_expression_over_several():
    wide = sourced("def wide(x):\n    return 1 + int(\n                              x)\n")
    assert failing(wide, "a").message.endswith(", at `return 1 + int(`.")


def test_a_line_that_is_the_expression_is_told_once():
    def bare(x):
        int(x)

    assert failing(bare, "a").message.endswith("'a', at `int(x)`.")


def test_a_line_that_nobody_can_show_is_left_out():
    space = {}
    exec("def gone(x):\n    return 1 / x", space)
    assert failing(space["gone"], 0).message == "It raises ZeroDivisionError: division by zero."


def test_dots_left_in_a_formula_are_a_blank_and_other_type_errors_are_none():
    assert failing(lambda x: x + ..., 1).blank
    assert not failing(lambda x: x + "a", 1).blank
    assert not failing(lambda: {}["ellipsis"]).blank


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a" * 300, "a" * 300),
        ("a" * 301, "a" * 300 + "..."),
    ],
)
def test_a_long_text_is_cut(value, said):
    assert failures.text_of(value) == said


def test_an_object_that_fails_whatever_it_is_asked_does_no_harm():
    said = "an object of type Silent that cannot be shown"
    assert failures.text_of(Silent()) == said
    want = SimpleNamespace(W=[None, A], b=[None, A])
    assert {mine.message for _, mine, _ in leaves(Silent(), want)} == {
        "it returns one Silent alone, where 2 are expected (W, b)"
    }


def test_names_stand_in_a_row_and_terms_are_called_by_them():
    assert [listed("abc"[:k]) for k in range(1, 4)] == ["`a`", "`a` and `b`", "`a`, `b` and `c`"]
    assert [together("ab"[:k]) for k in range(3)] == [
        "no input at all (a constant)",
        "`a` alone",
        "`a` and `b` together",
    ]


def test_findings_are_equal_whatever_nodes_they_blame():
    assert Finding("a", "part", nodes=(object(),)) == Finding("a", "part")
    assert "nodes" not in repr(Finding("a", "part"))
    assert Finding("a", "part") != Finding("b", "part")


def test_results_are_arrays_in_the_structure_that_is_expected():
    assert results_of((1, [2, 3]), (0.0, A[0]))[1].tolist() == [2.0, 3.0]
    assert results_of((1, "no"), (0.0, A[0])) is None
    assert results_of(Difference("problem", ""), 0.0) is None
    assert results_of((1, 2, 3), (0.0, 1.0)) is None
    assert results_of({(0, 1)}, {(0, 1)}) is None


def test_a_function_is_asked_for_its_results_and_may_fail():
    ask = asked(lambda x: (x, 1 / x), (0.0, 1.0))
    assert [float(r) for r in ask([2.0])] == [2.0, 0.5]
    assert ask([0.0]) is None


def test_wrong_results_are_those_that_differ_in_any_call():
    right = [(A, A[0], 1.0), (A, A[0], 1.0)]
    outcomes = [(A, A[0], 1.0 + 1e-5), (A + 1, A[0], 1.0)]
    assert wrong_results(outcomes, right, 1e-6) == [0, 2]
    assert wrong_results(outcomes, right, 1e-4) == [0]
    assert wrong_results([(A, A[0], 1.0), "fails"], right, 1e-6) == []
    assert wrong_results([(A[0], A, 1.0)], right[:1], 1e-6) == [0, 1]
    assert wrong_results([0.0], [1e-11], 1e-6) == [0]  # absolutely, it must be within 1e-12
    assert wrong_results([0.0], [1e-13], 1e-6) == []


B = np.arange(6.0).reshape(2, 3) + 1


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (B.T, "transposed"),
        (B.ravel(), "with its entries in one row"),
        (B[None], "with an axis too many"),
        (B[..., None], "with an axis too many at the end"),
        (B.sum(axis=0), "added up over steps"),
        (B.mean(axis=1), "averaged over neurons"),
        (B.sum(axis=1, keepdims=True), "added up over neurons, the axis kept"),
        (B.mean(axis=0, keepdims=True), "averaged over steps, the axis kept"),
        (B[0], "for the first of the steps alone"),
        (B[:, -1], "for the last of the neurons alone"),
        (B[:, 1:], "without the first of the neurons"),
        (B[:, :-1], "without the last of the neurons"),
        (B.sum(), "added up over everything"),
        (B.mean(), "averaged over everything"),
        (np.ones(7), ""),
        (B + 1, None),
    ],
)
def test_what_became_of_a_result_of_another_shape(got, words):
    assert shape_words([got, 2 * got], [B, 2 * B if words else B], ("t", "neuron"), 0) == words


def test_an_axis_of_one_and_axes_without_names():
    row = np.array([[1.0, 2.0, 4.0]])
    assert shape_words([row[0]], [row], ("t", "neuron"), 0) == "with its entries in one row"
    assert shape_words([row.squeeze()], [row], (), 0) == "with its entries in one row"
    assert shape_words([B[0]], [B], (), 0) == "for the first of the axes alone"
    assert shape_words([B[:, 0]], [B], (), 0) == "for the first of the axes alone"
    assert shape_words([B[0, 1:]], [B[0]], ("entry",), 0) == "without the first of the entries"
    assert shape_words([3.0, B[0]], [B, B], ("t", "neuron"), 0) == ""
    assert shape_words(["no", B[0]], [B, B], (), 0) == "for the first of the axes alone"
    cube = np.arange(8.0).reshape(2, 1, 4)
    assert shape_words([cube.squeeze()], [cube], (), 0) == "without an axis of length 1"


def test_an_empty_or_a_wrong_kind_of_answer_is_no_attempt_or_is_told():
    assert check("c1-epsilon", None).state == "todo"
    assert check("c1-epsilon", ...).state == "todo"
    assert check("c1-epsilon", types.MappingProxyType({})).state == "wrong"
    right = exercises()["c1-epsilon"].answer
    assert check("c1-epsilon", right).message == ("Checked on 6 situations in several networks.",)
