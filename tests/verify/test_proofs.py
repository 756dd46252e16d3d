"""Each equation of the five cases: its polynomial, and a wrong one rejected by every oracle."""

import sys
from functools import cache

import numpy as np
import pytest

from stbp_edu import cases, network
from stbp_edu.neuron import GATES
from stbp_edu.verify import autodiff, comparison, finite_difference, paths, polynomials, trials
from stbp_edu.verify.forms import scalar_adjoints
from stbp_edu.verify.paths import Node
from stbp_edu.verify.polynomials import prove, symbols

SIZES, T = (2, 2, 2), 3  # every case occurs, and more than one (t, n) of cases 3 and 4
EXACT = comparison.IDS


@cache
def drawn(which):
    """A network for each surrogate and gate, and its smooth twin's pass."""
    net = trials.draw(np.random.default_rng(which), SIZES, T, trials.NEURONS[which])
    return net, network.forward(net.spikes, net.params, net.neuron, spike=net.neuron.H)


@cache
def answer(oracle, which):
    """What an oracle says, and how close one must come."""
    net, trace = drawn(which)
    if oracle == "differences":
        return finite_difference.derivatives(*net), comparison.DIFFERENCES
    if oracle == "autodiff":
        return autodiff.derivatives(*net, spike=net.neuron.H), comparison.ROUNDING
    return paths.derivatives(trace, *net[1:], oracle), comparison.ROUNDING


def wrong_c2_delta(err_above, w_to):
    return sum(e * w for e, w in zip(err_above, w_to[::-1], strict=True))


def wrong_c4_delta(err_above, w_to, *_):
    return sum(e * w for e, w in zip(err_above, w_to, strict=True))


def wrong_c5_w(epsilon, o_below):
    return sum(e * o for e, o in zip(epsilon, o_below[::-1], strict=True))


WRONG = {  # the formula with indices, and the one on arrays where that is another
    "c1-delta": [lambda y, o, S: -(y - sum(o) / len(o)) / S],
    "c1-epsilon": [lambda delta, h: delta],
    "c2-delta": [wrong_c2_delta, lambda err_above, W_above: err_above @ W_above[::-1]],
    "c2-epsilon": [lambda delta, h: delta * h * h],
    "c3-delta": [lambda last, *_: last],
    "c3-epsilon": [lambda delta, h, *_: delta * h],
    "c4-delta": [wrong_c4_delta, lambda err_above, W_above, *_: err_above @ W_above],
    "c4-epsilon": [lambda delta, h, *_: delta * h],
    "c5-b": [lambda epsilon: epsilon[-1], lambda e: e[-1].sum(axis=0)],
    "c5-w": [wrong_c5_w, lambda e, o: (e.swapaxes(1, 2) @ o[::-1]).sum(axis=0)],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("id", EXACT)
def test_a_wrong_equation_is_rejected(id, monkeypatch):
    """By every oracle, which names the wrong equation first. No factor is 0 here."""
    function, which = id.replace("-", "_"), len(trials.NEURONS) - len(GATES)
    expected = {oracle: answer(oracle, which) for oracle in ("differences", "autodiff", "exact")}
    monkeypatch.setattr(cases.scalar, function, WRONG[id][0])
    monkeypatch.setattr(cases.vector, function, WRONG[id][-1])
    net, trace = drawn(which)
    for form in (cases.sweep, scalar_adjoints)[id == "c1-delta" :]:  # the sweep takes any loss
        got = form(trace, *net[1:])
        for oracle, (right, tolerance) in expected.items():
            first = comparison.failures(got, right, tolerance)[:1]
            assert [words.split()[0] for words in first] == [id], oracle
    assert next(proof.id for proof in prove(SIZES, T) if proof.difference != 0) == id


SHAPES = [((width,) * (N + 1), T) for N in (1, 2, 3) for T in (1, 2, 3) for width in (1, 2)]


@pytest.mark.parametrize(
    ("sizes", "T"),
    [*SHAPES[:-1], pytest.param(*SHAPES[-1], marks=pytest.mark.slow), ((2, 1, 2), 3)],
)
def test_err_exact_is_the_sum_over_all_paths_and_err_classic_lacks_the_dropped_ones(sizes, T):
    for rule in ("exact", "classic"):
        for proof in prove(sizes, T, rule):
            assert proof.difference == 0, f"{proof.id} at {proof.node}: {proof.difference}"
            step = None if proof.node.kind in "Wb" else proof.node.t
            one = comparison.Comparison(proof.id, step, proof.node.n, None, None, 1.0)
            none_dropped = comparison.equal_under_classic(one, T, len(sizes) - 1)
            assert (proof.dropped == 0) == none_dropped, str(one)


def test_the_nodes_come_in_the_order_of_the_sweep_with_their_paths_and_those_dropped():
    """One neuron and three steps, where each path can be drawn."""
    u, o = (lambda t, kind=kind: Node(kind, 1, t, 0) for kind in "uo")
    assert [proof[:4] for proof in prove((1, 1), 3)] == [
        ("c1-delta", o(2), 1, 0),
        ("c1-epsilon", u(2), 1, 0),
        ("c3-delta", o(1), 2, 0),
        ("c3-epsilon", u(1), 3, 0),
        ("c3-delta", o(0), 4, 1),  # reset, then carry
        ("c3-epsilon", u(0), 7, 1),
        ("c5-b", Node("b", 1, i=0), 11, 1),
        ("c5-w", Node("W", 1, i=0, j=0), 11, 1),
    ]


def test_bad_input_and_a_missing_library(monkeypatch):
    with pytest.raises(ValueError, match="T must be >= 1, got 0"):
        symbols([1, 1], T=0)
    with pytest.raises(ValueError, match="sizes and T must need at most 10000 symbols"):
        symbols([100, 100], T=20)
    with pytest.raises(ValueError, match="rule must be one of 'exact', 'classic'"):
        prove((1, 1), 1, "spatial-only")
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(ImportError, match=r'sympy; run: pip install "stbp-edu\[verify\]"'):
        symbols([1, 1], T=1)
    assert polynomials.prove((1, 1), 1)  # needs no SymPy
