"""How a wrong answer is searched for what is wrong: each step of the search by itself."""

import ast
from types import SimpleNamespace

import numpy as np
import pytest

from stbp_edu import LIF
from stbp_edu.practice.grading import formula_parts, relations, where
from stbp_edu.practice.grading.blame import Blame, made_of
from stbp_edu.practice.grading.finding import Finding
from stbp_edu.practice.grading.formula_parts import Part
from stbp_edu.practice.grading.inlining import results
from stbp_edu.practice.grading.locate import Locator
from stbp_edu.practice.grading.probe import Probe, all_close, close, is_movable
from stbp_edu.practice.grading.relations import changes_of, constant_words, factor_words, relation
from stbp_edu.practice.grading.responses import dependence, scaling
from stbp_edu.practice.grading.rows import (
    BIAS,
    FORWARD,
    INPUT,
    SILENT,
    SPIKED,
    Rows,
)
from stbp_edu.practice.grading.substitutions import folded, substitutions
from stbp_edu.practice.grading.terms import Term, terms
from stbp_edu.practice.tasks import Inputs, draw_network

NAN = np.nan
RNG = np.random.default_rng(4)
DRAWN = [
    tuple(RNG.uniform(0.2, 0.9, (2, 3)) * RNG.choice([1, -1], (2, 3)) for _ in range(3))
    for _ in range(4)
]
INPUTS = [Inputs(args, f"call {k}", T=k + 1, S=2) for k, args in enumerate(DRAWN)]
NAMES = ("x", "y", "z")


def probe(function, right, inputs=INPUTS, names=NAMES):
    """Return a probe of one result, which may fail."""

    def asked(f):
        def ask(args):
            try:
                return [np.asarray(f(*args), dtype=float)]
            except ArithmeticError:
                return None

        return ask

    return Probe(names, asked(function), asked(right), inputs)


def right(x, y, z):
    return x + y * z


# ---- when two values are equal, and which of them can be moved


@pytest.mark.parametrize(
    ("a", "b", "rtol", "equal"),
    [
        ([1.0, 2.0], [1.0, 2.0], 1e-6, True),
        ([1.0, 2.0], [1.0], 1e-6, False),
        ([NAN, NAN], [1.0, 2.0], 1e-6, False),
        ([NAN, 2.0], [1.0, 2.0], 1e-6, True),
        ([NAN, 3.0], [1.0, 2.0], 1e-6, False),
        ([1 + 0.9e-6], [1.0], 1e-6, True),
        ([1 + 1.1e-6], [1.0], 1e-6, False),
        ([0.9e-9, 1.0], [0.0, 1.0], 1e-6, True),
        ([1.1e-9, 1.0], [0.0, 1.0], 1e-6, False),
        ([0.9e-13], [0.0], 1e-6, True),
        ([1.1e-13], [0.0], 1e-6, False),
        ([np.inf, 1.0], [np.inf, 1.0], 1e-6, True),
        ([np.inf, 1.0], [-np.inf, 1.0], 1e-6, False),
        ([1.0], [np.inf], 1e-6, False),
        ([-1.0], [1.0], 1e-6, False),
    ],
)
def test_values_are_close_where_they_are_known(a, b, rtol, equal):
    assert close(np.array(a), np.array(b), rtol) is equal
    assert all_close([np.ones(1), np.array(a)], [np.ones(1), np.array(b)], rtol) is equal


@pytest.mark.parametrize(
    ("value", "movable"),
    [(1.0, True), (np.ones(2), True), (1, False), (np.ones(2, int), False), ("a", False)],
)
def test_floats_can_be_moved(value, movable):
    assert is_movable(value) is movable


def test_a_probe_moves_each_entry_by_an_amount_of_its_own():
    asked = probe(right, right)
    x, y, z = DRAWN[0]
    a, moved, c = asked.moved((x, y, z), 1)
    assert (a is x, c is z) == (True, True)
    factors = moved / y
    assert ((factors >= 0.4) & (factors <= 0.9)).all()
    assert len(np.unique(factors.round(6))) == factors.size
    number = Probe(["x"], *[lambda args: [np.ones(1)]] * 2, [Inputs((0.5,), "")])
    assert isinstance(number.moved((0.5,), 0)[0], float)
    assert 0.2 <= number.moved((0.5,), 0)[0] <= 0.45


def test_a_probe_switches_inputs_off():
    off = Probe.without((2.0, np.ones(2), 3.0), [1, 2])
    assert (off[0], off[1].tolist(), off[2]) == (2.0, [0.0, 0.0], 0.0)


def test_situations_are_spread_over_the_inputs_and_a_little_smaller():
    asked = probe(right, right, [*INPUTS, *INPUTS[:3]])
    assert [i.where for i in asked.situations] == ["call 0", "call 2", "call 0"]
    for i in asked.situations:
        k = int(i.where[-1])
        for now, before in zip(i.args, DRAWN[k], strict=True):
            assert ((now / before >= 0.8) & (now / before <= 1.0)).all()
            assert (now != before).any()
        assert (k + 1, 2) == (i.T, i.S)


def test_situations_are_those_where_the_function_answers_and_nothing_is_zero():
    zero = Inputs((np.zeros((2, 3)), *DRAWN[0][1:]), "zero", T=2, S=2)
    some = Inputs((np.diag([1.0, 0.0, 0.0])[:2], *DRAWN[0][1:]), "some", T=2, S=2)
    fails = Inputs((np.full((2, 3), 9.0), *DRAWN[0][1:]), "fails", T=2, S=2)
    one = Inputs(DRAWN[0], "one", T=1, S=1)

    def picky(x, y, z):
        if x.max() > 5:
            raise ArithmeticError
        return right(x, y, z)

    asked = probe(picky, right, [zero, some, fails, one])
    assert [i.where for i in asked.situations] == ["some"]
    assert [i.where for i in probe(picky, right, [zero, one]).situations] == ["zero", "one"]
    assert [i.where for i in probe(picky, right, [fails]).situations] == ["fails"]
    steps = Inputs(DRAWN[0], "steps", T=2, S=1)
    assert [i.where for i in probe(right, right, [one, steps]).situations] == ["steps"]
    single = Probe(["x"], *[lambda args: [args[0]]] * 2, [Inputs((np.ones(2),), "one", 1, 1)])
    assert [i.where for i in single.situations] == ["one"]


