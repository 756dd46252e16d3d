"""The oracle of the definition: each coordinate, and honest refusals."""

import math

import numpy as np
import pytest
from hypothesis import given

from stbp_edu import LIF, Gaussian, Params, Rectangle, Sigmoid, Triangle, backward, cases, network
from stbp_edu.losses import Membrane
from stbp_edu.neuron import GATES
from stbp_edu.verify import autodiff, comparison, finite_difference, trials
from stbp_edu.verify.coordinates import Coordinate, Node
from stbp_edu.verify.finite_difference import StepSizeError, partial, twin_loss
from tests.networks import make_problem, problems

SURROGATES = (Rectangle, Triangle, Sigmoid, Gaussian)


def judge(net, rule):
    """Return the sweep on the smooth twin, and what was measured."""
    spikes, targets, params, neuron = net
    trace = network.forward(spikes, params, neuron, spike=neuron.H)
    got = cases.sweep(trace, targets, params, neuron, rule=rule)
    return got, finite_difference.derivatives(spikes, targets, params, neuron)


@pytest.mark.slow
@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize(("tau", "a"), [(0.1, 0.5), (0.9, 2.0)])
def test_c1_c2_c3_c4_c5_exact_at_every_coordinate(surrogate, gate, tau, a):
    """Rtol 1e-6 and atol 1e-9 for each W, b, u and o."""
    neuron = LIF(tau=tau, v_th=0.5, surrogate=surrogate(a=a), gate=gate)
    net = trials.draw(np.random.default_rng(7), (3, 2, 2), 3, neuron)
    got, measured = judge(net, "exact")
    assert not comparison.failures(got, measured, comparison.DIFFERENCES)


