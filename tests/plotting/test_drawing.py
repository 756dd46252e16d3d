"""Graphs: every arrow, what is followed and lost, and no factor over an arrow, wide or narrow."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from stbp_edu import LIF, plotting
from stbp_edu.arrows import RULES, hard_reset, network, truncated, with_adaptation
from stbp_edu.forward_pass import Trace
from stbp_edu.losses import LastSteps, Membrane, Rate
from stbp_edu.plotting import DELTA, EPSILON
from stbp_edu.plotting.drawing import ALONG, Laid, half_size, points_on
from stbp_edu.plotting.palette import PHONE, WIDE

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


def flat(places):
    """Return x and y of complex places."""
    return np.stack([np.real(places), np.imag(places)], axis=-1)


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
    points = flat(np.concatenate([points_on(curve, ALONG) for curve in laid.curves]))
    factors = {k: laid.drawing.arrows[k].factor for k in laid.factors}
    boxes = [
        (flat(laid.factors[k]), flat(half_size(text))) for k, text in factors.items()
    ]
    assert len(boxes) == sum(bool(arrow.factor) for arrow in laid.drawing.arrows) > 0
    for k, (at, half) in enumerate(boxes):
        assert (np.abs(points - at) > half).any(axis=1).all(), laid.drawing.arrows[k]
        for other, size in boxes[:k]:
            assert (np.abs(other - at) > half + size - 4).any()
        assert left < at[0] - half[0]
        assert at[0] + half[0] < wide
    for drawn in (flat([*laid.at.values()]), points):
        assert (drawn > (left, top)).all()
        assert (drawn < (wide, top + high)).all()


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
