"""What a reader may hand in that is no answer: each has its own sentence, and nothing gets out."""

import numpy as np
import pytest

from stbp_edu.practice import check, exercises
from stbp_edu.practice.grading import verdict
from stbp_edu.practice.tasks.inputs import probe_networks

pytestmark = pytest.mark.slow  # each answer is tried on all networks

C3_TASK = exercises()["c3-delta"]
C3 = C3_TASK.function()


class OwnError(BaseException):
    """What ``except Exception`` lets by."""


class OwnStop(KeyboardInterrupt):
    """It looks like the reader's own Stop."""


class RaisesAnything:
    """Whatever it is asked, it raises what is no Exception."""

    def __getattribute__(self, name):
        raise OwnError(name)

    def __array__(self, *_, **__):
        raise OwnError

    __iter__ = __len__ = __float__ = __eq__ = __repr__ = __str__ = __deepcopy__ = (
        __array__
    )
    __hash__ = None


def raising(error):
    """Return an answer that raises an error."""
    return lambda delta_last, err_next, U, df: (_ for _ in ()).throw(error)


def test_lists_and_tuples_of_the_right_numbers_are_right():
    kinds = (
        np.ndarray.tolist,
        lambda x: tuple(map(tuple, x)),
        np.asfortranarray,
        np.ma.array,
    )
    for kind in kinds:
        assert check("c3-delta", lambda *a, kind=kind: kind(C3(*a))).right


def test_the_readers_own_stop_stops():
    with pytest.raises(KeyboardInterrupt):
        check("c3-delta", raising(KeyboardInterrupt()))


def test_the_expression_that_fails_is_shown_and_how_often_it_does():
    def sometimes(delta_last, err_next, U, df):
        if len(U) == 4:
            raise ValueError("four samples")
        return C3(delta_last, err_next, U, df)

    text = repr(check("c3-delta", sometimes))
    assert (
        "It agrees with the exact value in 11 of 12 situations, and fails in 1." in text
    )
    assert '`raise ValueError("four samples")`' in text

    def always(delta_last, err_next, U, df):
        return delta_last + err_next @ U[:, :, None, 0, 0] * df

    assert "at `U[:, :, None, 0, 0]` in `return delta_last" in repr(
        check("c3-delta", always)
    )


def test_what_it_prints_is_left_out_and_what_it_changes_is_a_copy(capsys):
    def f(delta_last, err_next, U, df):
        print("shape", U.shape)
        U *= df
        return delta_last + err_next * U

    feedback = check("c3-delta", f)
    assert feedback.right
    assert "It begins: shape (2, 2)" in repr(feedback)
    assert capsys.readouterr().out == ""


def spoiling(*args):
    """Change every array of the package that an answer can reach, and return zeros."""
    for network in probe_networks():
        network.trace.U[1][...] = 0.0
    for part in verdict.situations(C3_TASK)[0].args:
        part.setflags(write=True)
        part[...] = 0.0
    return np.zeros_like(args[0])


ODD_ENDINGS = {
    "situations": spoiling,
    "an error of its own": raising(OwnError()),
    "no stop of the reader's": raising(OwnStop()),
    "an object that raises": lambda *args: RaisesAnything(),
}


@pytest.mark.parametrize("kind", ODD_ENDINGS)
def test_how_an_answer_ends_changes_no_later_verdict(kind):
    assert check("c3-delta", ODD_ENDINGS[kind]).state == "wrong"
    assert check("c3-delta", C3).right


def test_what_is_kept_from_call_to_call_is_found():
    def forgetful(delta_last, err_next, U, df, seen=[]):  # noqa: B006
        seen.append(U)
        return C3(delta_last, err_next, U, df) + (len(seen) > 12)

    text = repr(check("c3-delta", forgetful))
    assert (
        "Called again with the inputs of the first call, it gives a different result"
        in text
    )
    first = []

    def remembering(delta_last, err_next, U, df):
        first.append(U)
        return (
            C3(delta_last, err_next, first[0], df) if first[0].shape == U.shape else U
        )

    assert check("c3-delta", remembering).state == "wrong"


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
