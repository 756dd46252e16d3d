"""What a reader may hand in that is no answer: each has its own sentence, and nothing gets out."""

import numpy as np
import pytest

from stbp_edu.practice import check, exercises

pytestmark = pytest.mark.slow  # each answer is tried on all networks

C3 = exercises()["c3-delta"].function()


def raising(error):
    """Return an answer that raises an error."""
    return lambda delta_last, err_next, U, df: (_ for _ in ()).throw(error)


def test_lists_and_tuples_of_the_right_numbers_are_right():
    rows = lambda x: tuple(map(tuple, x))  # noqa: E731
    for kind in (np.ndarray.tolist, rows, np.asfortranarray, np.ma.array):
        assert check("c3-delta", lambda *a, kind=kind: kind(C3(*a))).right


def test_the_readers_own_stop_stops():
    with pytest.raises(KeyboardInterrupt):
        check("c3-delta", raising(KeyboardInterrupt()))


def test_the_expression_that_fails_is_shown_and_how_often_it_does():
    def sometimes(delta_last, err_next, U, df):
        if len(U) == 4:
            return delta_last + err_next @ U[:, :, None, 0, 0] * df
        return C3(delta_last, err_next, U, df)

    text = repr(check("c3-delta", sometimes))
    assert "agrees with the exact value in 11 of 12 situations, and fails in 1." in text
    assert "at `return delta_last + err_next @ U[:, :, None, 0, 0] * df`" in text


def test_what_it_prints_is_left_out_and_what_it_changes_is_a_copy(capsys):
    def f(delta_last, err_next, U, df):
        print("shape", U.shape)
        U *= df
        return delta_last + err_next * U

    feedback = check("c3-delta", f)
    assert feedback.right
    assert "It begins: shape (2, 2)" in repr(feedback)
    assert capsys.readouterr().out == ""


def test_an_answer_that_ends_the_program_is_wrong():
    text = repr(check("c3-delta", raising(SystemExit())))
    assert "It ends the program (exit or sys.exit): return a value." in text


def short(value):
    """Return a value with its floats as float32."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(short, value))
    floats = isinstance(value, np.ndarray) and value.dtype == float
    return value.astype(np.float32) if floats else value


@pytest.mark.parametrize(
    "id_", [i for i in exercises() if i not in ("bernoulli", "confusion")]
)
def test_float32_is_right(id_):
    right = exercises()[id_].function()
    assert check(id_, lambda *args: short(right(*map(short, args)))).right
