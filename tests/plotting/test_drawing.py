"""Graphs: every arrow, what is followed and lost, and no factor over an arrow, wide or narrow."""

import xml.etree.ElementTree as ET
from itertools import product

import numpy as np
import pytest

from stbp_edu import LIF, Params, plotting
from stbp_edu.arrows import RULES, hard_reset, network, truncated, with_adaptation
from stbp_edu.explorers.pencil_network import pencil
from stbp_edu.forward_pass import Trace, forward
from stbp_edu.losses import LastSteps, Membrane, Rate
from stbp_edu.plotting import DELTA, EPSILON
from stbp_edu.plotting.arrow_shapes import ALONG, half_size, points_on
from stbp_edu.plotting.drawing import DrawnArrow, Laid
from stbp_edu.plotting.graph import edges_on, network_graph
from stbp_edu.plotting.svg_elements import PHONE, WIDE
from stbp_edu.verify.paths import Node, edges_from, unroll

PLACES = {"u": 0.0, "o": 1.1, "a": 2.3}
READOUTS = [
    (tail, head) for kind, tail, head in plotting.edges(3, 2) if kind == "readout"
]
NET = network("1-1-1", hard_reset(LIF()))
PATH = [("o", 1, 1), ("u", 2, 1), ("o", 2, 1), "L"]
CUT = (("u", 1, 1), ("u", 2, 1))


def adaptive():
    """The arrows of a neuron with an adaptive threshold, as its table has them."""
    table = with_adaptation(hard_reset(LIF()), beta=0.5, rho=0.9).arrows
    return [
        (
            (a.source, 0, PLACES[a.source]),
            (a.target, a.step, PLACES[a.target]),
            a.kind,
            DELTA,
        )
        for a in table
    ]


DRAWINGS = {
    "fan": plotting.fan_out(),
    "states": plotting.states(adaptive(), {("u", 0, 0.0): EPSILON}),
    "readouts": plotting.unrolled(3, 2, highlight=READOUTS),
    "lost": plotting.unrolled(2, 1, highlight=plotting.path_edges(PATH), dropped=[CUT]),
    "classic": plotting.automaton(RULES["classic"], NET),
    "truncated": plotting.automaton(truncated(2), NET),
}


@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize("name", DRAWINGS)
def test_no_factor_lies_over_an_arrow_a_node_or_another_and_nothing_is_cut(name, width):
    laid = Laid(DRAWINGS[name], width)
    left, top, wide, high = laid.box
    points = np.concatenate([points_on(curve, ALONG) for curve in laid.curves])
    boxes = [
        (np.array(at), half_size(laid.drawing.arrows[k].factor))
        for k, at in laid.factors.items()
    ]
    assert len(boxes) == sum(bool(arrow.factor) for arrow in laid.drawing.arrows) > 0
    for k, (at, half) in enumerate(boxes):
        assert (np.abs(points - at) > half).any(axis=1).all(), laid.drawing.arrows[k]
        for other, size in boxes[:k]:
            assert (np.abs(other - at) > np.add(half, size) - 4).any()
        assert left < at[0] - half[0]
        assert at[0] + half[0] < wide
    nodes = np.array([*laid.at.values()])
    for drawn in (nodes, points):
        assert (drawn > (left, top)).all()
        assert (drawn < (wide, top + high)).all()


@pytest.mark.parametrize("T", [2, 3, 4])
def test_no_arrow_crosses_a_node_on_its_way(T):
    read = plotting.read_outs(T, {("u", t + 1) for t in range(T)})
    for drawing, width in product((read, plotting.unrolled(T, 3)), (WIDE, PHONE)):
        laid = Laid(drawing, width)
        for arrow, curve in zip(drawing.arrows, laid.curves, strict=True):
            others = [
                at
                for name, at in laid.at.items()
                if name not in (arrow.tail, arrow.head)
            ]
            apart = np.linalg.norm(
                points_on(curve, ALONG)[:, None] - np.array(others), axis=2
            )
            assert apart.min() > drawing.radius, (arrow, width)


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_no_cross_lies_under_a_node(width):
    """In the graph of every neuron, whose arrows pass behind others."""
    net = pencil()
    local = unroll(net.trace, net.targets, net.params, net.neuron)
    found = edges_on(local, Node("u", 1, 0, 0))
    drawn = {edge: DrawnArrow(edge.source, edge.target, lost=True) for edge in found}
    laid = Laid(network_graph(local.net, drawn), width)
    nodes = np.array([*laid.at.values()])
    far = [
        np.linalg.norm(nodes - laid.cross(k), axis=1).min() for k in range(len(drawn))
    ]
    assert min(far) > laid.drawing.radius + 7


def test_graph_follows_and_strikes_out():
    factors = {a.factor: a for a in DRAWINGS["lost"].arrows if a.factor}
    assert set(factors) == {"u f′", "h", "direct", "f"}
    assert [factors[f].lost for f in ("f", "h")] == [True, False]
    svg = ET.fromstring(
        plotting.show(DRAWINGS["lost"], alt="A graph with an arrow cut.").svg
    )
    assert sum("stroke-dasharray" in part.attrib for part in svg.iter()) == 1
    with pytest.raises(ValueError, match="must be arrows of the graph"):
        plotting.unrolled(2, 1, highlight=[(("o", 2, 1), ("u", 1, 1))])


@pytest.mark.parametrize("above", [1, 3, 5])
def test_fan_out_draws_every_arrow_that_leaves_a_neuron(above):
    W = [None, np.ones((1, 1)), np.ones((above, 1))]
    params = Params(W, b=[None, *map(np.zeros, (1, above))])
    neuron = LIF(tau=0.5, v_th=1.0)
    net = unroll(
        forward(np.ones((2, 1, 1)), params, neuron), np.ones((1, above)), params, neuron
    )
    leaving = [e for kind in "ou" for e in edges_from(Node(kind, n=1, t=0, i=0), net)]
    assert len(plotting.fan_out(above).arrows) == len(leaving) == above + 3


@pytest.mark.parametrize("above", [0, 10, 2.5])
def test_fan_out_refuses_what_it_could_not_draw(above):
    with pytest.raises((TypeError, ValueError), match=r"above must be .*, got "):
        plotting.fan_out(above)


@pytest.mark.parametrize(
    "loss", [Rate(), LastSteps(2), Membrane(), Membrane(3)], ids=repr
)
def test_read_outs_draws_an_arrow_for_each_direct_term_that_is_not_0(loss):
    series = np.full((4, 1, 1), 0.25)
    direct = loss.direct(Trace(U=[None, series], O=[series, series]), np.ones((1, 1)))
    terms = {
        name: term for name, term in zip("ou", direct, strict=True) if term is not None
    }
    reads = {
        (name, t + 1) for name in terms for t in np.flatnonzero(terms[name]).tolist()
    }
    inside = 4 + 3 + 3  # spike at every step, carry and reset at all but the last
    assert len(plotting.read_outs(4, reads).arrows) == inside + len(reads) > inside