@given(problem=problems(max_layers=3, max_steps=3, max_width=2, max_batch=2))
def test_def_delta_and_def_epsilon_are_exact_on_any_small_network(problem):
    net = (problem.spikes, problem.targets, problem.params, problem.neuron)
    got, measured = judge(net, "exact")
    assert not comparison.failures(got, measured, comparison.DIFFERENCES)
    for kind in ("W", "b"):  # the same in NumPy's own words
        for g, m in zip(
            getattr(got.gradients, kind), getattr(measured.gradients, kind), strict=True
        ):
            if m is not None:
                np.testing.assert_allclose(g, m, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("surrogate", [Sigmoid(a=0.5), Gaussian(a=1.0)])
@pytest.mark.parametrize(
    ("sizes", "T"),
    [((2, 1), 1), ((2, 2), 2), ((2, 2), 3), ((2, 2, 1), 1), ((2, 1, 2), 2), ((1, 2, 1, 2), 3)],
)
def test_err_classic_fails_exactly_where_it_drops_paths(sizes, T, surrogate, gate):
    """No local derivative is 0 here, so that a dropped path shows."""
    neuron = LIF(tau=0.5, v_th=0.5, surrogate=surrogate, gate=gate)
    net = trials.draw(np.random.default_rng(3), sizes, T, neuron)
    got, measured = judge(net, "classic")
    N = len(sizes) - 1
    for one in comparison.comparisons(got, measured):
        passes = one.error(comparison.DIFFERENCES) <= 1e-6
        assert passes == comparison.equal_under_classic(one, T, N), str(one)
    everywhere = not comparison.failures(got, measured, comparison.DIFFERENCES)
    assert everywhere == (T == 1 or (N == 1 and T <= 2))


def one_neuron(u, surrogate, v_th=0.0):
    """A network of one neuron and one step whose potential is ``u``."""
    neuron = LIF(tau=0.5, v_th=v_th, surrogate=surrogate)
    params = Params(W=[None, np.array([[1.0]])], b=[None, np.array([u - 1.0])])
    return np.ones((1, 1, 1)), np.zeros((1, 1)), params, neuron


@pytest.mark.parametrize("u", [-0.5, 0.5])
def test_a_potential_on_a_joint_of_h1_is_refused(u):
    with pytest.raises(StepSizeError, match="crosses a joint of H; draw another network"):
        partial(("b", 1, (0,)), *one_neuron(u, Rectangle(a=1.0)))


def test_a_joint_of_h1_nearby_makes_the_step_smaller():
    """u is 1e-4 inside the window: the first step would leave it."""
    net = one_neuron(0.5 - 1e-4, Rectangle(a=1.0))
    expected = 1 - 1e-4  # dL/du = o · h, with o = H(u) and h = 1
    assert partial(("u", 1, (0, 0, 0)), *net) == pytest.approx(expected, rel=1e-6)
    step = finite_difference.STEPS[0]
    crude = [finite_difference.twin_loss(*net, ("b", 1, (0,)), k * step) for k in (-1, 1)]
    assert abs((crude[1] - crude[0]) / (2 * step) - expected) > 0.1


def test_a_curve_too_steep_to_measure_is_refused():
    with pytest.raises(StepSizeError, match="two steps never agree"):
        partial(("b", 1, (0,)), *one_neuron(0.0, Sigmoid(a=1e-7)))


@pytest.mark.parametrize(
    ("surrogate", "joints"),
    [(Rectangle(a=3.0), (-1.5, 1.5)), (Triangle(a=0.25), (-4.0, 0.0, 4.0))],
)
@pytest.mark.parametrize("v_th", [0.0, 0.75])
def test_no_slope_is_taken_across_a_joint_of_h1_or_h2(surrogate, joints, v_th):
    for joint in joints:
        with pytest.raises(StepSizeError, match="crosses a joint of H"):
            partial(("b", 1, (0,)), *one_neuron(joint + v_th, surrogate, v_th))
        for off in (joint - 0.1, joint + 0.1):
            v = np.array(off)
            expected = surrogate.antiderivative(v) * surrogate.derivative(v)  # o h, as L = o²/2
            measured = partial(("b", 1, (0,)), *one_neuron(off + v_th, surrogate, v_th))
            assert measured == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("surrogate", [Sigmoid(a=0.5), Gaussian(a=0.5)])
def test_the_smooth_curves_have_no_joint(surrogate):
    v = np.array(0.0)
    expected = surrogate.antiderivative(v) * surrogate.derivative(v)
    assert partial(("b", 1, (0,)), *one_neuron(0.0, surrogate)) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("u", [-7e-3, -9e-3])
def test_a_small_slope_of_a_steep_curve_is_as_exact_relative_to_its_size(u):
    net, v = one_neuron(u, Sigmoid(a=1e-3)), np.array(u)
    expected = Sigmoid(a=1e-3).antiderivative(v) * Sigmoid(a=1e-3).derivative(v)
    assert partial(("b", 1, (0,)), *net) == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_a_slope_that_drowns_in_the_losss_rounding_is_as_good_as_0():
    """L is near 1/2, and its slope -h(-5) = -e^(-25) / √π."""
    spikes, _, params, neuron = one_neuron(-5.0, Gaussian(a=0.5))
    slope = partial(("b", 1, (0,)), spikes, np.ones((1, 1)), params, neuron)
    assert slope == pytest.approx(-math.exp(-25) / math.sqrt(math.pi), abs=1e-10)


def test_one_potential_on_a_joint_is_enough_to_refuse():
    """Of two neurons, the first; the bias of the second can be measured."""
    params = Params(W=[None, np.ones((2, 1))], b=[None, np.array([-0.5, -0.8])])
    neuron = LIF(tau=0.5, v_th=0.0, surrogate=Rectangle(a=1.0))
    net = (np.ones((1, 1, 1)), np.zeros((1, 2)), params, neuron)
    with pytest.raises(StepSizeError, match="crosses a joint of H"):
        partial(("b", 1, (0,)), *net)
    assert partial(("b", 1, (1,)), *net) == pytest.approx(0.7, rel=1e-8)  # o h, u = 0.2


@pytest.mark.parametrize("a", [1e-3, 2e-4])
def test_a_steep_curve_is_measured_with_steps_as_small_as_it_needs(a):
    """The narrower one needs the smallest step that there is."""
    net, v = one_neuron(2 * a, Sigmoid(a)), np.array(2 * a)
    expected = Sigmoid(a).antiderivative(v) * Sigmoid(a).derivative(v)
    assert partial(("b", 1, (0,)), *net) == pytest.approx(expected, rel=1e-7)


def test_a_refusal_names_the_steps_the_place_and_the_reason():
    with pytest.raises(StepSizeError) as refused:
        partial(("W", 1, (0, 0)), *one_neuron(0.5, Rectangle(a=1.0)))
    assert str(refused.value) == (
        "no step from 3e-04 to 1e-06 measures dL/dW of layer 1 at (0, 0): a potential crosses a "
        "joint of H; draw another network"
    )


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("T", [1, 3])
def test_the_twins_loss_is_that_of_the_packages_pass(gate, T):
    """Without a nudge, and with one of a parameter, on three samples."""
    neuron = LIF(tau=0.6, v_th=0.4, surrogate=Gaussian(0.5), gate=gate)
    net = trials.draw(np.random.default_rng(8), (2, 3, 2), T, neuron, S=3)
    spikes, targets, params, _ = net

    def loss(params):
        trace = network.forward(spikes, params, neuron, spike=neuron.H)
        return np.sum((targets - trace.O[-1].mean(axis=0)) ** 2) / (2 * 3)

    assert twin_loss(*net) == pytest.approx(loss(params), rel=1e-13)
    assert isinstance(twin_loss(*net), float)
    for kind, n, at in (("W", 1, (2, 0)), ("W", 2, (1, 2)), ("b", 1, (1,)), ("b", 2, (0,))):
        moved = Params(
            W=[None, *(w.copy() for w in params.W[1:])], b=[None, *(b.copy() for b in params.b[1:])]
        )
        getattr(moved, kind)[n][at] += 0.25
        assert twin_loss(*net, (kind, n, at), 0.25) == pytest.approx(loss(moved), rel=1e-13)


def test_a_loss_of_potentials_reads_those_of_the_last_layer():
    neuron = LIF(tau=0.6, v_th=0.4, surrogate=Gaussian(0.5))
    net = trials.draw(np.random.default_rng(8), (2, 3, 2), 3, neuron, S=3)
    u = network.forward(net.spikes, net.params, neuron, spike=neuron.H).U[2][-1]
    expected = np.sum((net.targets - u) ** 2) / (2 * 3)
    assert twin_loss(*net, loss=Membrane()) == pytest.approx(expected, rel=1e-13)
    slope = partial(("b", 2, (0,)), *net, loss=Membrane())
    assert slope == pytest.approx(
        autodiff.derivatives(*net, spike=neuron.H, loss=Membrane()).gradients.b[2][0], rel=1e-8
    )


def test_a_nudged_potential_moves_its_spike_too_and_a_nudged_spike_what_follows():
    """The second of two samples, at the first of two steps, on the neuron of the paper."""
    w, b, tau, v_th = 0.8, 0.1, 0.5, 1.0

    def loss(du=0.0, do=0.0):
        o, u = [[0.0, 0.0], [0.0, 0.0]], 0.0
        for s in (0, 1):
            u = w + b + (du if s else 0.0)
            o[s][0] = twin(u - v_th) + (do if s else 0.0)
            u = u * tau * math.exp(-o[s][0] / tau) + w + b
            o[s][1] = twin(u - v_th)
        return sum((1 - sum(of) / 2) ** 2 for of in o) / 4

    net = (np.ones((2, 2, 1)), np.ones((2, 1)), PAPER_NETWORK, PAPER_NEURON)
    assert twin_loss(*net, Coordinate("u", 1, (0, 1, 0)), 0.3) == pytest.approx(loss(du=0.3))
    assert twin_loss(*net, Coordinate("o", 1, (0, 1, 0)), 0.3) == pytest.approx(loss(do=0.3))
    assert twin_loss(*net, Node("o", 1, 0, 0), 0.3) == pytest.approx(loss(do=0.3))  # all alike
    assert twin_loss(*net, ("o", 1, (0, 1, 0))) == pytest.approx(loss())


@pytest.mark.parametrize(
    "place",
    ["W", None, (1, 1, (0,)), ("b", 1.0, (0,)), ("b", 1, (0.0,)), ("b", 1, [0]), ("b", 1)],
)
def test_what_is_no_place_is_refused(place):
    with pytest.raises(
        TypeError, match=r"coordinate must be a Node or \(kind, n, index\), got .*;"
    ):
        partial(place, *one_neuron(0.2, Gaussian()))


def test_numpys_integers_name_a_place_as_well():
    net = one_neuron(0.2, Gaussian())
    place = ("W", np.int64(1), (np.int64(0), np.int64(0)))
    assert partial(place, *net) == partial(Coordinate("W", 1, (0, 0)), *net)


@pytest.mark.parametrize(
    ("kind", "last"), [("W", (2, 1)), ("b", (2,)), ("u", (3, 1, 2)), ("o", (3, 1, 2))]
)
def test_the_last_entry_is_measured_and_one_beyond_it_is_refused(kind, last):
    net = trials.draw(np.random.default_rng(0), (2, 3, 1), 4, LIF(surrogate=Gaussian()), S=2)
    assert partial((kind, 1, last), *net) != 0
    for axis in range(len(last)):
        beyond = (*last[:axis], last[axis] + 1, *last[axis + 1 :])
        before = (*last[:axis], -1, *last[axis + 1 :])
        for at in (beyond, before, last[:-1], (*last, 0)):
            with pytest.raises(ValueError, match="coordinate at must be an index into shape"):
                partial((kind, 1, at), *net)
    for n in (0, 3):
        with pytest.raises(ValueError, match=f"n must be a layer from 1 to 2, got {n}; pick one"):
            partial((kind, n, last), *net)


@pytest.mark.parametrize("wrong", ["spikes", "targets", "params", "neuron"])
def test_what_does_not_fit_together_is_not_measured(wrong):
    spikes, targets, params, neuron = one_neuron(0.2, Gaussian())
    good = {"spikes": spikes, "targets": targets, "params": params, "neuron": neuron}
    bad = {"spikes": spikes[0], "targets": targets[0], "params": "params", "neuron": "neuron"}
    with pytest.raises((TypeError, ValueError), match=wrong):
        partial(("b", 1, (0,)), **{**good, wrong: bad[wrong]})


@pytest.mark.parametrize(
    ("coordinate", "message"),
    [
        (("x", 1, (0,)), "coordinate kind must be one of"),
        (("W", 2, (0, 0)), "coordinate n must be a layer from 1 to 1, got 2"),
        (("u", 1, (1, 0, 0)), r"coordinate at must be an index into shape \(1, 1, 1\)"),
        (("b", 1, (-1,)), r"coordinate at must be an index into shape \(1,\)"),
    ],
)
def test_a_coordinate_that_is_not_there(coordinate, message):
    with pytest.raises(ValueError, match=message):
        partial(coordinate, *one_neuron(0.2, Gaussian()))


def test_float32_is_refused():
    problem = make_problem(0, [2, 1], 2, 1, LIF(), dtype=np.float32)
    with pytest.raises(TypeError, match="params must be float64, got float32"):
        partial(("b", 1, (0,)), problem.spikes, problem.targets, problem.params, problem.neuron)


def test_an_oracle_does_not_change_what_it_measures():
    problem = make_problem(0, [2, 2, 1], 2, 1, LIF(surrogate=Gaussian()))
    before = backward(problem.trace, problem.targets, problem.params, problem.neuron)
    finite_difference.derivatives(problem.spikes, problem.targets, problem.params, problem.neuron)
    after = backward(problem.trace, problem.targets, problem.params, problem.neuron)
    for n in (1, 2):
        assert np.array_equal(before.W[n], after.W[n])


# What δ and ε are, by their definitions, on one neuron over two steps that fits on paper.
PAPER_NEURON = LIF(tau=0.5, v_th=1.0, surrogate=Gaussian(a=0.5))
PAPER_NETWORK = Params(W=[None, np.array([[0.8]])], b=[None, np.array([0.1])])
PULSES, TARGET = np.ones((2, 1, 1)), np.ones((1, 1))


def twin(v):
    return 0.5 * (1 + math.erf(v))  # the Gaussian with a = 1/2


def h(v):
    return math.exp(-v * v) / math.sqrt(math.pi)


u1 = 0.9
o1 = twin(u1 - 1)
u2 = u1 * 0.5 * math.exp(-2 * o1) + 0.9
o2 = twin(u2 - 1)
d2 = -(1 - (o1 + o2) / 2) / 2  # the loss is (1 - rate)² / 2, and the rate (o1 + o2) / 2
e2 = d2 * h(u2 - 1)


def measured(kind, t):
    return finite_difference.partial(
        (kind, 1, (t, 0, 0)), PULSES, TARGET, PAPER_NETWORK, PAPER_NEURON
    )


def test_def_delta_counts_the_direct_path_and_the_one_through_the_reset():
    d1 = d2 + e2 * u1 * -math.exp(-2 * o1)
    assert measured("o", 1) == pytest.approx(d2, rel=1e-8)
    assert measured("o", 0) == pytest.approx(d1, rel=1e-8)


def test_def_epsilon_counts_the_path_through_the_spike_and_the_one_that_carries_on():
    d1 = d2 + e2 * u1 * -math.exp(-2 * o1)
    e1 = d1 * h(u1 - 1) + e2 * 0.5 * math.exp(-2 * o1)
    assert measured("u", 1) == pytest.approx(e2, rel=1e-8)
    assert measured("u", 0) == pytest.approx(e1, rel=1e-8)
