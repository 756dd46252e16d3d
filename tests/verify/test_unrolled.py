"""The unrolled network: what it holds, the edges that leave a node, and its letters."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import sympy

from stbp_edu import LIF, Gaussian, Params
from stbp_edu.losses import LOSSES, CrossEntropy, Direct, LastSteps, Membrane, Rate
from stbp_edu.network import Trace, forward
from stbp_edu.verify import unrolled
from stbp_edu.verify.coordinates import Node
from stbp_edu.verify.unrolled import batch_adjoints, edges_from, rate_slopes, symbols, unroll

LINEAR = LIF(tau=0.5, v_th=0.75, surrogate=Gaussian(0.5), gate="linear")
SOFT = LIF(tau=0.5, v_th=0.75, surrogate=Gaussian(0.5), gate="soft")


def problem(neuron, sizes=(2, 3, 2), T=3, S=4):
    """The smooth twin's pass of a random network, its targets and its parameters."""
    rng = np.random.default_rng(0)
    W = [None, *(rng.normal(size=(m, k)) for k, m in pairwise(sizes))]
    params = Params(W=W, b=[None, *(rng.normal(size=m) for m in sizes[1:])])
    targets = rng.dirichlet(np.ones(sizes[-1]), S)
    trace = forward(rng.random((T, S, sizes[0])), params, neuron, spike=neuron.H)
    return trace, targets, params, neuron


@pytest.mark.parametrize("s", [0, 3])
@pytest.mark.parametrize("neuron", [LINEAR, SOFT])
def test_an_unrolled_network_is_one_sample_of_the_pass(neuron, s):
    trace, targets, params, _ = problem(neuron)
    net = unroll(trace, targets, params, neuron, s)
    assert (net.sizes, net.T, net.S, net.N) == ((2, 3, 2), 3, 4, 2)
    assert net.W is params.W
    assert np.array_equal(net.o[0], trace.O[0][:, s])
    for n in (1, 2):
        u, o = trace.U[n][:, s], trace.O[n][:, s]
        assert np.array_equal(net.u[n], u)
        assert np.array_equal(net.o[n], o)
        bell = np.exp(-((u - 0.75) ** 2)) / np.sqrt(np.pi)  # exp(-v²/(2a)) / √(2πa)
        assert net.h[n] == pytest.approx(bell, rel=1e-12)
        expected = (0.5, -0.75, 1.0) if neuron is SOFT else (0.5 * (1 - o), u, -0.5)
        for got, value in zip((net.f, net.moved, net.df), expected, strict=True):
            assert got[n] == pytest.approx(np.broadcast_to(value, u.shape), rel=1e-12)
    assert [part[0] for part in (net.u, net.h, net.f, net.moved, net.df)] == [None] * 5


def test_the_first_sample_is_taken_where_none_is_said():
    args = problem(LINEAR)
    assert np.array_equal(unroll(*args).u[1], args[0].U[1][:, 0])


@pytest.mark.parametrize("s", [-1, 4])
def test_a_sample_that_is_not_there_is_refused(s):
    with pytest.raises(ValueError, match=f"s must be a sample from 0 to 3, got {s}; pick one"):
        unroll(*problem(LINEAR), s=s)


def test_the_rate_loss_is_known_by_its_target_and_slope():
    trace, targets, params, _ = problem(LINEAR)
    net = unroll(trace, targets, params, LINEAR, 2)
    assert np.array_equal(net.y, targets[2])
    slope = (trace.O[-1][:, 2].mean(axis=0) - targets[2]) / (3 * 4)
    assert net.readout == pytest.approx(np.tile(slope, (3, 1)), rel=1e-13)
    assert net.membrane is None


def test_the_rate_losss_slope_is_not_asked_of_what_is_tested(monkeypatch):
    trace, targets, params, _ = problem(LINEAR)
    right = unroll(trace, targets, params, LINEAR).readout
    monkeypatch.setattr(Rate, "terms", lambda self, *rest: Direct(np.zeros_like(trace.O[-1])))
    assert np.array_equal(unroll(trace, targets, params, LINEAR).readout, right)
    assert right.all()


