"""What a reader may hand in that is no answer: each has its own sentence, and nothing gets out."""

import numpy as np
import pytest

from stbp_edu.practice import check, check_formula, exercises
from stbp_edu.practice.grading import verdict
from stbp_edu.practice.tasks.inputs import probe_networks

pytestmark = pytest.mark.slow  # each answer is tried on all networks

C3_TASK = exercises()["c3-delta"]
C3 = C3_TASK.function()


class BadArray:
    def __array__(self, *_, **__):
        raise OSError("no array")


class BadTextError(Exception):
    def __str__(self):
        raise OSError("no text")


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


ODD = {
    "a generator": (
        lambda: (k for k in range(3)),
        "generator, whose values are not computed",
    ),
    "a range of gigabytes": (lambda: range(10**9), "it returns range"),
    "a module": (lambda: np, "it returns module"),
    "a function": (lambda: np.exp, "`exp`, which is not called"),
    "a word": (lambda: "text", "it returns str"),
    "a huge integer": (lambda: 10**400, "it returns int"),
    "shapes that differ": (
        lambda: (np.zeros(2), np.zeros((3, 3))),
        "tuple that makes no array",
    ),
    "a failing __array__": (BadArray, "it returns BadArray"),
    "a scalar": (lambda: 1.0, "it returns one number, where shape"),
    "complex numbers": (lambda: np.ones((2, 2)) * 1j, "it returns complex numbers"),
    "a mask": (
        lambda: np.ma.masked_array(np.ones((2, 2)), mask=True),
        "it returns nan",
    ),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_array_is_called_by_its_name(kind):
    value, words = ODD[kind]
    feedback = check("c3-delta", lambda delta_last, err_next, U, df: value())
    assert feedback.state == "wrong"
    assert words in repr(feedback)
    feedback._repr_html_()


def test_lists_and_tuples_of_the_right_numbers_are_right():
    kinds = (
        np.ndarray.tolist,
        lambda x: tuple(map(tuple, x)),
        np.asfortranarray,
        np.ma.array,
    )
    for kind in kinds:
        assert check("c3-delta", lambda *a, kind=kind: kind(C3(*a))).right


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            BadTextError(),
            "BadTextError: an object of type BadTextError that cannot be shown",
        ),
        (SystemExit(3), "It ends the program"),
        (MemoryError(), "MemoryError"),
        (OwnError("of my own"), "It raises OwnError"),
    ],
)
def test_exceptions_of_every_kind_are_told(error, words):
    assert words in repr(check("c3-delta", raising(error)))


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


@pytest.mark.parametrize(
    ("id_", "change", "words"),
    [
        ("c3-delta", lambda x: x.astype(np.float16), "about 3 digits"),
        ("c3-delta", lambda x: x * 1.00003, "is 1.00003 times"),
        ("loss", lambda x: [x], "without the brackets around it"),
    ],
)
def test_what_is_nearly_right_is_told_what_it_lacks(id_, change, words):
    right = exercises()[id_].function()
    assert words in repr(check(id_, lambda *args: change(right(*args))))


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e300, 1e-320])
@pytest.mark.parametrize("id_", ["case-at", "h3", "h4", "ablation"])
def test_no_constant_is_found_in_what_is_infinite(id_, value):
    right = exercises()[id_].function()

    def one(*args):
        found = np.array(right(*args), dtype=float)
        found.flat[0] = value
        return found

    feedback = check(id_, one)
    assert feedback.state == "wrong"
    assert np.isfinite(value) or "it returns " in repr(feedback)
    assert np.isfinite(value) or not feedback.findings


@pytest.mark.parametrize(
    "answer",
    [
        10**5000,
        b"x",
        np,
        float,
        [1],
        {"a": 1},
        BadTextError(),
        object(),
        1j,
        np.zeros((2, 2)),
    ],
    ids=lambda v: type(v).__name__,
)
def test_check_formula_takes_anything(answer):
    feedback = check_formula("c3-delta", answer)
    assert feedback.state == "wrong"
    feedback._repr_html_()
