"""Surrogates: adding one, and those that reach far below the threshold."""

from dataclasses import dataclass

import numpy as np
import pytest

from stbp_edu import LIF, ATan, FastSigmoid, Gaussian, arrows, derive
from stbp_edu.arrows import hard_reset
from stbp_edu.program.machine_code import installed
from stbp_edu.surrogates import Curve
from tests.programs import Program


@dataclass(frozen=True)
class Gudermann(Curve):
    """H(v) = 1/2 + 2 arctan(tanh(v / 2a)) / π, as the recipe of the architecture page adds one."""

    formula = "1 / 2 + 2 * atan(tanh(v / (2 * a))) / pi"

    def h(self, v, xp):
        return 1 / (np.pi * self.a * xp.cosh(v / self.a))

    def twin(self, v, xp):
        return 0.5 + 2 / np.pi * xp.arctan(xp.tanh(v / (2 * self.a)))


@pytest.mark.skipif(not installed(), reason="needs Numba")
@pytest.mark.parametrize("kind", [ATan, FastSigmoid, Gudermann])
def test_what_a_curve_calls_of_numpy_can_be_compiled(kind):
    net = arrows.network("3-4-2", hard_reset(LIF(v_th=0.3, surrogate=kind(0.5))))
    rng = np.random.default_rng(0)
    params, inputs, y = (
        arrows.draw_params(net, rng),
        rng.random((4, 2, 3)),
        rng.random((2, 2)),
    )
    found = {}
    for backend in ("numpy", "compiled"):
        program = Program(net, backend=backend)
        found[backend] = program.gradients(params, program.forward(params, inputs), y)
    for one, other in zip(found["numpy"][1:], found["compiled"][1:], strict=True):
        for name in one:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-11, atol=1e-14)


def test_h5_h6_reach_where_a_gaussian_has_no_gradient_left():
    far = np.array([-60.0])
    assert Gaussian(0.5).derivative(far) == 0
    for kind in (ATan, FastSigmoid):
        assert kind(0.5).derivative(far) > 1e-5


def test_h5_h6_are_those_of_the_frameworks_in_their_own_letters():
    """snnTorch's ATan with α, and its fast sigmoid with slope k, which is 2a times as high."""
    v, alpha, k = np.linspace(-3, 3, 13), 2.0, 25.0
    theirs = alpha / 2 / (1 + (np.pi / 2 * alpha * v) ** 2)
    ours = ATan(2 / (np.pi * alpha)).derivative(v)
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)
    theirs = 1 / (k * np.abs(v) + 1) ** 2
    ours = 2 / k * FastSigmoid(1 / k).derivative(v)
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_the_sigmoid_that_the_errors_advise_has_a_gradient_far_from_0():
    """In float32, where e^90 is infinite."""
    with pytest.raises(ValueError, match="define it in a line above: sigmoid") as error:
        derive("u = sigmoid(u) + x\no = spike(u - 1)")
    line = str(error.value).partition("above: ")[2].splitlines()[0]
    net = arrows.network(
        "1-1", derive(f"{line}\nu = sigmoid(u) + x\no = spike(u - 1)").neuron
    )
    params = [None, {"W": np.ones((1, 1), np.float32), "b": np.zeros(1, np.float32)}]
    inputs = np.full((3, 1, 1), -100, np.float32)
    found = Program(net, backend="numpy")
    trace = found.forward(params, inputs)
    grads = found.gradients(params, trace, np.ones((1, 1), np.float32))
    assert np.isfinite(grads[1]["W"]).all()
