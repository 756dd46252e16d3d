"""Arrows and their factors: as many as there are, and no factor lies over an arrow."""

import numpy as np
import pytest
from matplotlib.path import Path

from stbp_edu import Params, plotting
from stbp_edu.arrows import hard_reset, with_adaptation
from stbp_edu.losses import LastSteps, Membrane, Rate
from stbp_edu.network import Trace, forward
from stbp_edu.neuron import LIF
from stbp_edu.plotting import DELTA, EPSILON, GRID, figure
from stbp_edu.verify.paths import Node, edges_from, unroll

pytestmark = pytest.mark.slow  # draws large figures

PLACES = {"u": 0.0, "o": 1.1, "a": 2.3}
READOUTS = [(tail, head) for kind, tail, head in plotting.edges(3, 2) if kind == "readout"]


def adaptive(factor=None):
    """The arrows of a neuron with an adaptive threshold, as its table has them."""
    table = with_adaptation(hard_reset(LIF()), beta=0.5, rho=0.9).arrows
    return [
        ((a.source, 0, PLACES[a.source]), (a.target, a.step, PLACES[a.target]), factor or a.kind,
         DELTA)
        for a in table
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("draw", "names", "count"),
    [
        (plotting.fan_out, {"h", "f", "u f′", "w₁ᵢ", "w₂ᵢ", "w₃ᵢ"}, 6),
        (lambda ax: plotting.states(ax, adaptive("u f′")), {"u f′"}, 6),
        (lambda ax: plotting.unrolled(ax, 3, 2, highlight=READOUTS), {"direct"}, len(READOUTS)),
        (lambda ax: plotting.unrolled(ax, 3, 2, dropped=READOUTS), {"direct"}, len(READOUTS)),
    ],
)
def test_no_factor_lies_over_an_arrow(draw, names, count):
    ax = draw(figure(height=3.2)[1])
    ax.figure.draw_without_rendering()
    arrows = [a for a in ax.patches if names != {"direct"} or a.get_zorder() == 2]
    drawn = [a.get_path().transformed(a.get_transform()) for a in arrows]
    lines = [Path(p) for path in drawn for p in path.to_polygons(closed_only=False)]
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text() in names]
    assert len(boxes) == count
    assert not any(line.intersects_bbox(box, filled=False) for line in lines for box in boxes)


@pytest.mark.parametrize("above", [1, 3, 5])
def test_fan_out_draws_every_arrow_that_leaves_a_neuron(above):
    params = Params(
        W=[None, np.ones((1, 1)), np.ones((above, 1))], b=[None, *map(np.zeros, (1, above))]
    )
    neuron = LIF(tau=0.5, v_th=1.0)
    net = unroll(forward(np.ones((2, 1, 1)), params, neuron), np.ones((1, above)), params, neuron)
    leaving = [e for kind in "ou" for e in edges_from(Node(kind, n=1, t=0, i=0), net)]
    ax = plotting.fan_out(figure(height=3.2)[1], above=above)
    assert len(ax.patches) == len(leaving) == above + 3


@pytest.mark.parametrize("loss", [Rate(), LastSteps(2), Membrane(), Membrane(3)], ids=repr)
def test_read_outs_draws_an_arrow_for_each_direct_term_that_is_not_0(loss):
    series = np.full((4, 1, 1), 0.25)
    direct = loss.direct(Trace(U=[None, series], O=[series, series]), np.ones((1, 1)))
    reads = {
        (name, t + 1)
        for name, term in (("o", direct.o), ("u", direct.u))
        if term is not None
        for t in np.flatnonzero(term).tolist()
    }
    ax = plotting.read_outs(figure(height=2.0)[1], 4, reads)
    inside = 4 + 3 + 3  # spike at every step, carry and reset at all but the last
    assert len(ax.patches) == inside + len(reads) > inside


@pytest.mark.parametrize(("T", "panels"), [(2, 3), (3, 3), (4, 2)])
def test_no_arrow_to_the_loss_crosses_a_spike_on_its_way(T, panels):
    ax = figure(1, panels, height=2.3)[1][0]
    plotting.read_outs(ax, T, {("u", t + 1) for t in range(T)})
    ax.figure.draw_without_rendering()
    spikes = ax.transData.transform([(t + 1, 0.9) for t in range(T)])
    for arrow in ax.patches:
        path = arrow.get_path().transformed(arrow.get_transform())
        ends = np.concatenate(path.to_polygons(closed_only=False))
        line = np.concatenate(np.linspace(ends[:-1], ends[1:], 20))
        if np.ptp(line[:, 1]) > 60:  # to the loss, and not from u to its own spike
            apart = np.linalg.norm(line[:, None] - spikes, axis=2)
            assert apart.min() > 21 / 2 * ax.figure.dpi / 72, "a node 21 points wide is crossed"


def test_states_draws_every_arrow_with_its_factor_every_state_once_and_grey_thin():
    arrows = adaptive()
    ax = plotting.states(figure(height=3.2)[1], arrows, {("u", 0, 0.0): EPSILON})
    assert len(ax.patches) == len(arrows) == 6
    written = sorted(text.get_text() for text in ax.texts)
    assert written == sorted([*(kind for _, _, kind, _ in arrows), *"uuoaa"])
    grey, coloured = (
        plotting.states(figure()[1], [(*arrows[0][:3], colour)]).patches[0].get_linewidth()
        for colour in (GRID, EPSILON)
    )
    assert grey < coloured