def test_numbers_stay_as_they_are_where_they_are_whole():
    asked = Probe(("n", "x"), *[lambda args: [args[1]]] * 2, [Inputs((3, np.ones(2)), "", 2, 2)])
    assert asked.movable == [1]
    assert asked.situations[0].args[0] == 3


def test_both_answers_are_given_or_none():
    got, want = probe(lambda x, y, z: x, right).both(lambda i: i.args, 0)
    assert [g.shape for g in got] == [w.shape for w in want] == [(2, 3)] * 3
    np.testing.assert_allclose(want[0] - got[0], np.prod(probe(right, right).situations[0].args[1:],
                                                         axis=0))  # fmt: skip
    for bad in (lambda x, y, z: 1 // 0, lambda x, y, z: x[0]):
        assert probe(bad, right).both(lambda i: i.args, 0) == ([], [])
    assert probe(right, lambda x, y, z: 1 // 0).both(lambda i: i.args, 0) == ([], [])


def test_a_function_that_changes_its_arguments_spoils_nothing():
    def vandal(x, y, z):
        x[...] = 0.0
        return y

    asked = probe(vandal, right)
    args = asked.situations[0].args
    asked.ask(args)
    assert args[0].all()


# ---- how a value relates to the right one


X = np.array([[0.5, -2.0, 3.0], [1.5, 0.25, -0.75]])
P = np.abs(X)
TWO = [Inputs((), "", T=3, S=2), Inputs((), "", T=5, S=4)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: 2 * x, "is doubled"),
        (lambda x: -x, "has its sign turned round"),
        (lambda x: x / 3, "is 1/3 times what it should be"),
        (lambda x: 0 * x, "is missing: 0 stands there"),
        (lambda x: 0 * x + 1, "is missing: 1 stands there"),
        (np.abs, "is taken without its sign"),
        (lambda x: -np.abs(x), "is taken without its sign, and the sign is turned round"),
        (np.square, "is squared"),
        (lambda x: -np.square(x), "is squared, and its sign is turned round"),
        (lambda x: x**3, "is cubed"),
        (lambda x: 1 / x, "is turned upside down"),
        (lambda x: -1 / x, "is turned upside down, with its sign turned round"),
        (lambda x: np.sqrt(np.abs(x)), "has the square root of its size taken"),
        (np.sign, "is replaced by its sign"),
        (lambda x: 1 - x, "is taken from 1"),
        (np.exp, "stands in an exponential"),
        (lambda x: np.roll(x, 1, 0), "is moved by one place along its first axis"),
        (lambda x: x + 0.3, "is larger by 0.3"),
        (lambda x: x - 0.3, "is smaller by 0.3"),
        (lambda x: 0 * x + 7.25, "is replaced by 7.25"),
        (lambda x: x + x[:1], ""),
        (lambda x: x.T, ""),
        (lambda x: x + NAN, ""),
    ],
)
def test_a_relation_is_found_in_words(change, words):
    got, want = [change(X), change(1.3 * X)], [X, 1.3 * X]
    assert relation(got, want, TWO, 1e-6) == words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x.T, "is transposed"),
        (lambda x: np.roll(x, -1, 0), "is moved back by one place along its first axis"),
        (lambda x: x[::-1], "is turned round along its first axis"),
        (np.sqrt, "has its square root taken"),
        (np.log, "lacks its exponential"),
    ],
)
def test_a_relation_of_positive_squares_is_found_in_words(change, words):
    square = np.array([[0.5, 2.0, 3.0], [1.5, 0.25, 0.75], [1.1, 0.9, 0.4]])
    got, want = [change(square), change(1.3 * square)], [square, 1.3 * square]
    assert relation(got, want, TWO, 1e-6) == words


@pytest.mark.parametrize(
    ("axis", "over"), [(0, "its first axis"), (1, "its second axis"), (None, "all axes")]
)
@pytest.mark.parametrize(
    ("fold", "words"),
    [
        (np.sum, "is added up over"),
        (np.mean, "is averaged over"),
        (np.max, "is replaced by its largest value over"),
        (np.min, "is replaced by its smallest value over"),
    ],
)
def test_a_fold_over_an_axis_is_found(fold, words, axis, over):
    got = [np.broadcast_to(fold(x, axis=axis, keepdims=True), x.shape) for x in (X, 1.3 * X)]
    assert relation(got, [X, 1.3 * X], TWO, 1e-6) == f"{words} {over}"


def test_folds_have_the_names_of_the_axes():
    said = [[words for words, _ in changes_of(n)][len(relations.CHANGES) :] for n in range(4)]
    assert [len(words) for words in said] == [0, 4, 12, 16]
    assert said[1][0] == "is added up over its entries"
    assert said[3][2:4] == ["is added up over its third axis", "is added up over all axes"]


def test_what_is_unknown_is_left_out_of_a_relation():
    got = [np.where(X > 2, NAN, 2 * X), 2.6 * X]
    assert relation(got, [X, 1.3 * X], TWO, 1e-6) == "is doubled"
    assert relation([np.where(X > 2, NAN, 7.25)], [X], TWO[:1], 1e-6) == "is replaced by 7.25"
    assert relation([X * NAN], [X], TWO[:1], 1e-6) == ""


def test_what_is_equal_has_no_relation():
    assert relation([X, 1.3 * X], [X, 1.3 * X], TWO, 1e-6) == ""


