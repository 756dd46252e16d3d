"""The front door: every neuron, rule and layer, against automatic differentiation and Part II."""

import copy
import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, derive, losses
from stbp_edu.arrows import Rule
from stbp_edu.parameters import by_layer, named_arrays
from tests.arrows.oracle import by_autodiff

LIF_LINEAR = LIF(tau=0.9, v_th=0.5, gate="linear")
TWO_STATES = derive(
    "i = alpha * i + x; u = tau * u * (1 - o) + i; o = spike(u - v_th)",
    alpha=0.6, tau=0.9, v_th=0.5,
)  # fmt: skip
READ_OUT = "kappa = 0.9; u = kappa * u + x"
NETWORKS = {
    "LIF": ("3-3-2", LIF_LINEAR),
    "two states": ("3-3-2", TWO_STATES),
    "read-out": ("3-3-2", [LIF_LINEAR, READ_OUT]),
    "convolution": ("4x4-2C3-2", LIF_LINEAR),
    "recurrent, learned": (
        "3-2R-2",
        [derive("u = tau * u * (1 - o) + x; o = spike(u - v_th)", tau=0.9, v_th=0.5,
                learn=["tau"], learn_each=["v_th"]), READ_OUT],
    ),
}  # fmt: skip
SLOW = pytest.mark.slow  # it compiles
RULES = ("exact", "e-prop", "detached-reset")


def drawn(name, *, smooth=False, dtype=float):
    """Return a network, its parameters, a forward pass and targets."""
    net = stbp_edu.network(*NETWORKS[name])
    rng = np.random.default_rng(3)
    params = net.init(rng, dtype, scale=1.5)
    spikes = rng.random((4, 2, *net.table.shape)).astype(dtype)
    targets = rng.random((2, net.table.sizes[-1])).astype(dtype)
    return net, params, net.forward(spikes, params, twin=smooth), targets


def refused(words):
    """Expect an error that says so."""
    return pytest.raises((TypeError, ValueError), match=words)


def close(found, expected):
    """Return the largest difference of two sets of arrays, relative to the largest entry."""
    assert list(found) == list(expected)
    pairs = [(found[name], expected[name]) for name in expected]
    largest = max(np.abs(b).max() for _, b in pairs)
    assert largest > 1e-3
    return max(np.abs(a - b).max() for a, b in pairs) / largest


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("smooth", [False, True], ids=["spikes", "twin"])
def test_exact_gradients_are_those_of_automatic_differentiation(name, smooth):
    net, params, trace, targets = drawn(name, smooth=smooth)
    inputs = trace.O[0]
    expected, _ = by_autodiff(net.table, by_layer(params), inputs, targets, smooth)
    found = net.backward(trace, targets, params).arrays()
    assert close(found, named_arrays(expected)) < 1e-12


COMPILED = [
    (name, rule, dtype) for name in NETWORKS for rule in RULES for dtype in ("f4", "f8")
]
QUICK = ("two states", "e-prop", "f4")


@pytest.mark.parametrize(
    ("name", "rule", "dtype"),
    [pytest.param(*one, marks=() if one == QUICK else SLOW) for one in COMPILED],
)
def test_compiled_and_numpy_agree_in_both_precisions(name, rule, dtype):
    pytest.importorskip("numba")
    net, params, trace, targets = drawn(name, dtype=np.dtype(dtype))
    fast = stbp_edu.network(*NETWORKS[name], backend="compiled")
    assert (net.computes, fast.computes) == ("numpy", "compiled")
    found = fast.backward(fast.forward(trace.O[0], params), targets, params, rule)
    assert all(a.dtype == dtype for a in found.arrays().values())
    expected = net.backward(trace, targets, params, rule)
    assert close(found.arrays(), expected.arrays()) < (1e-4 if dtype == "f4" else 1e-12)


class Quartic:
    """A loss of one's own, of potentials."""

    def value(self, trace, targets):
        return float(((trace.U[-1][-1] - targets) ** 4).sum())

    def direct(self, trace, targets):
        slopes = np.zeros_like(trace.U[-1])
        slopes[-1] = 4 * (trace.U[-1][-1] - targets) ** 3
        return losses.Direct(None, slopes)


@pytest.mark.parametrize("loss", [Quartic(), *losses.LOSSES])
def test_every_loss_goes_through_by_itself_and_by_its_name(loss):
    net, params, trace, targets = drawn("two states", smooth=True)
    targets = targets / targets.sum(axis=1, keepdims=True)
    own = stbp_edu.network(*NETWORKS["two states"], loss=loss)
    found = own.backward(trace, targets, params)
    made = losses.loss_named(loss) if isinstance(loss, str) else loss
    for given in (loss, made):
        again = net.backward(trace, targets, params, loss=given)
        assert close(again.arrays(), found.arrays()) == 0
    W = params.W[1]
    W[0, 0] += 1e-6
    up = own.value(own.forward(trace.O[0], params, twin=True), targets)
    W[0, 0] -= 2e-6
    down = own.value(own.forward(trace.O[0], params, twin=True), targets)
    assert found.W[1][0, 0] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-9)


