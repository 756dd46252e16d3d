"""Two steps and two layers of a neuron, with the factor on each arrow."""

from __future__ import annotations

from itertools import product
from math import dist
from typing import Any

from matplotlib.axes import Axes

from stbp_edu.arrows.models import Network
from stbp_edu.arrows.table import Arrow, placed
from stbp_edu.plotting.palette import ABOVE, GRID, INK, NEXT, style
from stbp_edu.plotting.state_diagram import draw_arrow, draw_node
from stbp_edu.plotting.svg_figure import Shown, figure, show

WIDE, HIGH, GAP = 4.6, 1.0, 0.75
ASIDE = 1.1  # every other state stands so far to the right, so that no arrow hides another
FEW = 3  # so many arrows bear their factors; where there are more, a number and a list below
LONGEST = 80  # characters of a factor's LaTeX that are drawn
SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.2, 0.8)  # where on an arrow it may stand
SIZE = 12  # of letters, so that they can be read on a phone
POINTS = (64.0, 79.0)  # about what a unit across and a unit up measure
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
    listed = neuron.arrows if len(neuron.arrows) > FEW else ()
    height, below = 1.0 + 1.1 * tall, 0.3 * len(listed) + 0.1
    fig, (ax, key) = figure(2, 1, height=height + below, height_ratios=[height, below])
    places = {
        (state, step, layer): (WIDE * step + ASIDE * (k % 2), tall * layer + HIGH * k)
        for layer, step in product((0, 1), (0, 1))
        for k, state in enumerate(neuron.order)
    }
    labels = {arrow.kind: str(k) for k, arrow in enumerate(listed, 1)}
    taken = list(places.values())
    for (state, step, layer), tail in places.items():
        for arrow in (a for a in net.arrows[net.N - 1 + layer] if a.source == state):
            end = arrow.target, step + arrow.step, layer + arrow.layer
            if end in places:
                bow = _bow(tail, places[end])
                colour = NEXT if arrow.step else ABOVE if arrow.layer else INK
                draw_arrow(ax, tail, places[end], colour, 1.3, bow)
                if not layer and not step:
                    label = labels.get(arrow.kind) or f"${_factor(arrow)}$"
                    _label(ax, label, tail, places[end], taken)
    for (state, _, _), place in places.items():
        draw_node(ax, place, state, GRID)
    middle = HIGH * (rows - 1) / 2
    ax.set(xlim=(-0.9, WIDE + ASIDE + 0.6), ylim=(-0.5, tall + HIGH * (rows - 1) + 0.5))
    ax.set(xticks=(ASIDE / 2, WIDE + ASIDE / 2), xticklabels=("t", "t + 1"), xlabel="time step →")
    ax.set(yticks=(middle, middle + tall), yticklabels=("n", "n + 1"), ylabel="layer →")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    _list(key, listed)
    return show(fig, alt=_described(net))


def _bow(tail: Place, head: Place) -> float:
    """Return how far an arrow is bowed: where it would pass a state."""
    return 0.3 if tail[0] == head[0] and abs(head[1] - tail[1]) > HIGH else 0.0


def _factor(arrow: Arrow) -> str:
    """Return an arrow's factor as LaTeX; one that is very long is left out."""
    if arrow.link:
        return "W"
    letters = f"{arrow.letters}1" if arrow.letters in ("", "-") else arrow.letters
    letters = letters.replace("'", "′")  # the other is a 0 where a browser lacks the font
    return (
        r"\ldots" if len(letters) > LONGEST else placed(letters, lambda k: f"^{{{STEPS[k + 1]}}}")
    )


def _label(ax: Axes, text: str, tail: Place, head: Place, taken: list[Place]) -> None:
    """Write beside an arrow, as far as possible from states and from what is written already."""
    (x0, y0), (x1, y1) = tail, head
    aside = 0.5 * _bow(tail, head) * (y1 - y0) / HIGH  # an upward arrow is bowed to the right
    spots = [(x0 + share * (x1 - x0) + aside, y0 + share * (y1 - y0)) for share in SHARES]
    if not text.isdigit():  # few arrows: the middle, where a formula has room
        spots = spots[:1]
    spot = max(spots, key=lambda one: min(min(dist(one, other) for other in taken), 0.6))
    taken.append(spot)
    across, up = -(y1 - y0) * POINTS[1], (x1 - x0) * POINTS[0]  # a right angle to the left
    if up < 0 or not x1 - x0:
        across, up = -across, -up
    size = dist((0, 0), (across, up))
    sideways = "center" if abs(across) < size / 3 else "left" if across > 0 else "right"
    away, sideways = (9, "center") if text.isdigit() else (14, sideways)
    look: Any = {"size": SIZE, "color": INK, "va": "center", "ha": sideways}
    offset = away * across / size, away * up / size
    ax.annotate(text, spot, offset, textcoords="offset points", **look)


def _list(ax: Axes, arrows: tuple[Arrow, ...]) -> None:
    """Write the factor of each numbered arrow below the picture."""
    ax.axis("off")
    ax.set(xlim=(0, 1), ylim=(len(arrows) - 0.4, -0.6))
    for k, arrow in enumerate(arrows):
        look: Any = {"size": SIZE, "color": INK, "va": "center_baseline", "in_layout": False}
        ax.text(0.0, k, str(k + 1), ha="right", **look)
        ax.text(0.04, k, arrow.kind, **look)
        ax.text(0.3, k, f"${_factor(arrow)}$", **look)


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