def test_a_number_of_its_own_in_each_situation_is_no_relation():
    assert relation([2 * X, 3 * X], [X, X], TWO, 1e-6) == ""
    assert relation([X + 2, X + 3], [X, X], TWO, 1e-6) == ""
    assert relation([X + 2, np.sin(9 * X)], [X, X], TWO, 1e-6) == ""
    assert relation([2 * X], [X], TWO[:1], 1e-6) == "is doubled"
    assert relation([0 * X + 7.25, 0 * X + 8.5], [X, X], TWO, 1e-6) == ""


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1.0, ""),
        (1 + 0.9e-5, ""),
        (1 + 1.1e-5, "is 1 times what it should be"),
        (0.9e-12, "is missing: 0 stands there"),
        (1.1e-12, "is 1.1e-12 times what it should be"),
        (-1 + 0.9e-5, "has its sign turned round"),
        (2 - 0.9e-5, "is doubled"),
        (-2.0, "is -2 times what it should be"),
        (0.5, "is 0.5 times what it should be"),
        (2 / 3, "is 2/3 times what it should be"),
        (11 / 12, "is 11/12 times what it should be"),
        (12 / 13, "is 0.9231 times what it should be"),
        (-1 / 3 * (1 + 2e-6), "is -0.3333 times what it should be"),
    ],
)
def test_a_constant_factor_is_told(factor, words):
    assert constant_words(factor) == words


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda i: i.T, "is T times what it should be"),
        (lambda i: 1 / i.T, "is T^-1 times what it should be"),
        (lambda i: i.S**2, "is S^2 times what it should be"),
        (lambda i: -i.T * i.S, "is -T·S times what it should be"),
        (lambda i: 2 * i.T / i.S, "is 2·T·S^-1 times what it should be"),
        (lambda i: 3.0, "is 3 times what it should be"),
        (lambda i: i.T**3, ""),
        (lambda i: i.T + 1, ""),
        (lambda i: 1.0, ""),
    ],
)
def test_a_factor_of_steps_and_samples_is_told(rule, words):
    inputs = [*TWO, Inputs((), "", T=7, S=3)]
    assert factor_words([rule(i) for i in inputs], inputs, 1e-6) == words


def test_a_factor_is_the_same_number_up_to_the_tolerance():
    assert factor_words([2.0, 2.0 + 1e-4], TWO, 1e-6) == ""
    assert factor_words([2.0, 2.0 + 1e-5], TWO, 1e-6) == "is doubled"


# ---- a formula's parts, and what would have to stand in one


def part_of(formula, text):
    """Return the part of a formula that reads like this."""
    whole = Part(ast.parse(formula, mode="eval").body)
    return next(p for p in whole.walk() if ast.unparse(p.node) == text)


VALUES = {"a": np.array([2.0, 3.0]), "b": np.array([4.0, -5.0]), "c": np.array([0.5, 0.25])}


@pytest.mark.parametrize(
    ("formula", "part", "answer", "needed"),
    [
        ("a + b", "a + b", [1.0, 2.0], [1.0, 2.0]),
        ("a + b", "a", [7.0, 8.0], [3.0, 13.0]),
        ("a + b", "b", [7.0, 8.0], [5.0, 5.0]),
        ("a - b", "a", [7.0, 8.0], [11.0, 3.0]),
        ("a - b", "b", [7.0, 8.0], [-5.0, -5.0]),
        ("a * b", "a", [8.0, 10.0], [2.0, -2.0]),
        ("a * b", "b", [8.0, 9.0], [4.0, 3.0]),
        ("a / b", "a", [8.0, 9.0], [32.0, -45.0]),
        ("a / b", "b", [8.0, 0.0], [0.25, NAN]),
        ("a * (b - b)", "a", [8.0, 0.0], [NAN, NAN]),
        ("-a", "a", [7.0, 8.0], [-7.0, -8.0]),
        ("+a", "a", [7.0, 8.0], [7.0, 8.0]),
        ("a + b * c", "c", [10.0, 8.0], [2.0, -1.0]),
        ("a ** 2", "a", [9.0, -4.0], [3.0, NAN]),
        ("b ** 2", "b", [9.0, 16.0], [3.0, -4.0]),
        ("a ** 3", "a", [27.0, -8.0], [3.0, -2.0]),
        ("exp(a)", "a", [1.0, np.e], [0.0, 1.0]),
        ("np.exp(a)", "a", [1.0, np.e], [0.0, 1.0]),
        ("np.tanh(a)", "a", [0.0, np.tanh(2.0)], [0.0, 2.0]),
        ("sqrt(a)", "a", [2.0, 3.0], [4.0, 9.0]),
        ("abs(b)", "b", [7.0, 8.0], [7.0, -8.0]),
        ("abs(b)", "b", [-7.0, 8.0], [NAN, -8.0]),
        ("np.clip(a, 0, 5)", "a", [4.0, 5.0], [4.0, NAN]),
        ("np.clip(a, 0, 5)", "a", [0.0, 0.1], [NAN, 0.1]),
        ("np.maximum(a, 1)", "a", [1.0, 100.0], [NAN, 100.0]),
    ],
)
def test_what_would_have_to_stand_in_a_part(formula, part, answer, needed):
    found = part_of(formula, part).needed(np.array(answer), VALUES)
    np.testing.assert_allclose(found, needed)


def test_a_number_is_turned_into_itself_by_float():
    assert part_of("float(d) * 2", "d").needed(np.array(6.0), {"d": 1.0}) == 3.0


