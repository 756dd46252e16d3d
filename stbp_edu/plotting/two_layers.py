"""Two steps and two layers of a neuron, with the factor on each arrow."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from stbp_edu.arrows.models import Network
from stbp_edu.arrows.table import LOSS, Arrow, placed
from stbp_edu.plotting.palette import DELTA, EPSILON, GRID, GROUND, INK, style
from stbp_edu.plotting.state_diagram import draw_arrow, draw_node
from stbp_edu.plotting.svg_figure import Shown, figure, show

WIDE, HIGH, GAP = 3.4, 0.95, 1.15
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
    rows = len(neuron.order)
    fig, ax = figure(height=1.0 + 2 * (rows * 0.62 + 0.35))
    places = {
        (state, step, layer): (WIDE * step + 0.55 * (k % 2), (HIGH * rows + GAP) * layer + HIGH * k)
        for layer in (0, 1)
        for step in (0, 1)
        for k, state in enumerate(neuron.order)
    }
    for layer, step in ((layer, step) for layer in (0, 1) for step in (0, 1)):
        for arrow in net.arrows[net.N - 1 + layer]:
            if arrow.target != LOSS and arrow.step + step < 2 and arrow.layer + layer < 2:
                tail = places[arrow.source, step, layer]
                head = places[arrow.target, step + arrow.step, layer + arrow.layer]
                _arrow(ax, arrow, tail, head, named=not layer)
    for (state, _, _), place in places.items():
        colour = DELTA if state == neuron.output else EPSILON
        draw_node(ax, place, state, colour if state in (neuron.output, neuron.input) else GRID)
    top = (HIGH * rows + GAP) + HIGH * (rows - 1)
    ax.set(xlim=(-0.7, WIDE + 1.5), ylim=(-0.5, top + 0.5))
    ax.set(xticks=(0.27, WIDE + 0.27), xticklabels=("t", "t + 1"), xlabel="time step →")
    middle = HIGH * (rows - 1) / 2
    ax.set(yticks=(middle, middle + HIGH * rows + GAP), yticklabels=("n", "n + 1"))
    ax.set_ylabel("layer →")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return show(fig, alt=_described(net))


def _arrow(ax: Axes, arrow: Arrow, tail: Place, head: Place, named: bool) -> None:
    """Draw one arrow and, in the lower layer, its factor."""
    (x0, y0), (x1, y1) = tail, head
    far = abs(y1 - y0) > 1.5 * HIGH and not arrow.step and not arrow.layer
    draw_arrow(ax, tail, head, EPSILON if arrow.step else INK, 1.3, 0.25 if far else 0.0)
    if not named or (arrow.step == 0 and x0 > WIDE and not arrow.layer):
        return
    text = {"weight": "W", "recur": "R"}.get(arrow.kind) or placed(
        arrow.letters or "1", lambda later: f"^{{{STEPS[later + 1]}}}"
    )
    share = 0.36 if arrow.step else 0.5
    x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
    look: Any = {"size": 8.5, "color": INK, "zorder": 6, "ha": "center", "va": "center"}
    box: Any = {"facecolor": GROUND, "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
    ax.text(x + 0.25 * far, y, f"${text}$", bbox=box, **look)


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
