"""Each equation of the five cases: its polynomial, and a wrong one rejected by every oracle."""

from functools import cache

import numpy as np
import pytest

from stbp_edu import cases, forward_pass
from stbp_edu.arrows import Polynomial, paths_from
from stbp_edu.verify import (
    autodiff,
    comparison,
    finite_difference,
    paths,
    report,
)
from stbp_edu.verify.polynomials import prove, symbols
from tests.networks import CASE_IDS, failures

SIZES, T = (2, 2, 2), 3  # every case occurs, and more than one (t, n) of cases 3 and 4


@cache
def drawn():
    """A network, its smooth twin's pass, and what each oracle says of it, and how exactly.

    No factor is 0 here.
    """
    net = report.draw(np.random.default_rng(7), SIZES, T, report.NEURONS[-2])
    trace = forward_pass.forward(net.spikes, net.params, net.neuron, spike=net.neuron.H)
    return net, trace, {
        "differences": (finite_difference.derivatives(*net), comparison.DIFFERENCES),
        "autodiff": (autodiff.derivatives(*net, spike=net.neuron.H), comparison.ROUNDING),
        "paths": (paths.derivatives(trace, *net[1:]), comparison.ROUNDING),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("id", CASE_IDS)
def test_a_wrong_equation_is_rejected(id, monkeypatch):
    """By every oracle, which names the wrong equation first."""
    net, trace, oracles = drawn()
    for form in (cases.scalar, cases.vector):
        right = getattr(form, id.replace("-", "_"))
        twice = lambda *given, right=right: 2 * right(*given)  # noqa: E731
        monkeypatch.setattr(form, right.__name__, twice)
    for form in (cases.sweep, cases.scalar.sweep)[
        id == "c1-delta" :
    ]:  # the sweep takes any loss
        got = form(trace, *net[1:])
        for name, (expected, tolerance) in oracles.items():
            first = failures(got, expected, tolerance)[:1]
            assert [words.split()[0] for words in first] == [id], name
    assert next(outcome.id for outcome in prove(SIZES, T) if not outcome.ok) == id


SHAPES = [
    ((width,) * (N + 1), T) for N in (1, 2, 3) for T in (1, 2, 3) for width in (1, 2)
]


@pytest.mark.parametrize(
    ("sizes", "T"),
    [*SHAPES[:-1], pytest.param(*SHAPES[-1], marks=pytest.mark.slow), ((2, 1, 2), 3)],
)
def test_err_exact_is_the_sum_over_all_paths_and_err_classic_lacks_the_dropped_ones(
    sizes, T
):
    graph = symbols(sizes, T, letter=Polynomial.letter).graph
    for outcome in prove(sizes, T):
        assert outcome.ok, outcome.message
    for outcome in prove(sizes, T, "classic"):
        assert outcome.ok, outcome.message
        dropped = any(path.dropped_by() for path in paths_from(outcome.node, graph))
        equal = comparison.equal_under_classic(outcome.node, T, len(sizes) - 1)
        assert dropped != equal, outcome.node