@pytest.mark.parametrize(
    ("formula", "parts"),
    [
        ("a + b * c", ["a + b * c", "a", "b * c", "b", "c"]),
        ("a @ b + c", ["a @ b + c", "a @ b", "c"]),
        ("a ** 2 - (-b)", ["a ** 2 - -b", "a ** 2", "a", "-b", "b"]),
        ("a ** b", ["a ** b"]),
        ("exp(a) / np.sum(b)", ["exp(a) / np.sum(b)", "exp(a)", "a", "np.sum(b)"]),
        ("np.clip(a, b, c)", ["np.clip(a, b, c)", "a"]),
        ("x.exp(a)", ["x.exp(a)"]),
        ("float(a)", ["float(a)", "a"]),
    ],
)
def test_an_answer_is_carried_down_to_these_parts(formula, parts):
    whole = Part(ast.parse(formula, mode="eval").body)
    assert [ast.unparse(p.node) for p in whole.walk()] == parts
    assert all(p.way[0] is whole and p.way[-1] is p for p in whole.walk())


def test_the_names_and_the_value_of_a_part():
    part = part_of("a + b * c", "b * c")
    assert part.names == {"b", "c"}
    np.testing.assert_allclose(part.value(VALUES), [2.0, -1.25])
    for formula, want in (("exp(a)", np.exp), ("sqrt(a)", np.sqrt), ("abs(-a)", np.abs)):
        np.testing.assert_allclose(part_of(formula, formula).value(VALUES), want(VALUES["a"]))
    assert part_of("np.exp(a)", "np.exp(a)").called == "exp"
    assert part_of("a", "a").called == ""
    assert part_of("m.exp(a)", "m.exp(a)").called == part_of("f(a)(b)", "f(a)(b)").called == ""


@pytest.mark.parametrize(
    ("value", "shape", "folded"),
    [
        ([[1.0, 2.0], [1.0, 2.0]], (2,), [1.0, 2.0]),
        ([[1.0, 2.0], [1.0, 3.0]], (2,), None),
        ([[1.0, 1.0], [2.0, 2.0]], (2, 1), [[1.0], [2.0]]),
        ([[1.0, 1.0], [1.0, 1.0]], (), 1.0),
        ([[1.0, NAN], [NAN, 2.0]], (2,), [1.0, 2.0]),
        ([1.0, 2.0], (2, 2), [[1.0, 2.0], [1.0, 2.0]]),
        ([1.0, 2.0], (3,), None),
        ([[1.0], [1 + 1e-7]], (1,), [1.0]),
        ([[1.0], [1 + 1e-5]], (1,), None),
        ([[-1.0], [-1.001]], (1,), None),
        ([[-1.0], [-1.0 - 1e-7]], (1,), [-1.0]),
        ([[0.0], [1e-19]], (1,), [0.0]),
        ([[1.0], [1.0], [1 + 2e-6]], (1,), None),
        ([[1e-9], [2e-9]], (1,), None),
        ([[1e3], [1e3 + 1e-4]], (1,), [1e3]),
    ],
)
def test_axes_that_a_part_has_not_are_folded_away(value, shape, folded):
    found = formula_parts._fold(np.array(value), shape)
    if folded is None:
        assert found is None
    else:
        assert found.shape == shape
        np.testing.assert_allclose(found, folded, rtol=1e-6, atol=1e-12)


def test_the_lines_of_an_answer_become_one_formula_for_each_result():
    source = "def f(x, y):\n    import_ = x * 2\n    u, o = y.shape\n    return import_ + u, o\n"
    parts, imports = results(source)
    assert [ast.unparse(p.node) for p in parts] == ["x * 2 + y.shape[0]", "y.shape[1]"]
    assert imports == {}
    one, taken = results("def f(x):\n    from math import pi\n    return pi * x\n")
    assert [ast.unparse(p.node) for p in one] == ["pi * x"]
    assert taken["pi"] == np.pi
    assert results("def f(x):\n    for k in x:\n        pass\n    return x\n") is None
    assert results("def f(x):\n    y = x\n") is None


# ---- which part is to blame


def reading(function, formula="x + y * z"):
    """Return what a locator finds in a wrong answer."""
    whole = Part(ast.parse(formula, mode="eval").body)
    space = {"np": np}
    asked = probe(function, eval(f"lambda x, y, z: {formula}", space))
    return Locator(asked, formula=whole, axes=("sample", "neuron"))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x, y, z: 2 * right(x, y, z), "Your result is doubled."),
        (lambda x, y, z: x + y * np.abs(z), "Yours is what the right formula gives when `z` is "
         "taken without its sign."),
        (lambda x, y, z: x * x + y * z, "One part alone explains it: `x` is squared."),
        (lambda x, y, z: x + 3 * y * z, "One part alone explains it: the product made of `y` and "
         "`z` is 3 times what it should be."),
        (lambda x, y, z: x + y * (z + 0.25), "One part alone explains it: `z` is larger by 0.25."),
        (lambda x, y, z: x + y * x, "One part alone explains it: `z` is replaced by `x`."),
        (lambda x, y, z: x + y * (2 * x), "One part alone explains it: `z` is replaced by `x`, "
         "which is doubled."),
        (lambda x, y, z: x - y * z, "One part alone explains it: the product made of `y` and `z` "
         "has its sign turned round."),
    ],
)  # fmt: skip
def test_what_is_to_blame_is_named_with_what_is_wrong(function, said):
    assert [f.text for f in reading(function).findings()] == [said]


def test_a_part_that_something_else_stands_for_says_what_it_depends_on():
    texts = [f.text for f in reading(lambda x, y, z: x + y * np.sin(3 * x * z) ** 2).findings()]
    assert texts[0] == (
        "One part alone explains it: something else stands in place of `z`, and it depends on "
        "`x` too."
    )
    alone = [f.text for f in reading(lambda x, y, z: x + y * np.cos(7 * x)).findings()]
    assert alone[0] == (
        "One part alone explains it: something else stands in place of `z`, and it depends on "
        "`x` too and does not depend on `z`."
    )