class OwnSurrogate:
    """A surrogate that is not a curve of the package."""

    def derivative(self, v):
        return np.exp(-np.abs(v)) / 2

    def antiderivative(self, v):
        half = np.exp(-np.abs(v)) / 2
        return np.where(v >= 0, 1 - half, half)


def test_a_rule_and_a_surrogate_of_ones_own():
    lif = LIF(tau=0.9, v_th=0.5, surrogate=OwnSurrogate())
    net = stbp_edu.network("3-4-2", lif)
    rng = np.random.default_rng(0)
    params, spikes, targets = net.init(rng), rng.random((5, 2, 3)), rng.random((2, 2))
    trace = stbp_edu.forward(spikes, params, lif)
    mine = Rule("no time", {"all": {"time": None, "*": "all"}})
    found = net.backward(net.forward(spikes, params), targets, params, mine)
    same = stbp_edu.backward(trace, targets, params, lif, "spatial-only")
    assert close(found.arrays(), same.arrays()) < 1e-12


def test_each_neuron_is_taken_as_lif_derived_table_or_text():
    text = "u = u * tau * (1 - o) + x; o = spike(u - v_th)"
    mine = derive(text, tau=0.9, v_th=0.5)
    rng = np.random.default_rng(0)
    spikes, params = rng.random((5, 2, 3)), stbp_edu.init_params([3, 4, 2], rng)
    runs = [
        stbp_edu.network("3-4-2", neuron).forward(spikes, params).U[2]
        for neuron in (LIF_LINEAR, mine, mine.neuron, f"tau = 0.9; v_th = 0.5; {text}")
    ]
    other = "tau = 0.9; z = z * tau * (1 - s) + x; s = spike(z - 0.5)"
    trace = stbp_edu.network("3-4-2", other).forward(spikes, params)
    assert trace["s"][1] is trace.O[1]
    for run in (*runs[1:], trace.U[2]):
        np.testing.assert_allclose(run, runs[0], rtol=1e-12)
    with refused(r"neuron must be an LIF, what stbp_edu\.derive"):
        stbp_edu.network("3-2", 3)


def test_networks_and_derived_neurons_can_be_copied_and_pickled():
    net, params, trace, _ = drawn("recurrent, learned")
    for other in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert other.forward(trace.O[0], params).U[2].tobytes() == trace.U[2].tobytes()
    again = pickle.loads(pickle.dumps((TWO_STATES, params)))
    assert repr(again[0]) == repr(TWO_STATES)
    assert list(again[1].arrays()) == list(params.arrays())


NOT_FINITE = {
    "u = 0.5 * sqrt(u) * (1 - o) + x; o = spike(u - 0.4)": (
        r"line 1 of the neuron, u = 0.5 \* sqrt\(u\).*: u is not .* layer 1; .* values"
    ),
    "u = x / u; o = spike(u - 0.4)": "u is not finite at step 0 of layer 1",
    "u = 5 * exp(9 * u) + x; o = spike(u - 0.4)": "u is not finite at step 2 of layer 1",
    "f(v) = v ** 2; u = 9 * f(u) + 2 + x; o = spike(u - 0.4)": "line 1 .*: u is not finite",
    "v = log(x); u = max(v, 0.1); o = spike(u - 0.4)": r"line 1 .*, v = log\(x\): v is not",
}


@pytest.mark.parametrize("backend", ["numpy", pytest.param("compiled", marks=SLOW)])
@pytest.mark.parametrize("text", NOT_FINITE)
def test_a_state_that_is_not_finite_is_named(text, backend):
    if backend == "compiled":
        pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        net = stbp_edu.network("4-8-3", text, backend=backend)
        params = net.init(rng, dtype)
        with refused(NOT_FINITE[text]):
            net.forward(rng.random((12, 5, 4)).astype(dtype), params)


TRANSLATED = r"for a time constant of 2 steps it is 0\.5 or exp\(-1/2\)"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("u = tau * u * (1 - o) + x; o = spike(u - 1)", "tau = 2 is the share of u"),
        ("i = 1.5 * i + x; u = u / tau + i - o; o = spike(u - 1)", "1.5 is the share of i"),
        ("u = u + (tau - 1) * u + x - o; o = spike(u - 1)", "= 2 is the share of u"),
    ],
)  # fmt: skip
def test_a_decay_of_1_or_more_warns_once_with_the_translation(lines, words):
    with pytest.warns(UserWarning, match=f"{words}.*{TRANSLATED}") as caught:
        derive(lines, tau=2.0)
    assert len(caught) == 1
    with pytest.warns(UserWarning, match=f"{words}.*{TRANSLATED}"):
        stbp_edu.network("3-2", f"tau = 2; {lines}")
    with pytest.warns(UserWarning, match=f"tau = 2 is the share.*{TRANSLATED}"):
        LIF(tau=2.0)


