"""Two steps and two layers of a neuron, with the factor on each arrow."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from stbp_edu.arrows.models import Network
from stbp_edu.arrows.table import Arrow, placed
from stbp_edu.plotting.palette import DELTA, EPSILON, GRID, GROUND, INK, style
from stbp_edu.plotting.state_diagram import draw_arrow, draw_node
from stbp_edu.plotting.svg_figure import Shown, figure, show

WIDE, HIGH, GAP = 4.6, 1.0, 0.75
ASIDE = 1.1  # every other state stands so far to the right, so that no arrow hides another
SHARES = (0.5, 0.36, 0.62)  # where on an arrow its factor stands, of arrows from one state
STEPS = ("t-1", "t", "t+1")
Place = tuple[float, float]


@style()
def draw(net: Network) -> Shown:
    """Return the picture of the last two layers of a network, at steps t and t + 1.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import network, soft_reset
    >>> draw(network("1-1-1", soft_reset(LIF())))
    [Figure: Two steps and two layers of a neuron with the states u, o. Arrows in each layer: spike
    from u to o; carry from u to the next u; reset from o to the next u. Between layers: weight.]
    """
    neuron = net.layers[net.N].neuron
    rows, tall = len(neuron.order), HIGH * len(neuron.order) + GAP
    fig, ax = figure(height=1.0 + 1.1 * tall)
    places = {
        (state, step, layer): (WIDE * step + ASIDE * (k % 2), tall * layer + HIGH * k)
        for layer in (0, 1)
        for step in (0, 1)
        for k, state in enumerate(neuron.order)
    }
    for state, step, layer in places:
        leaving = [a for a in net.arrows[net.N - 1 + layer] if a.source == state]
        later = [a for a in leaving if a.step]
        for arrow in leaving:
            end = arrow.target, step + arrow.step, layer + arrow.layer
            if end in places:
                ends = places[state, step, layer], places[end]
                share = SHARES[later.index(arrow) % 3] if arrow.step else 0.5
                _arrow(ax, arrow, *ends, share if not layer and not step else None)
    for (state, _, _), place in places.items():
        colour = DELTA if state == neuron.output else EPSILON
        draw_node(ax, place, state, colour if state in (neuron.output, neuron.input) else GRID)
    middle = HIGH * (rows - 1) / 2
    ax.set(xlim=(-0.9, WIDE + ASIDE + 0.6), ylim=(-0.5, tall + HIGH * (rows - 1) + 0.5))
    ax.set(xticks=(ASIDE / 2, WIDE + ASIDE / 2), xticklabels=("t", "t + 1"), xlabel="time step →")
    ax.set(yticks=(middle, middle + tall), yticklabels=("n", "n + 1"), ylabel="layer →")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return show(fig, alt=_described(net))


def _arrow(ax: Axes, arrow: Arrow, tail: Place, head: Place, share: float | None) -> None:
    """Draw one arrow, bowed where it passes a state; with its factor at a share of its length."""
    (x0, y0), (x1, y1) = tail, head
    bow = 0.3 if x0 == x1 and abs(y1 - y0) > HIGH else 0.0
    draw_arrow(ax, tail, head, EPSILON if arrow.step else INK, 1.3, bow)
    if share is None:
        return
    text = (
        "W"
        if arrow.link
        else placed(
            f"{arrow.letters}1" if arrow.letters in ("", "-") else arrow.letters,
            lambda later: f"^{{{STEPS[later + 1]}}}",
        )
    )
    aside = 0.5 * bow * (y1 - y0) / HIGH  # a bow lies to the right of an arrow that leads upward
    look: Any = {"size": 8, "color": INK, "zorder": 6, "ha": "center", "va": "center"}
    box: Any = {"facecolor": GROUND, "edgecolor": "none", "pad": 0.5, "alpha": 0.8}
    x, y = x0 + share * (x1 - x0) + aside, y0 + share * (y1 - y0)
    ax.text(x, y, f"${text}$", bbox=box, **look)


def _described(net: Network) -> str:
    """Return the picture in words."""
    neuron = net.layers[net.N].neuron
    inside = "; ".join(
        f"{a.kind} from {a.source} to {'the next ' * a.step}{a.target}" for a in neuron.arrows
    )
    between = ", ".join(dict.fromkeys(a.kind for a in net.arrows[net.N - 1] if a.link))
    return (
        f"Two steps and two layers of a neuron with the states {', '.join(neuron.order)}. Arrows "
        f"in each layer: {inside}. Between layers: {between}."
    )
