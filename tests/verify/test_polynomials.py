"""The proof by symbols at every small shape: T <= 3, N <= 3, width <= 2."""

import sys

import numpy as np
import pytest
import sympy

from stbp_edu.verify import comparison, forms, polynomials
from stbp_edu.verify.paths import Node, paths_from, total
from stbp_edu.verify.unrolled import symbols
from tests.verify.proofs import proofs

SHAPES = [((width,) * (N + 1), T) for N in (1, 2, 3) for T in (1, 2, 3) for width in (1, 2)] + [
    ((2, 1, 2), 3)
]


@pytest.mark.parametrize(("sizes", "T"), SHAPES)
def test_c1_c2_c3_c4_c5_the_exact_recursion_is_the_sum_over_all_paths(sizes, T):
    for proof in proofs(sizes, T, "exact"):
        assert proof.difference == 0, f"{proof.id} at {proof.node}: {proof.difference}"


@pytest.mark.parametrize(("sizes", "T"), SHAPES)
def test_err_classic_misses_exactly_the_sum_of_the_dropped_paths(sizes, T):
    N = len(sizes) - 1
    for proof in proofs(sizes, T, "classic"):
        assert proof.difference == 0, f"{proof.id} at {proof.node}: {proof.difference}"
        step = None if proof.node.kind in "wb" else proof.node.t
        one = comparison.Comparison(proof.id, step, proof.node.n, None, None, 1.0)
        assert (proof.dropped == 0) == comparison.equal_under_classic(one, T, N), str(one)


def test_every_equation_is_among_them():
    seen = {proof.id for sizes, T in SHAPES for proof in proofs(sizes, T, "exact")}
    assert seen == set(comparison.IDS)


def test_c3_delta_in_sympys_own_symbols():
    """The same proof without the polynomial ring, in the form that a notebook shows."""
    net = symbols([1, 1], T=3)
    delta, _ = forms.scalar_sweep(net, "exact")
    classic, _ = forms.scalar_sweep(net, "classic")
    found = paths_from(Node("o", 1, 0, 0), net)
    assert sympy.expand(delta[0, 1, 0] - total(found)) == 0
    missed = sympy.expand(delta[0, 1, 0] - classic[0, 1, 0])
    u, df = net.u[1][0][0], net.df[1][0][0]
    f, h, readout = net.f[1][1][0], net.h[1][2][0], net.readout[2][0]
    assert sympy.expand(missed - u * df * f * h * readout) == 0


def test_c1_delta_is_the_derivative_of_the_loss_as_sympy_takes_it():
    net = symbols([1, 2], T=2)
    y, o = net.y[1], [net.o[1][t][1] for t in range(2)]
    assert sympy.expand(net.readout[0][1] + (y - (o[0] + o[1]) / 2) / 2) == 0


def test_the_nodes_come_in_the_order_of_the_sweep_with_their_paths_and_those_dropped():
    """One neuron and three steps, where each path can be drawn."""
    u, o = (lambda t, kind=kind: Node(kind, 1, t, 0) for kind in "uo")
    b, w = Node("b", 1, i=0), Node("w", 1, i=0, j=0)
    assert [proof[:4] for proof in proofs((1, 1), 3, "exact")] == [
        ("c1-delta", o(2), 1, 0),
        ("c1-epsilon", u(2), 1, 0),
        ("c3-delta", o(1), 2, 0),
        ("c3-epsilon", u(1), 3, 0),
        ("c3-delta", o(0), 4, 1),  # reset, then carry
        ("c3-epsilon", u(0), 7, 1),
        ("c5-b", b, 11, 1),
        ("c5-w", w, 11, 1),
    ]
    ids = [proof.id for proof in proofs((1, 1), 3, "classic")]
    assert ids[4:6] == ["c3-delta-classic", "c3-epsilon"]
    two = [proof.node for proof in proofs((2, 1, 2), 1, "exact")]
    assert two[:6] == [
        *(Node(kind, 2, 0, i) for i in (0, 1) for kind in "ou"),
        *(Node(kind, 1, 0, 0) for kind in "ou"),
    ]
    assert two[6:] == [
        *(Node("b", 1, i=0), Node("w", 1, i=0, j=0), Node("w", 1, i=0, j=1)),
        *(Node("b", 2, i=0), Node("b", 2, i=1)),
        *(Node("w", 2, i=0, j=0), Node("w", 2, i=1, j=0)),
    ]


@pytest.mark.parametrize("rule", ["exact", "classic"])
def test_c1_c2_c3_c4_c5_hold_for_the_soft_reset_as_well(rule):
    found = polynomials.prove((1, 2, 1), 3, rule, soft=True)
    assert {proof.difference for proof in found} == {0}
    hard = [proof[:4] for proof in proofs((1, 2, 1), 3, rule)]
    assert [proof[:4] for proof in found] == hard


def test_a_proof_holds_for_the_exact_rule_and_the_hard_reset_where_none_is_said():
    assert polynomials.prove((1, 1), 2) == proofs((1, 1), 2, "exact")


@pytest.mark.parametrize("rule", ["exact", "classic"])
def test_a_recursion_that_forgets_or_keeps_a_path_differs_by_it(rule, monkeypatch):
    """The exact rule gets the classic recursion, and the other way round."""
    true, other = forms.scalar_derivatives, {"exact": "classic", "classic": "exact"}
    monkeypatch.setattr(
        polynomials,
        "scalar_derivatives",
        lambda net, asked: true(net, other[asked] if asked == rule else asked),
    )
    o = [sympy.Symbol(f"o_{{1}}^{{{t},1}}") for t in (1, 2, 3)]
    lost = (sum(o) / 3 - sympy.Symbol("y_{1}")) / 3  # reset, carry, spike, readout
    for letter in ("u_{1}^{1,1}", "f'(o_{1}^{1,1})", "f(o_{1}^{2,1})", "h(u_{1}^{3,1})"):
        lost *= sympy.Symbol(letter)
    differing = [p for p in polynomials.prove((1, 1), 3, rule) if p.difference != 0]
    assert [p.node.kind for p in differing] == ["o", "u", "b", "w"]
    assert sympy.expand(differing[0].difference + lost) == 0


def test_a_network_of_polynomials_holds_the_same_letters():
    net = symbols((2, 1), 2)
    ring = polynomials.as_polynomials(net)
    pairs = [(ring.y, net.y), (ring.readout, net.readout), (ring.W[1], net.W[1])]
    for name in ("u", "o", "h", "f", "moved", "df"):
        pairs.append((getattr(ring, name)[1], getattr(net, name)[1]))
        assert getattr(ring, name)[0] is None or name == "o"
    pairs.append((ring.o[0], net.o[0]))
    for got, expected in pairs:
        for a, b in zip(np.ravel(list(got)), np.ravel(expected), strict=True):
            assert sympy.expand(a.as_expr() - b) == 0
    assert (ring.membrane, ring.sizes, ring.T) == (None, (2, 1), 2)
    assert (ring.o[1][0][0] + 1) ** 2 == ring.o[1][0][0] ** 2 + 2 * ring.o[1][0][0] + 1


def test_bad_input_and_a_missing_library(monkeypatch):
    with pytest.raises(ValueError, match="T must be >= 1, got 0"):
        symbols([1, 1], T=0)
    with pytest.raises(ValueError, match="rule must be one of 'exact', 'classic'"):
        proofs((1, 1), 1, "spatial-only")
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(ImportError, match=r'sympy; run: pip install "stbp-edu\[verify\]"'):
        symbols([1, 1], T=1)