def test_a_decay_that_has_been_learned_past_1_warns():
    leaky = derive("u = tau * u + x; o = spike(u - 1)", tau=0.9, learn_each=["tau"])
    net = stbp_edu.network("2-3", leaky)
    params = net.init(np.random.default_rng(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.forward(np.zeros((2, 1, 2)), params)
    said = r"tau is the share of u kept per step.*bound it: learn=\{'tau': \(0, 1\)\}"
    for value in (1.01, 2.0, -0.1):
        params.learned["tau"][1][2] = value
        with pytest.warns(UserWarning, match=said):
            net.forward(np.zeros((2, 1, 2)), params)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        net.forward(np.zeros((2, 1, 2)), params)
        net.forward(np.ones((2, 1, 2)), params)  # as evaluation does after training
    assert len(caught) == 1


def test_other_lines_do_not_warn():
    """They say so themselves, have a time constant, or what they multiply is no constant."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        derive("u = u + x - o; o = spike(u - tau)", tau=2.0)
        derive("u = u + 0.1 * (x - u) / tau; o = spike(u - 1)", tau=2.0)
        derive("u = tau * u * x + x - o; o = spike(u - 1)", tau=2.0)


@pytest.mark.parametrize("wide", [3, 5000], ids=["small", "large"])
@pytest.mark.parametrize("of", ["stbp_edu", "network()"])
def test_a_trace_of_parameters_that_were_changed_since_is_refused(of, wide):
    """The states would be those of other weights, and the gradient wrong without a word."""
    net = stbp_edu.network([wide, 3, 2], LIF_LINEAR)
    params, y = net.init(np.random.default_rng(0)), np.ones((2, 2))
    spikes = np.ones((3, 2, wide))

    def gradient(trace, params):
        last = () if of == "network()" else (LIF_LINEAR,)
        return (net if not last else stbp_edu).backward(trace, y, params, *last).W[1]

    for trace in (
        net.forward(spikes, params),
        stbp_edu.forward(spikes, params, LIF_LINEAR),
    ):
        before = gradient(trace, params)
        assert gradient(trace, copy.deepcopy(params)).tobytes() == before.tobytes()
        for array in params.arrays().values():
            kept, array.flat[-1] = array.flat[-1], array.flat[-1] + 0.01
            with refused("changed in place since; call forward"):
                gradient(trace, params)
            array.flat[-1] = kept
        assert gradient(trace, params).tobytes() == before.tobytes()


@pytest.mark.parametrize(
    ("sizes", "neuron"),
    [
        ("3-2R-2", LIF_LINEAR),
        ("4x4-2C3-2", LIF_LINEAR),
        ("4x4-P2-2", LIF_LINEAR),
        ("3-2", derive("u = tau * u + x; o = spike(u - 1)", tau=0.9, learn=["tau"])),
    ],
)
def test_the_readable_passes_refuse_parameters_that_they_would_not_read(sizes, neuron):
    net = stbp_edu.network(sizes, neuron)
    params = net.init(np.random.default_rng(0))
    trace = net.forward(np.ones((4, 2, net.table.sizes[0])), params)
    targets = np.ones((2, 2))
    with refused("params must be W and b .* stbp_edu.network"):
        stbp_edu.forward(trace.O[0], params, LIF_LINEAR)
    with refused("params must be W and b .* stbp_edu.network"):
        stbp_edu.backward(trace, targets, params, LIF_LINEAR)
    assert net.backward(trace, targets, params).W[1].any()


@pytest.mark.parametrize(
    "other",
    [
        replace(LIF_LINEAR, tau=0.8),
        replace(LIF_LINEAR, v_th=0.6),
        replace(LIF_LINEAR, gate="exponential"),
    ],
)
def test_a_trace_of_another_neuron_is_refused(other):
    """Another surrogate is none: the spikes do not depend on it."""
    net, params, trace, y = drawn("LIF")
    of_cases = stbp_edu.forward(trace.O[0], params, LIF_LINEAR)
    for run in (trace, of_cases, stbp_edu.Trace(of_cases.U, of_cases.O)):
        for same in (LIF_LINEAR, replace(LIF_LINEAR, surrogate=stbp_edu.Triangle())):
            found = stbp_edu.backward(run, y, params, same).arrays()
            again = stbp_edu.network(net.sizes, same).backward(run, y, params).arrays()
            assert close(again, found) < 1e-12
        if run.made_with:
            with refused("of this neuron .* got one of another neuron"):
                stbp_edu.backward(run, y, params, other)
            with refused("of this neuron .* got one of another neuron"):
                stbp_edu.network(net.sizes, other).backward(run, y, params)