@pytest.mark.parametrize("loss", [LastSteps(2), CrossEntropy(), Membrane(2)], ids=repr)
def test_another_loss_is_known_by_its_direct_term_alone(loss):
    trace, targets, params, _ = problem(LINEAR)
    direct, net = loss.direct(trace, targets), unroll(trace, targets, params, LINEAR, 2, loss)
    assert net.y is None
    if direct.u is None:
        assert net.membrane is None
        assert net.readout == pytest.approx(direct.o[:, 2], rel=1e-13)
    else:
        assert net.membrane == pytest.approx(direct.u[:, 2], rel=1e-13)
        assert np.array_equal(net.readout, np.zeros((3, 2)))


def test_the_rates_slopes_by_hand():
    """T = 2, S = 1: the rates are 1/2 and 1, the targets 1 and 1/4; by T S = 2."""
    outputs = np.array([[[1.0, 1.0]], [[0.0, 1.0]]])
    slopes = rate_slopes(outputs, np.array([[1.0, 0.25]]))
    assert slopes.u is None
    assert np.array_equal(slopes.o, [[[-0.25, 0.375]]] * 2)


def numbered(width, start):
    """An array (T, width) of three steps, counted on from a number."""
    return np.arange(3.0 * width).reshape(3, width) + start


NUMBERED = {
    name: [None, numbered(2, 100 * k + 10), numbered(3, 100 * k + 20)]
    for k, name in enumerate(("u", "o", "h", "f", "moved", "df"), start=1)
}
NUMBERED["o"][0] = numbered(2, 200)
NET = unrolled.Unrolled(
    sizes=(2, 2, 3), T=3, S=1, y=None, readout=numbered(3, 1000), membrane=numbered(3, 2000),
    W=[None, np.arange(4.0).reshape(2, 2) + 0.25, np.arange(6.0).reshape(3, 2) + 0.5], **NUMBERED,
)  # fmt: skip
"""No number is there twice."""


@pytest.mark.parametrize(
    ("node", "edges"),
    [
        (
            Node("u", 1, 0, 1),
            [("spike", Node("o", 1, 0, 1), 311.0), ("carry", Node("u", 1, 1, 1), 411.0)],
        ),
        (Node("u", 1, 2, 1), [("spike", Node("o", 1, 2, 1), 315.0)]),
        (
            Node("u", 2, 1, 0),
            [
                ("spike", Node("o", 2, 1, 0), 323.0),
                ("carry", Node("u", 2, 2, 0), 423.0),
                ("membrane", Node("L"), 2003.0),
            ],
        ),
        (
            Node("u", 2, 2, 1),
            [("spike", Node("o", 2, 2, 1), 327.0), ("membrane", Node("L"), 2007.0)],
        ),
        (
            Node("o", 1, 1, 1),
            [
                ("reset", Node("u", 1, 2, 1), 513.0 * 613.0),
                ("weight", Node("u", 2, 1, 0), 1.5),
                ("weight", Node("u", 2, 1, 1), 3.5),
                ("weight", Node("u", 2, 1, 2), 5.5),
            ],
        ),
        (
            Node("o", 2, 1, 0),
            [("reset", Node("u", 2, 2, 0), 523.0 * 623.0), ("readout", Node("L"), 1003.0)],
        ),
        (Node("o", 2, 2, 1), [("readout", Node("L"), 1007.0)]),
        (
            Node("w", 1, i=0, j=1),
            [("enter", Node("u", 1, t, 0), x) for t, x in enumerate((201.0, 203.0, 205.0))],
        ),
        (
            Node("w", 2, i=1, j=0),
            [("enter", Node("u", 2, t, 1), x) for t, x in enumerate((210.0, 212.0, 214.0))],
        ),
        (Node("b", 2, i=1), [("enter", Node("u", 2, t, 1), 1) for t in range(3)]),
        (Node("L"), []),
    ],
)
def test_the_edges_that_leave_a_node_are_those_of_the_table(node, edges):
    found = list(edges_from(node, NET))
    assert [(edge.kind, edge.target, edge.factor) for edge in found] == edges
    assert all(edge.source == node for edge in found)


