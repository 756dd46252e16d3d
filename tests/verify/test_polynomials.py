"""The proof by symbols at every small shape: T <= 3, N <= 3, width <= 2."""

import sys

import pytest
import sympy

from stbp_edu.verify import comparison, forms
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


def test_bad_input_and_a_missing_library(monkeypatch):
    with pytest.raises(ValueError, match="T must be >= 1, got 0"):
        symbols([1, 1], T=0)
    with pytest.raises(ValueError, match="rule must be one of 'exact', 'classic'"):
        proofs((1, 1), 1, "spatial-only")
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(ImportError, match=r'sympy; run: pip install "stbp-edu\[verify\]"'):
        symbols([1, 1], T=1)