def test_parts_are_called_by_what_is_in_them():
    assert made_of(["a"], part_of("a + b", "a")) == "`a`"
    assert made_of(["a", "b"], part_of("a * b + c", "a * b")) == "the product made of `a` and `b`"
    assert made_of(["a", "b"], part_of("a @ b + c", "a @ b")) == "the product made of `a` and `b`"
    assert made_of(["a", "b"], part_of("(a + b) * c", "a + b")) == "the part made of `a` and `b`"
    assert made_of([], part_of("2 + c", "2")) == "a number"


def test_nobody_is_to_blame_for_a_function_that_fails_or_is_right():
    whole = Part(ast.parse("x + y * z", mode="eval").body)
    assert Blame(probe(lambda x, y, z: 1 // 0, right), whole).found() == []
    assert Blame(probe(right, right), whole).found() == []


def test_a_part_is_replaced_by_an_input_only_where_it_is_in_every_situation():
    half = 0.5 * (DRAWN[0][0].max() + DRAWN[1][0].max())

    def sometimes(x, y, z):
        return x + y * (x if x.max() > half else np.sin(9 * x))

    texts = [f.text for f in reading(sometimes).findings()]
    assert not [text for text in texts if "is replaced by" in text]


def test_where_nothing_explains_an_answer_its_entries_and_its_growth_are_told():
    def odd(x, y, z):
        return np.where(x > 0, right(x, y, z), np.sin(7 * x * y + z) + 2)

    found = reading(odd).findings()
    assert ("It is wrong where `x` is negative, and right everywhere else.", "where") in [
        (f.text, f.kind) for f in found
    ]


# ---- terms, substitutions, responses


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (right, [(("x",), "right", ""), (("y", "z"), "right", "")]),
        (lambda x, y, z: x, [(("x",), "right", ""), (("y", "z"), "missing", "")]),
        (lambda x, y, z: x + 2 * y * z, [(("x",), "right", ""), (("y", "z"), "wrong",
                                                                 "is doubled")]),
        (lambda x, y, z: x + y * z + 1, [((), "extra", ""), (("x",), "right", ""),
                                         (("y", "z"), "right", "")]),
        (lambda x, y, z: x + y * z + x * z, [(("x",), "right", ""), (("x", "z"), "extra", ""),
                                             (("y", "z"), "right", "")]),
        (lambda x, y, z: x + y * z * z, [(("x",), "right", ""),
                                         (("y", "z"), "wrong",
                                          "holds `z` to the power 2, not 1")]),
        (lambda x, y, z: x + (y * z)[::-1], [(("x",), "right", ""), (("y", "z"), "wrong",
         "is moved by one place along its first axis")]),
    ],
)  # fmt: skip
def test_terms_are_found_by_switching_inputs_off(function, expected):
    assert terms(probe(function, right), 0) == [Term(*one) for one in expected]


def test_terms_of_one_sign_are_told_from_rounding():
    def negative(x, y, z):
        return -(x * x) - y * y - z * z

    assert terms(probe(negative, negative), 0) == [Term((name,), "right") for name in NAMES]


def test_an_input_is_switched_off_only_where_the_right_formula_has_a_value_in_every_situation():
    largest = sorted(z.max() for _, _, z in (i.args for i in probe(right, right).situations))

    def sometimes(x, y, z):
        with np.errstate(all="ignore"):
            return y + (1 / x if z.max() > largest[0] else x)

    assert ("y",) in [term.names for term in terms(probe(sometimes, sometimes), 0)]


def test_a_power_is_told_only_where_doubling_is_one_factor_everywhere_however_small_the_term():
    inputs = [Inputs((x, 1e-9 * y, z), i.where, 2, 2) for i in INPUTS for x, y, z in [i.args]]
    asked = probe(lambda x, y, z: y * np.sin(5 * z), lambda x, y, z: y * z, inputs)
    assert terms(asked, 0) == [Term(("y", "z"), "wrong")]


def test_entries_are_judged_by_the_size_of_the_result():
    inputs = [Inputs((1e-7 * x, y, z), i.where, 2, 2) for i in INPUTS for x, y, z in [i.args]]
    asked = probe(lambda x, y, z: x * [1.001, 1, 1], lambda x, y, z: x, inputs)
    said = "It is wrong where the neuron is the first one, and right everywhere else."
    assert [f.text for f in Locator(asked).where()] == [said]
    near = probe(lambda x, y, z: x * [1 + 1e-7, 1, 1], lambda x, y, z: x, inputs)
    assert Locator(near).where() == []
    large = probe(lambda x, y, z: x * [1.001, 1, 1], lambda x, y, z: x)
    assert [f.text for f in Locator(large).where()] == [said]
    zero = [Inputs((np.abs(x) * [0, 1, 1], y, z), "", 2, 2) for x, y, z in DRAWN]
    rounded = probe(lambda x, y, z: x + 1e-10, lambda x, y, z: x, zero)
    assert Locator(rounded).where() == []


