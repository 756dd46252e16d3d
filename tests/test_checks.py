"""Arguments of the wrong kind: each is named in an error of ours, or gives the right result."""

import math
import re

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, Gaussian, Rectangle, Sigmoid, Triangle, cases, init_params, loss, network
from stbp_edu.network import Params
from stbp_edu.training.data import load_digits
from stbp_edu.training.evaluation import evaluate
from stbp_edu.training.settings import Settings
from tests.networks import make_problem

PROBLEM = make_problem(3, [4, 3, 2], T=4, S=2, neuron=LIF(tau=0.5, v_th=0.6))
SHAPES = (Rectangle(1.0), Triangle(1.0), Sigmoid(1.0), Gaussian(1.0))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["derivative", "antiderivative"])
def test_whole_numbers_and_pythons_own_count_as_floats(shape, name: str) -> None:
    curve = getattr(shape, name)
    expected = curve(np.array([-3.0, 0.0, 1.0]))
    np.testing.assert_array_equal(curve(np.array([-3, 0, 1])), expected)
    assert [float(curve(v)) for v in (-3, 0.0, True)] == expected.tolist()
    assert curve(np.float32(0.5)).dtype == curve(np.array([0.5], np.float32)).dtype == np.float32


@pytest.mark.parametrize("gate", ["exponential", "linear"])
@pytest.mark.parametrize("name", ["f", "df", "g", "h", "H"])
def test_so_they_do_for_the_neuron(gate: str, name: str) -> None:
    function = getattr(LIF(tau=0.5, v_th=0.6, gate=gate), name)
    expected = function(np.array([0.0, 1.0]))
    np.testing.assert_array_equal(function(np.array([0, 1])), expected)
    assert [float(function(v)) for v in (0, 1.0)] == expected.tolist()


@pytest.mark.parametrize("wrong", [None, "1", [0.0], np.array(["a"]), np.ma.array([1.0]), 1j, {}])
def test_what_is_no_array_of_numbers_is_named(wrong) -> None:
    for shape in SHAPES:
        for curve in (shape.derivative, shape.antiderivative):
            with pytest.raises(TypeError, match="v must be a NumPy array of real numbers"):
                curve(wrong)
    with pytest.raises(TypeError, match="o must be a NumPy array of real numbers"):
        LIF().f(wrong)
    with pytest.raises(TypeError, match="u must be a NumPy array of real numbers"):
        LIF().g(wrong)


@pytest.mark.parametrize("wrong", [lambda a: a.view(np.matrix), np.ma.array, list, lambda a: None])
def test_other_kinds_of_array_are_refused(wrong) -> None:
    p = PROBLEM
    for call, name in (
        (lambda: loss(p.trace, wrong(p.targets)), "targets"),
        (lambda: network.forward(wrong(p.spikes[0]), p.params, p.neuron), "spikes"),
        (lambda: stbp_edu.backward(p.trace, wrong(p.targets), p.params, p.neuron), "targets"),
        (lambda: Params(W=[None, wrong(np.ones((1, 1)))], b=[None, np.ones(1)]), "W[1]"),
    ):
        with pytest.raises(TypeError, match=rf"{re.escape(name)} must be a NumPy array"):
            call()


def test_the_loss_checks_the_outputs() -> None:
    p, spoiled = PROBLEM, [o.copy() for o in PROBLEM.trace.O]
    spoiled[-1][0, 0, 0] = math.nan
    with pytest.raises(ValueError, match=r"trace\.O\[N\] must be finite, got nan at index"):
        loss(network.Trace(U=p.trace.U, O=spoiled), p.targets)
    with pytest.raises(ValueError, match=r"trace\.O\[N\] must have shape \(T, S, n\[N\]\)"):
        loss(network.Trace(U=p.trace.U, O=[p.spikes[0]]), p.targets)


@pytest.mark.parametrize("name", ["trace", "params", "neuron"])
@pytest.mark.parametrize("wrong", [None, 3, "x", [], LIF, object()])
def test_an_argument_of_another_type_is_named(name: str, wrong) -> None:
    p = PROBLEM
    given = {"trace": p.trace, "params": p.params, "neuron": p.neuron} | {name: wrong}
    for backward in (stbp_edu.backward, cases.sweep):
        with pytest.raises(TypeError, match=f"{name} must be of type"):
            backward(given["trace"], p.targets, given["params"], given["neuron"])
    if name != "trace":
        for forward in (stbp_edu.forward, network.forward):
            with pytest.raises(TypeError, match=f"{name} must be of type"):
                forward(p.spikes, given["params"], given["neuron"])


@pytest.mark.parametrize("wrong", ["abc", None, int, "float16", 3, object()])
def test_a_dtype_that_is_none_of_ours_is_named(wrong) -> None:
    with pytest.raises(TypeError, match="dtype must be float32 or float64, got"):
        init_params([2, 1], np.random.default_rng(0), wrong)


def test_a_number_beyond_every_float_is_named() -> None:
    with pytest.raises(ValueError, match="tau must be an ordinary number"):
        LIF(tau=10**400)


IMAGES, LABELS = load_digits().test_images[:5], load_digits().test_labels[:5].astype(int)


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (IMAGES, LABELS[:4], "labels must be 5 integers"),
        (IMAGES, LABELS - 20, r"labels must lie in 0\.\.9"),
        (IMAGES, LABELS + 10, r"labels must lie in 0\.\.9"),
        (IMAGES, LABELS.astype(float), "labels must be 5 integers"),
        (IMAGES[:, :7], LABELS, "images must have shape .* with 64 pixels each"),
        (IMAGES[:0], LABELS[:0], "images must have shape"),
        ("images", LABELS, "images must be of type ndarray"),
        (IMAGES, None, "labels must be a NumPy array"),
    ],
)
def test_evaluation_takes_images_and_labels_that_fit(images, labels, said: str) -> None:
    rng = np.random.default_rng(0)
    params = init_params([64, 5, 10], rng, np.float32)
    with pytest.raises((TypeError, ValueError), match=said):
        evaluate(params, images, labels, Settings(hidden=(5,), shards=1), rng)
