"""The oracle of the drawing: which paths there are, what they carry, and that a table is judged."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, backward, cases, forward
from stbp_edu.arrows import part_one
from stbp_edu.arrows import paths as graph_paths
from stbp_edu.neuron import GATES
from stbp_edu.rules import ABLATIONS
from stbp_edu.verify import autodiff, comparison, finite_difference, paths, trials
from stbp_edu.verify.paths import Node, count_paths, paths_from, unroll
from tests.networks import problems

NEURON = LIF(tau=0.5, v_th=0.5, surrogate=Gaussian(a=1.0))


def unrolled(sizes, T, seed=0, neuron=NEURON):
    """A random smooth twin, so that no factor is 0, and its graph."""
    net = trials.draw(np.random.default_rng(seed), sizes, T, neuron)
    trace = forward(net.spikes, net.params, neuron, spike=neuron.H)
    return (trace, *net[1:]), unroll(trace, *net[1:])


def words(found):
    return {" ".join(path.word) for path in found}


def test_every_path_of_one_neuron_and_three_steps():
    _, net = unrolled((1, 1), 3)
    assert words(paths_from(Node("o", 1, 2, 0), net)) == {"readout"}
    assert words(paths_from(Node("u", 1, 1, 0), net)) == {
        "spike readout", "carry spike readout", "spike reset spike readout",
    }  # fmt: skip
    found = paths_from(Node("o", 1, 0, 0), net)
    assert words(found) == {
        "readout", "reset spike readout", "reset carry spike readout",
        "reset spike reset spike readout",
    }  # fmt: skip
    (dropped,) = [path for path in found if path.dropped_by("classic")]
    assert [node.kind for node in dropped.nodes] == ["o", "u", "u", "o", "L"]
    assert [node.t for node in dropped.nodes] == [0, 1, 2, 2, -1]


@given(
    problem=problems(max_layers=3, max_steps=3, max_width=2, max_batch=2),
    rule=st.sampled_from(("exact", "classic", *ABLATIONS)),
)
def test_every_rule_is_the_sum_of_the_paths_it_keeps(problem, rule):
    args = (problem.trace, *problem[1:], rule)
    form = backward if problem.neuron.gate == "soft" else cases.sweep
    assert not comparison.failures(form(*args), paths.derivatives(*args))


def wrong_tables():
    """Part I's neuron with one factor of its table wrong, for each arrow and a slip in it."""
    slips = {
        "carry": [lambda f, s, p: f(s, p) ** 2, lambda f, s, p: np.ones_like(f(s, p))],
        "reset": [lambda f, s, p: -f(s, p), lambda f, s, p: 0 * f(s, p)],
        "spike": [lambda f, s, p: f({k: 1.1 * x for k, x in s.items()}, p)],
    }
    return [(kind, slip) for kind, of in slips.items() for slip in of]


@pytest.mark.slow
@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize(("kind", "slip"), wrong_tables())
def test_a_wrong_table_is_noticed_by_autodiff_and_by_differences(kind, slip, gate, monkeypatch):
    """They read no table. The right one is held against them in the same way."""
    net = trials.draw(np.random.default_rng(3), (2, 2, 1), 3, replace(NEURON, gate=gate))
    trace = forward(net.spikes, net.params, net.neuron, spike=net.neuron.H)
    measured = finite_difference.derivatives(*net), comparison.DIFFERENCES
    derived = autodiff.derivatives(*net, spike=net.neuron.H), comparison.ROUNDING
    for oracle in (measured, derived):
        assert not comparison.failures(paths.derivatives(trace, *net[1:]), *oracle)

    def spoiled(make):
        def made(lif):
            right = make(lif)
            arrows = [
                replace(a, factor=lambda s, p, a=a: slip(a.factor, s, p)) if a.kind == kind else a
                for a in right.arrows
            ]
            return replace(right, arrows=tuple(arrows))

        return made

    for name in ("hard_reset", "soft_reset"):
        monkeypatch.setattr(part_one, name, spoiled(getattr(part_one, name)))
    for oracle in (measured, derived):
        assert comparison.failures(paths.derivatives(trace, *net[1:]), *oracle)


@pytest.mark.parametrize(("sizes", "T"), [((1, 1), 1), ((2, 3, 2), 3), ((1, 2, 2, 2), 3)])
def test_paths_are_counted_before_they_are_walked(sizes, T):
    _, net = unrolled(sizes, T)
    parameters = (Node("b", 1, i=0), Node("W", 1, i=0, j=0))
    for start in (Node("u", 1, 0, 0), Node("o", 1, 0, 0), *parameters):
        found = paths_from(start, net)
        assert count_paths(start, net) == len(found) == len(set(found))
        assert all(path.nodes[0] == start and path.nodes[-1].kind == "L" for path in found)


def test_too_many_paths_are_refused(monkeypatch):
    _, net = unrolled((1, 1), 3)
    start = Node("u", 1, 0, 0)
    monkeypatch.setattr(graph_paths, "MOST_PATHS", 7)
    assert len(paths_from(start, net)) == 7
    monkeypatch.setattr(graph_paths, "MOST_PATHS", 6)
    with pytest.raises(ValueError, match="has 7 paths, more than 6; fewer steps"):
        paths_from(start, net)
    _, deep = unrolled((6, 4, 3, 2), 20)
    assert count_paths(Node("W", 1, i=0, j=0), deep) == 2_176_843_620