def test_a_loss_that_reads_no_potential_has_no_edge_from_one():
    net = replace(NET, membrane=None)
    assert [edge.kind for edge in edges_from(Node("u", 2, 1, 0), net)] == ["spike", "carry"]


def test_a_batchs_adjoints_are_each_samples_own_and_its_gradients_are_summed():
    """Every derivative is a number that says of which sample and node it is."""
    kinds = {"u": 1, "o": 2, "w": 3, "b": 4}

    def of_sample(net):
        s = next(k for k in range(4) if np.array_equal(net.u[1], trace.U[1][:, k]))
        return lambda node: (
            10.0 ** (2 * s) * kinds[node.kind]
            + 0.01 * (node.n + 3 * node.t + 20 * node.i + 50 * node.j)
        )

    trace, targets, params, _ = problem(LINEAR, sizes=(2, 3, 2), T=2, S=4)
    found = batch_adjoints(of_sample, trace, targets, params, LINEAR)
    for name, kind in (("epsilon", 1), ("delta", 2)):
        for n, (t, s, i) in [(1, (0, 0, 2)), (1, (1, 3, 0)), (2, (1, 2, 1))]:
            expected = 10.0 ** (2 * s) * kind + 0.01 * (n + 3 * t + 20 * i - 50)
            assert getattr(found, name)[n][t, s, i] == pytest.approx(expected, rel=1e-14)
    ones = 1 + 1e2 + 1e4 + 1e6
    bias = 4 * ones + 4 * 0.01 * (2 - 3 + 20 * 1 - 50)
    weight = 3 * ones + 4 * 0.01 * (1 - 3 + 20 * 2 + 50 * 1)
    assert found.gradients.b[2][1] == pytest.approx(bias, rel=1e-14)
    assert found.gradients.W[1][2, 1] == pytest.approx(weight, rel=1e-14)


@pytest.mark.parametrize("name", ["rate", "last-steps", "membrane"])
def test_a_batchs_samples_are_unrolled_with_the_loss_that_is_given(name):
    trace, targets, params, _ = problem(LINEAR)
    seen = []
    loss = LOSSES[name](2) if name != "rate" else LOSSES[name]()

    def of_sample(net):
        seen.append(net)
        return lambda node: 0.0

    batch_adjoints(of_sample, trace, targets, params, LINEAR, loss)
    for s, net in enumerate(seen):
        alone = unroll(trace, targets, params, LINEAR, s, loss)
        assert np.array_equal(net.readout, alone.readout)
        assert np.array_equal(net.membrane, alone.membrane)
    assert len(seen) == 4


def test_a_direct_term_of_ones_own_is_read_as_it_is():
    trace, targets, params, _ = problem(LINEAR)
    o, u = np.sin(trace.O[-1]), np.cos(trace.U[-1])
    net = unroll(trace, targets, params, LINEAR, 1, Direct(o, u))
    assert np.array_equal(net.readout, o[:, 1])
    assert np.array_equal(net.membrane, u[:, 1])


def names(array):
    """The letters of an array of symbols."""
    return np.vectorize(str)(array).tolist()


def test_letters_count_from_one_as_on_paper():
    net = symbols((2, 3, 1), 2)
    assert (net.sizes, net.T, net.S, net.N) == ((2, 3, 1), 2, 1, 2)
    assert names(net.o[0]) == [["o_{1}^{1,0}", "o_{2}^{1,0}"], ["o_{1}^{2,0}", "o_{2}^{2,0}"]]
    assert names(net.u[1][1]) == ["u_{1}^{2,1}", "u_{2}^{2,1}", "u_{3}^{2,1}"]
    assert names(net.o[2]) == [["o_{1}^{1,2}"], ["o_{1}^{2,2}"]]
    letters = {"h": "h(u_{1}^{2,2})", "f": "f(o_{1}^{2,2})", "df": "f'(o_{1}^{2,2})"}
    for name, letter in letters.items():
        assert names(getattr(net, name)[2])[1] == [letter]
    assert names(net.W[1])[2] == ["w_{31}^{1}", "w_{32}^{1}"]
    assert names(net.W[2]) == [["w_{11}^{2}", "w_{12}^{2}", "w_{13}^{2}"]]
    assert names(net.y) == ["y_{1}"]
    assert net.moved is net.u
    assert net.membrane is None
    assert [part[0] for part in (net.u, net.h, net.f, net.df, net.W)] == [None] * 5


