"""The oracle of the drawing: which paths there are, what they carry, and which a rule drops."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, Params, cases, forward
from stbp_edu.verify import comparison, paths, trials
from stbp_edu.verify.paths import Node, count_paths, paths_from, total
from stbp_edu.verify.unrolled import Edge, symbols, unroll
from tests.networks import problems

NEURON = LIF(tau=0.5, v_th=0.5, surrogate=Gaussian(a=1.0))


def unrolled(sizes, T, seed=0):
    """A random smooth twin, so that no local derivative is 0, and its graph."""
    net = trials.draw(np.random.default_rng(seed), sizes, T, NEURON)
    trace = forward(net.spikes, net.params, NEURON, spike=NEURON.H)
    return (trace, net.targets, net.params, NEURON), unroll(trace, net.targets, net.params, NEURON)


def kinds(found):
    """The edges of each path, in short."""
    return {" ".join(edge.kind for edge in path.edges) for path in found}


def test_c3_every_path_of_one_neuron_and_three_steps():
    _, net = unrolled((1, 1), 3)
    assert kinds(paths_from(Node("o", 1, 2, 0), net)) == {"readout"}
    assert kinds(paths_from(Node("u", 1, 1, 0), net)) == {
        "spike readout",
        "carry spike readout",
        "spike reset spike readout",
    }
    found = paths_from(Node("o", 1, 0, 0), net)
    assert kinds(found) == {
        "readout",
        "reset spike readout",
        "reset carry spike readout",
        "reset spike reset spike readout",
    }
    dropped = [path for path in found if path.dropped_by("classic")]
    assert kinds(dropped) == {"reset carry spike readout"}
    assert [node.kind for node in dropped[0].nodes] == ["o", "u", "u", "o", "L"]
    assert [node.t for node in dropped[0].nodes] == [0, 1, 2, 2, -1]


def test_c4_the_dropped_paths_leave_a_potential_without_a_spike():
    _, net = unrolled((1, 1, 1), 2)
    found = paths_from(Node("o", 1, 0, 0), net)
    dropped = [path for path in found if path.dropped_by("classic")]
    assert kinds(dropped) == {"weight carry spike readout"}


def test_epsilon_keeps_its_own_carry():
    """A carry at the very start is kept by ε = δ h + ε f; after a spike it is dropped."""
    _, net = unrolled((1, 1), 4)
    found = paths_from(Node("u", 1, 0, 0), net)
    kept = kinds(path for path in found if not path.dropped_by("classic"))
    assert "carry carry carry spike readout" in kept
    assert "carry spike reset spike readout" in kept
    assert "spike reset carry spike readout" not in kept


def test_the_contribution_is_the_product_of_its_edges():
    (trace, targets, params, _), net = unrolled((2, 2, 1), 2)
    found = paths_from(Node("o", 1, 0, 1), net)
    path = next(p for p in found if kinds([p]) == {"weight carry spike readout"})
    u, o = trace.U[2][:, 0, 0], trace.O[2][:, 0, 0]
    readout = -(targets[0, 0] - o.mean()) / (2 * len(targets))
    by_hand = params.W[2][0, 1] * 0.5 * np.exp(-o[0] / 0.5) * NEURON.h(u)[1] * readout
    assert path.contribution == pytest.approx(by_hand, rel=1e-14)


@given(
    problem=problems(max_layers=3, max_steps=3, max_width=2, max_batch=2),
    rule=st.sampled_from(paths.RULES),
)
def test_c1_c2_c3_c4_c5_every_rule_is_the_sum_of_the_paths_it_keeps(problem, rule):
    args = (problem.trace, problem.targets, problem.params, problem.neuron)
    assert not comparison.failures(cases.sweep(*args, rule), paths.derivatives(*args, rule))


def test_err_classic_misses_exactly_the_dropped_paths():
    args, net = unrolled((2, 2, 2), 4, seed=5)
    exact, classic = cases.sweep(*args), cases.sweep(*args, "classic")
    for t, n, i in np.ndindex(4, 3, 2):
        if n == 0:
            continue
        found = paths_from(Node("o", n, t, i), net)
        missed = sum(path.contribution for path in found if path.dropped_by("classic"))
        gap = exact.delta[n][t, 0, i] - classic.delta[n][t, 0, i]
        assert gap == pytest.approx(missed, rel=1e-10, abs=1e-16)
        assert (missed == 0) == (t == 3 or (n == 2 and t == 2))
        assert total(found) - total(found, "classic") == pytest.approx(missed, rel=1e-10)


def test_shares_add_up_to_one():
    _, net = unrolled((2, 2, 1), 3)
    found = paths_from(Node("u", 1, 0, 0), net)
    parts = paths.shares(found)
    assert sum(parts) == pytest.approx(1.0)
    biggest = max(found, key=lambda path: abs(path.contribution))
    assert parts[found.index(biggest)] == max(parts)
    silent = dataclasses.replace(net, readout=np.zeros((3, 1)))
    assert set(paths.shares(paths_from(Node("u", 1, 0, 0), silent))) == {0.0}


@pytest.mark.parametrize(("sizes", "T"), [((1, 1), 1), ((2, 3, 2), 3), ((1, 2, 2, 2), 3)])
def test_paths_are_counted_before_they_are_walked(sizes, T):
    _, net = unrolled(sizes, T)
    parameters = (Node("b", 1, i=0), Node("w", 1, i=0, j=0))
    for start in (Node("u", 1, 0, 0), Node("o", 1, 0, 0), *parameters):
        found = paths_from(start, net)
        assert count_paths(start, net) == len(found) == len(set(found))
        assert all(path.nodes[0] == start and path.nodes[-1].kind == "L" for path in found)


def test_too_many_paths_are_refused_at_once():
    _, net = unrolled((2, 2, 2), 40)
    with pytest.raises(ValueError, match="paths, more than 200000; fewer steps"):
        paths_from(Node("u", 1, 0, 0), net)


@pytest.mark.parametrize(
    "start",
    [
        Node("u", 0, 0, 0),
        Node("u", 3, 0, 0),
        Node("u", 1, 0, 2),
        Node("o", 1, i=0),
        Node("o", 1, 3, 0),
        Node("w", 1, i=0),
        Node("w", 1, i=0, j=2),
    ],
)
def test_a_node_that_is_not_there(start):
    _, net = unrolled((2, 2, 2), 3)
    with pytest.raises(ValueError, match="start must be a node of a network of sizes"):
        paths_from(start, net)


def test_an_unknown_rule_kind_or_sample():
    args, net = unrolled((1, 1), 1)
    with pytest.raises(ValueError, match="rule must be one of"):
        total(paths_from(Node("u", 1, 0, 0), net), "leak-only")
    with pytest.raises(ValueError, match="start kind must be one of"):
        paths_from(Node("L"), net)
    with pytest.raises(ValueError, match="s must be a sample from 0 to 1, got 2"):
        unroll(*args, s=2)


def test_a_gradient_is_the_sum_over_paths_from_its_parameter():
    """For one weight, one step, one sample: x · h · readout."""
    one, params = np.full((1, 1, 1), 0.5), Params(W=[None, np.ones((1, 1))], b=[None, np.zeros(1)])
    args = (forward(one, params, NEURON), np.ones((1, 1)), params, NEURON)
    (path,) = paths_from(Node("w", 1, i=0, j=0), unroll(*args))
    assert kinds([path]) == {"enter spike readout"}
    assert path.contribution == pytest.approx(0.0)  # u = V_th: it spikes, and the target is 1
    (path,) = paths_from(Node("w", 1, i=0, j=0), unroll(args[0], np.zeros((1, 1)), params, NEURON))
    assert path.contribution == pytest.approx(0.5 * NEURON.h(np.array(0.5)), rel=1e-14)


@pytest.mark.parametrize(("sizes", "T"), [((1, 1), 4), ((1, 1, 1), 4), ((1, 2, 2), 3)])
def test_two_paths_from_a_spike_are_two_products_of_letters(sizes, T):
    """So that ``missing_paths`` can read off a recursion on letters how often it holds a path."""
    net = symbols(sizes, T)
    net = dataclasses.replace(net, readout=net.o[net.N])  # a letter for each arrow into L
    found = paths_from(Node("o", 1, 0, 0), net)
    assert len({path.contribution for path in found}) == len(found) > T


def made(*kinds_and_factors):
    """A path of edges that lead nowhere."""
    return paths.Path(tuple(Edge(kind, None, None, x) for kind, x in kinds_and_factors))


@pytest.mark.parametrize(
    ("word", "droppers"),
    [
        ("readout", ()),
        ("spike readout", ()),
        ("enter spike weight spike readout", ()),
        ("enter carry spike readout", ("spatial-only",)),
        ("carry carry spike readout", ("spatial-only",)),
        ("spike reset spike readout", ("detached-reset", "spatial-only")),
        ("spike reset carry spike readout", ("classic", "detached-reset", "spatial-only")),
        ("spike weight carry spike readout", ("classic", "spatial-only")),
        ("carry membrane", ("spatial-only",)),
        ("weight spike reset spike readout", ("detached-reset", "spatial-only")),
    ],
)
def test_a_rule_drops_the_words_that_it_says(word, droppers):
    path = made(*((kind, 1.0) for kind in word.split()))
    assert tuple(rule for rule in paths.RULES if path.dropped_by(rule)) == droppers
    assert path.dropped_by() == ("classic" in droppers)


def test_what_a_path_carries_is_a_product_and_what_paths_carry_a_sum_of_those_kept():
    found = [
        made(("spike", 2.0), ("readout", -0.5)),
        made(("reset", 4.0), ("carry", 2.0), ("readout", 0.25)),
        made(("carry", 3.0), ("readout", 1.0)),
    ]
    assert [path.contribution for path in found] == [-1.0, 2.0, 3.0]
    assert total(found) == total(found, "exact") == 4.0
    assert total(found, "classic") == 2.0
    assert total(found, "spatial-only") == -1.0
    assert total([]) == 0
    assert paths.shares(found) == [1 / 6, 2 / 6, 3 / 6]
    assert paths.shares([]) == []


def test_so_many_paths_are_walked_and_one_more_is_not(monkeypatch):
    _, net = unrolled((1, 1), 3)
    start = Node("u", 1, 0, 0)
    monkeypatch.setattr(paths, "MOST_PATHS", 7)
    assert len(paths_from(start, net)) == 7
    monkeypatch.setattr(paths, "MOST_PATHS", 6)
    with pytest.raises(ValueError, match="has 7 paths, more than 6; fewer steps"):
        paths_from(start, net)


@pytest.mark.parametrize(
    ("last", "beyond"),
    [
        (Node("u", 2, 2, 2), [{"n": 3}, {"n": 0}, {"t": 3}, {"t": -1}, {"i": 3}, {"i": -1}]),
        (Node("o", 2, 2, 2), [{"n": 3}, {"n": 0}, {"t": 3}, {"t": -1}, {"i": 3}, {"i": -1}]),
        (Node("b", 2, i=2), [{"n": 3}, {"n": 0}, {"i": 3}, {"i": -1}]),
        (Node("w", 2, i=2, j=1), [{"n": 3}, {"i": 3}, {"i": -1}, {"j": 2}, {"j": -1}]),
        (Node("w", 1, i=1, j=3), [{"n": 0}, {"j": 4}]),
    ],
)
def test_the_last_node_has_paths_and_one_beyond_it_is_refused(last, beyond):
    _, net = unrolled((4, 2, 3), 3)
    assert count_paths(last, net) == len(paths_from(last, net)) > 0
    for change in beyond:
        for walk in (paths_from, count_paths):
            with pytest.raises(ValueError, match="start must be a node of a network of sizes"):
                walk(last._replace(**change), net)


def test_what_is_no_node_and_no_network_is_named():
    _, net = unrolled((1, 1), 1)
    with pytest.raises(TypeError, match="start must be of type Node"):
        paths_from(("u", 1, 0, 0, -1), net)
    with pytest.raises(TypeError, match="net must be of type Unrolled"):
        count_paths(Node("u", 1, 0, 0), "net")


def test_every_path_of_the_exact_rule_is_summed_where_none_is_said():
    args, _ = unrolled((1, 1, 1), 3)
    assert not comparison.failures(cases.sweep(*args, "exact"), paths.derivatives(*args))