def test_entries_are_not_told_where_an_answer_is_missing_or_of_another_shape():
    assert Locator(probe(lambda x, y, z: 1 // 0, right)).where() == []
    assert Locator(probe(right, lambda x, y, z: 1 // 0)).where() == []
    alike = probe(lambda x, y, z: x[:1] * [1.001, 1, 1], lambda x, y, z: x[:1] + 0 * x)
    assert Locator(alike).where() == []


def test_a_finding_names_the_inputs_of_the_part_it_blames():
    (found,) = reading(lambda x, y, z: x + 3 * y * z).findings()
    assert (found.kind, found.names) == ("part", {"y", "z"})
    assert [ast.unparse(node) for node in found.nodes] == ["y * z"]


def test_terms_are_not_found_where_a_zero_is_not_finite_or_the_function_fails():
    with np.errstate(all="ignore"):
        found = terms(probe(lambda x, y, z: 1 / x, lambda x, y, z: 1 / x + y), 0)
    assert found == [Term((), "right"), Term(("y",), "missing")]
    assert terms(probe(lambda x, y, z: 1 // 0, right), 0) == []
    many = [Inputs(tuple(np.ones(2) for _ in range(10)), "", 2, 2)]
    names = [f"x{k}" for k in range(10)]
    asked = probe(lambda *a: sum(a), lambda *a: sum(a), many, names)
    assert terms(asked, 0) == []
    nine = [Inputs(many[0].args[:9], "", 2, 2)]
    assert len(terms(probe(lambda *a: sum(a), lambda *a: sum(a), nine, names[:9]), 0)) == 9


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x, y, z: x + (y + 1) * z, "when +1 is added to `y`"),
        (lambda x, y, z: x + (y - 0.5) * z, "when -0.5 is added to `y`"),
        (lambda x, y, z: x + x * z, "with `x` in place of `y`"),
        (lambda x, y, z: x + np.abs(y) * z, "when `y` is taken without its sign"),
        (lambda x, y, z: x + 3 * y * z, "when `y` is 3 times what it should be"),
        (lambda x, y, z: x + y * z * z, "with `y` times `z` in place of `y`"),
        (lambda x, y, z: x + 0.5 * y * z, "when `y` is 0.5 times what it should be"),
        (lambda x, y, z: x + y * z / 3, "when `y` is 1/3 times what it should be"),
        (lambda x, y, z: x + 2 * y * z, "when `y` is doubled"),
        (lambda x, y, z: x + 4 * y * z, "when `z` is 4 times what it should be"),
        (lambda x, y, z: x + y * z / 4, "when `z` is 0.25 times what it should be"),
        (lambda x, y, z: x + (y - 1) * z, "when -1 is added to `y`"),
        (lambda x, y, z: x + (y + 2) * z, "when +2 is added to `y`"),
        (lambda x, y, z: x + (y + 0.5) * z, "when +0.5 is added to `y`"),
        (lambda x, y, z: x + y * z / x, "with `y` divided by `x` in place of `y`"),
    ],
)
def test_an_answer_may_be_the_right_formula_of_something_else(function, said):
    name = said.split("`")[-2]
    assert (said, frozenset({name})) in substitutions(probe(function, right), 0)


def test_a_whole_number_may_be_taken_for_another():
    inputs = [
        Inputs((3, np.array([0.5, 0.7])), "", 2, 2),
        Inputs((4, np.array([0.2, 0.9])), "", 2, 2),
    ]
    for function, said in (
        (lambda n, x: (n + 1) * x, "when +1 is added to `n`"),
        (lambda n, x: (n - 1) * x, "when -1 is added to `n`"),
        (lambda n, x: (2 * n) * x, "with twice `n`"),
        (lambda n, x: n**2 * x, "with `n` squared"),
    ):
        asked = probe(function, lambda n, x: n * x, inputs, ("n", "x"))
        assert (said, frozenset({"n"})) in substitutions(asked, 0)


def test_a_right_answer_or_a_failing_one_is_the_formula_of_nothing_else():
    assert substitutions(probe(lambda x, y, z: x + np.sin(9 * y * z), right), 0) == []
    assert substitutions(probe(lambda x, y, z: 1 // 0, right), 0) == []


@pytest.mark.parametrize(
    ("fold", "words"),
    [
        (lambda x: x.sum(axis=0), "when `x` is added up over its axis 0"),
        (lambda x: x.mean(axis=1), "when `x` is averaged over its axis 1"),
        (lambda x: x.sum(), "when `x` is added up over all its entries"),
    ],
)
def test_an_input_that_is_folded_is_told(fold, words):
    def solution(args):
        return [np.asarray(args[0] * 2.0)]

    asked = probe(lambda x, y, z: 2.0 * fold(x), lambda x, y, z: 2.0 * x)
    assert folded(asked, solution, 0) == [(words, frozenset({"x"}))]
    silent = probe(lambda x, y, z: 0.0 * fold(x), lambda x, y, z: 0.0 * x)
    assert folded(silent, lambda args: [np.asarray(0.0 * args[0])], 0) == []


@pytest.mark.parametrize(
    ("function", "exact", "grown"),
    [
        (lambda x, y, z: x * x * y, lambda x, y, z: x * y, {"x": ("2", "4 times")}),
        (lambda x, y, z: np.sin(x) * y, lambda x, y, z: x * y, {"x": ("2", "not")}),
        (lambda x, y, z: x * y + 1, lambda x, y, z: x * y,
         {"x": ("2", "not"), "y": ("2", "not")}),
        (lambda x, y, z: x * y * z, lambda x, y, z: x * y, {"z": ("1", "2 times")}),
        (lambda x, y, z: x / y, lambda x, y, z: x * x / y**3,
         {"x": ("4", "2 times"), "y": ("0.125", "0.5 times")}),
        (lambda x, y, z: 1e-9 * np.sin(x), lambda x, y, z: 1e-9 * x, {"x": ("2", "not")}),
        (lambda x, y, z: 0 * x, lambda x, y, z: x, {}),
        (lambda x, y, z: x[:0], lambda x, y, z: x, {}),
        (lambda x, y, z: 1 // 0, lambda x, y, z: x, {}),
        (lambda x, y, z: x, lambda x, y, z: 1 // 0, {}),
        (lambda x, y, z: 2 * x + y, right, {}),
    ],
)  # fmt: skip
def test_how_an_answer_grows_is_told(function, exact, grown):
    found = {f.names: f.text for f in scaling(probe(function, exact), 0)}
    assert found == {
        frozenset({name}): f"Doubling `{name}` makes the right result {times} times as large, and "
        f"yours {own}."
        for name, (times, own) in grown.items()
    }


def test_growth_is_judged_at_the_largest_entry():
    zero = [Inputs((x * [0, 1, 1], y, z), "", 2, 2) for x, y, z in DRAWN]
    found = scaling(probe(lambda x, y, z: x * x * y, lambda x, y, z: x * y, zero), 0)
    assert [f.names for f in found] == [{"x"}]


@pytest.mark.parametrize("fails", [lambda x: x.max() > 1, lambda x: x.max() <= 1])
def test_an_answer_that_is_missing_before_or_after_doubling_is_not_told_of(fails):
    def picky(x, y, z):
        if fails(np.abs(x)):
            raise ArithmeticError
        return x * x * y

    assert scaling(probe(picky, lambda x, y, z: x * y), 0) == []


@pytest.mark.parametrize(
    ("function", "said", "names"),
    [
        (lambda x, y, z: x + y * z + np.sin(x),
         "What is wrong does not depend on `y` and `z`: look at what `x` does.", {"x"}),
        (lambda x, y, z: x + y * z + 1, "What is wrong does not depend on `x`, `y` and `z`.", ()),
        (lambda x, y, z: x + y * z + 1e-6 * np.sin(x),
         "What is wrong does not depend on `y` and `z`: look at what `x` does.", {"x"}),
        (lambda x, y, z: x + y * z + np.sin(x) * [[0, 1, 1], [1, 1, 1]],
         "What is wrong does not depend on `y` and `z`: look at what `x` does.", {"x"}),
    ],
)  # fmt: skip
def test_what_the_error_depends_on_is_told(function, said, names):
    assert dependence(probe(function, right), 0) == [Finding(said, "depends", frozenset(names))]


def test_an_error_that_depends_on_everything_or_is_unknown_is_not_told_of():
    assert dependence(probe(lambda x, y, z: x * y * z, right), 0) == []
    assert dependence(probe(lambda x, y, z: 1 // 0, right), 0) == []
    assert dependence(probe(lambda x, y, z: x[0], right), 0) == []


# ---- where an answer is wrong


CELLS = [(t, n, T, N) for T in (1, 3) for N in (2, 3) for t in range(T) for n in range(1, N + 1)]


@pytest.mark.parametrize(
    ("holds", "words"),
    [
        (lambda t, n, T, N: t == T - 1, "t is the last step"),
        (lambda t, n, T, N: t != T - 1, "t is not the last step"),
        (lambda t, n, T, N: n == N, "n is the output layer"),
        (lambda t, n, T, N: n < N, "n is below the output layer"),
        (lambda t, n, T, N: t == 0, "t is the first step"),
        (lambda t, n, T, N: n == 1, "n is the lowest layer"),
        (lambda t, n, T, N: t == T - 1 or n == N, "t is the last step or n is the output layer"),
        (lambda t, n, T, N: t < T - 1 or n < N,
         "t is before the last step or n is below the output"),
        (lambda t, n, T, N: t == T - 1 or n < N,
         "t is the last step or n is below the output layer"),
        (lambda t, n, T, N: t < T - 1 or n == N,
         "t is before the last step or n is the output layer"),
        (lambda t, n, T, N: t == T - 1 and n == N, "the cell belongs to case 1"),
        (lambda t, n, T, N: t == T - 1 and n < N, "the cell belongs to case 2"),
        (lambda t, n, T, N: t < T - 1 and n == N, "the cell belongs to case 3"),
        (lambda t, n, T, N: t < T - 1 and n < N, "the cell belongs to case 4"),
        (lambda t, n, T, N: t == 1, "`t` is 1"),
        (lambda t, n, T, N: n != 2, "`n` is not 2"),
        (lambda t, n, T, N: T == 1, "`T` is 1"),
        (lambda t, n, T, N: N == 3, "`N` is not 2"),
        (lambda t, n, T, N: t == 0 and n == N, "n is the output layer and t is the first step"),
    ],
)  # fmt: skip
def test_calls_that_are_wrong_have_a_cell_in_common(holds, words):
    inputs = [Inputs(cell, "") for cell in CELLS]
    wrong = np.array([holds(*cell) for cell in CELLS])
    found = where.calls_that_are_wrong(("t", "n", "T", "N"), inputs, wrong)
    assert found == f"It is wrong where {words}, and right everywhere else."


def test_calls_that_are_wrong_now_and_then_are_told_so():
    inputs = [Inputs(cell, "") for cell in CELLS]
    wrong = np.array([cell in ((0, 2, 3, 2), (1, 3, 3, 3)) for cell in CELLS])
    found = where.calls_that_are_wrong(("t", "n", "T", "N"), inputs, wrong)
    assert found == "It is wrong only where t is not the last step, though not always there."
    assert where.calls_that_are_wrong(("t", "n", "T", "N"), inputs, ~wrong & wrong) == ""
    assert where.calls_that_are_wrong(("t", "n", "T", "N"), inputs, ~wrong | wrong) == ""


def test_calls_are_told_apart_by_their_steps_and_words():
    inputs = [Inputs((1.0, kind), "", T=T) for T in (1, 4) for kind in ("hard", "soft")]
    steps = np.array([True, True, False, False])
    words = np.array([True, False, True, False])
    said = "It is wrong where {}, and right everywhere else."
    for wrong, text in (
        (steps, "there is one step only"),
        (~steps, "there is more than one step"),
        (words, "`gate` is 'hard'"),
        (words & steps, "`gate` is 'hard' and there is one step only"),
    ):
        found = where.calls_that_are_wrong(("x", "gate"), inputs, wrong)
        assert found == said.format(text)


V = np.array([[-2.0, 0.5, 3.0], [1.0, 0.0, -0.5]])


@pytest.mark.parametrize(
    ("holds", "words"),
    [
        (lambda v, i, j: i == 0, "the sample is the first one"),
        (lambda v, i, j: j != 0, "the neuron is not the first one"),
        (lambda v, i, j: j == 2, "the neuron is the last one"),
        (lambda v, i, j: j != 2, "the neuron is not the last one"),
        (lambda v, i, j: v > 0, "`v` is positive"),
        (lambda v, i, j: v < 0, "`v` is negative"),
        (lambda v, i, j: v == 0, "`v` is 0"),
        (lambda v, i, j: v != 0, "`v` is not 0"),
        (lambda v, i, j: v == 0.5, "`v` is equal to `limit`"),
        (lambda v, i, j: v > 0.5, "`v` is above `limit`"),
        (lambda v, i, j: v < 0.5, "`v` is below `limit`"),
        (lambda v, i, j: v >= 2, "`v` is above about 3"),
        (lambda v, i, j: v <= -0.9, "`v` is below about -2"),
        (lambda v, i, j: abs(v) > 0.75, "the size of `v` is above about 1"),
        (lambda v, i, j: abs(v) < 0.75, "the size of `v` is below about 0.5"),
    ],
)
def test_entries_that_are_wrong_have_something_in_common(holds, words):
    wrong = holds(V, *np.indices(V.shape))
    inputs = [Inputs((V, 0.5), "")]
    found = where.entries_that_are_wrong(("v", "limit"), inputs, [wrong])
    assert found == f"It is wrong where {words}, and right everywhere else."


def test_entries_that_are_wrong_now_and_then_are_told_so():
    wrong = np.zeros((2, 3), bool)
    wrong[0, 1] = wrong[1, 2] = True
    inputs = [Inputs((V, 9.0), "")]
    found = where.entries_that_are_wrong(("v", "limit"), inputs, [wrong])
    assert (
        found == "It is wrong only where the neuron is not the first one, though not always there."
    )
    for all_or_none in (wrong & ~wrong, wrong | ~wrong):
        assert where.entries_that_are_wrong(("v", "limit"), inputs, [all_or_none]) == ""
    assert where.entries_that_are_wrong(("v",), inputs, []) == ""


@pytest.mark.parametrize(
    ("function", "texts"),
    [
        (lambda x, y, z: x + y * z, []),
        (lambda x, y, z: x.sum(axis=0) + y * z,
         ["An entry of `x` moves entries of your result that it must not move: it mixes samples."]),
        (lambda x, y, z: x.sum(axis=1, keepdims=True) + y * z,
         ["An entry of `x` moves entries of your result that it must not move: it mixes neurons."]),
        (lambda x, y, z: x + y * z * [[1], [0]],
         ["Some entries of `y` have no part in your result, such as the one at index (1, 0).",
          "Some entries of `z` have no part in your result, such as the one at index (1, 0)."]),
        (lambda x, y, z: y * z, []),
        (lambda x, y, z: x[0], []),
        (lambda x, y, z: 1 // 0, []),
    ],
)  # fmt: skip
def test_what_is_mixed_or_left_out_is_told(function, texts):
    found = where.mixing(probe(function, right), 0, ("sample", "neuron"))
    assert [text for text, _ in found] == texts
    assert all(names == {text.split("`")[1]} for text, names in found)


def test_steps_and_entries_are_mixed_in_the_plural():
    one = [Inputs((np.array([0.3, 0.5, 0.9]),), "", 2, 2)]
    asked = Probe(["x"], lambda a: [a[0] + a[0].sum()], lambda a: [a[0]], one)
    assert where.mixing(asked, 0, ("t",))[0][0].endswith("it mixes steps.")
    assert where.mixing(asked, 0, ())[0][0].endswith("it mixes entries.")


# ---- the steps of a forward run


def test_the_rows_of_a_run_hold_what_may_enter_a_potential():
    neuron = LIF(tau=0.5, v_th=1.0)
    u, o = np.array([2.0, 0.5, 0.8, 0.4]), np.array([1.0, 0.0, 0.5, 1.0])
    rows = Rows(u, o, np.array([0.1, 0.2, 0.3, 0.6]), np.array([0.7]), neuron)
    f = neuron.f(o)
    columns = rows.columns()
    for name, want in {
        SILENT: [0, 0, 0.5 * f[1], 0],
        SPIKED: [0, 2.0 * f[0], 0, 0.8 * f[2]],  # half a spike counts as one
        INPUT: [0.1, 0.2, 0.3, 0.6],
        BIAS: [0.7, 0.7, 0.7, 0.7],
        "the last potential with the gate of this step's spike": [
            *(0, 2.0 * f[1], 0.5 * f[2], 0.8 * f[3]),
        ],
        "the input of the step before": [0, 0.1, 0.2, 0.3],
        "the last spike": [0, 1, 0, 0.5],
        "a constant": [1, 1, 1, 1],
        "a constant at the first step": [1, 0, 0, 0],
    }.items():
        np.testing.assert_allclose(columns[name], want, err_msg=name)
    np.testing.assert_array_equal(rows.spikes(), [1.0, 0.0, 0.0, 0.0])


def test_the_rows_of_a_network_take_their_input_from_the_layer_below():
    net = draw_network(5, (3, 2, 2), T=3, S=2, tau=0.5, smooth=False)
    inputs = SimpleNamespace(args=(net.trace.O[0], net.params, net.neuron))
    answer = [*net.trace.U[1:], *net.trace.O]
    first, second = FORWARD["forward"](inputs, answer)
    np.testing.assert_array_equal(first.u, net.trace.U[1])
    np.testing.assert_array_equal(second.o, net.trace.O[2])
    np.testing.assert_allclose(second.below, net.trace.O[1] @ net.params.W[2].T)
    np.testing.assert_array_equal(second.bias, net.params.b[2])
    x, u, o = np.eye(3)
    (one,) = FORWARD["lif-run"](SimpleNamespace(args=(x, 0.3, 0.9)), [u, o])
    assert (one.neuron.tau, one.neuron.v_th, one.bias.tolist()) == (0.3, 0.9, [0.0])
    assert (one.below is x, one.u is u, one.o is o) == (True, True, True)