def test_the_readout_is_the_slope_of_the_rate_loss_in_letters():
    net = symbols((1, 2), 3)
    assert str(net.readout[0, 0]) == "o_{1}^{1,1}/9 + o_{1}^{2,1}/9 + o_{1}^{3,1}/9 - y_{1}/3"
    for t, i in np.ndindex(3, 2):
        slope = (sum(net.o[1][:, i]) / 3 - net.y[i]) / 3
        assert sympy.expand(net.readout[t, i] - slope) == 0


def test_the_soft_resets_factors_are_tau_and_minus_the_threshold():
    net, hard = symbols((1, 2, 1), 2, soft=True), symbols((1, 2, 1), 2)
    tau, threshold = sympy.Symbol("τ"), sympy.Symbol("V_{th}")
    for n, width in ((1, 2), (2, 1)):
        for name, value in (("f", tau), ("moved", -threshold), ("df", sympy.Integer(1))):
            assert getattr(net, name)[n].tolist() == [[value] * width] * 2
            assert isinstance(getattr(net, name)[n][0, 0], sympy.Expr)
        assert names(net.u[n]) == names(hard.u[n])
        assert names(net.h[n]) == names(hard.h[n])
    assert [net.f[0], net.moved[0], net.df[0]] == [None] * 3


@pytest.mark.parametrize("allowed", [True, False])
def test_so_many_letters_are_allowed_and_one_more_is_not(allowed, monkeypatch):
    """4 T Σ widths = 4 · 2 · 6 letters of neurons, and 2 · 3 + 3 · 1 weights."""
    monkeypatch.setattr(unrolled, "MOST_SYMBOLS", 57 if allowed else 56)
    if allowed:
        assert symbols((2, 3, 1), 2).N == 2
    else:
        message = r"at most 56 symbols, got 57 for \(2, 3, 1\) and T = 2; choose a smaller network"
        with pytest.raises(ValueError, match=message):
            symbols((2, 3, 1), 2)


def test_ten_thousand_letters_are_allowed():
    assert symbols((1248, 4), 1).sizes == (1248, 4)  # 4 · 1252 and 4992 weights
    with pytest.raises(ValueError, match="at most 10000 symbols, got 10001"):
        symbols((23, 367), 1)  # 4 · 390 and 8441 weights


@pytest.mark.parametrize(
    ("sizes", "T", "message"),
    [
        ((2,), 1, "sizes must list at least 2 widths"),
        ((2, 0), 1, "sizes.* must be >= 1"),
        ((2, 1), 0, "T must be >= 1"),
    ],
)
def test_a_network_of_no_layer_no_neuron_or_no_step_has_no_letters(sizes, T, message):
    with pytest.raises(ValueError, match=message):
        symbols(sizes, T)


@pytest.mark.parametrize("wrong", ["trace", "targets", "params", "neuron"])
def test_what_does_not_fit_is_not_unrolled(wrong):
    trace, targets, params, neuron = problem(LINEAR)
    bad = {
        "trace": Trace(U=trace.U, O=[o[:-1] for o in trace.O]),
        "targets": targets[:-1],
        "params": Params(W=params.W[:2], b=params.b[:2]),
        "neuron": "neuron",
    }
    args = {"trace": trace, "targets": targets, "params": params, "neuron": neuron}
    with pytest.raises((TypeError, ValueError), match="must"):
        unroll(**{**args, wrong: bad[wrong]})
