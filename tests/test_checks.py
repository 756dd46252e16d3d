"""Arguments of the wrong kind: each is named in an error of ours, or gives the right result."""

import math

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, Rectangle, Sigmoid, Triangle, init_params, loss, network
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


def test_the_loss_checks_the_outputs() -> None:
    p, spoiled = PROBLEM, [o.copy() for o in PROBLEM.trace.O]
    spoiled[-1][0, 0, 0] = math.nan
    with pytest.raises(ValueError, match=r"trace\.O\[N\] must be finite, got nan at index"):
        loss(network.Trace(U=p.trace.U, O=spoiled), p.targets)
    with pytest.raises(ValueError, match=r"trace\.O\[N\] must have shape \(T, S, n\[N\]\)"):
        loss(network.Trace(U=p.trace.U, O=[p.spikes[0]]), p.targets)


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
