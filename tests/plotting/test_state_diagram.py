"""The states of a neuron and the arrows between them."""

from matplotlib.path import Path

from stbp_edu import plotting
from stbp_edu.arrows import hard_reset, with_adaptation
from stbp_edu.neuron import LIF
from stbp_edu.plotting import DELTA, EPSILON, GRID, figure

PLACES = {"u": 0.0, "o": 1.1, "a": 2.3}


def adaptive():
    """The arrows of a neuron with an adaptive threshold, as its table has them."""
    table = with_adaptation(hard_reset(LIF()), beta=0.5, rho=0.9).arrows
    return [
        ((a.source, 0, PLACES[a.source]), (a.target, a.step, PLACES[a.target]), a.kind, DELTA)
        for a in table
    ]


def test_every_arrow_is_drawn_with_its_factor_and_every_state_once():
    arrows = adaptive()
    ax = plotting.states(figure(height=3.2)[1], arrows, {("u", 0, 0.0): EPSILON})
    assert len(ax.patches) == len(arrows) == 6
    written = sorted(text.get_text() for text in ax.texts)
    assert written == sorted([*(kind for _, _, kind, _ in arrows), *"uuoaa"])


def test_what_is_grey_is_thin():
    u, o = ("u", 0, 0.0), ("o", 0, 1.0)
    widths = [
        plotting.states(figure()[1], [(u, o, "h", colour)]).patches[0].get_linewidth()
        for colour in (GRID, EPSILON)
    ]
    assert widths[0] < widths[1]


def test_no_factor_lies_over_an_arrow():
    ax = plotting.states(figure(height=3.2)[1], [(*a[:2], "u f′", a[3]) for a in adaptive()])
    ax.figure.draw_without_rendering()
    drawn = [a.get_path().transformed(a.get_transform()) for a in ax.patches]
    lines = [Path(p) for path in drawn for p in path.to_polygons(closed_only=False)]
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text() == "u f′"]
    assert len(boxes) == 6
    assert not any(line.intersects_bbox(box, filled=False) for line in lines for box in boxes)
