"""The states of neurons at one step and the next, and the arrows between them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch

from stbp_edu.plotting.palette import CURRENT, GRID, INK, style

State = tuple[str, float, float]
"""Its name; its column, in time steps from t; its height."""
Place = tuple[float, float]
WIDE = 2.3  # how far apart two steps stand, where two heights are 1 apart
RIGHT, BELOW = (0.1, 0.0, "left"), (0.0, -0.19, "center")


@style()
def states(
    ax: Axes,
    arrows: Sequence[tuple[State, State, str, str]],
    lit: Mapping[State, str] | None = None,
) -> Axes:
    """Draw states and arrows: spikes round, all other states square; time to the right.

    Args:
        ax: where to draw.
        arrows: (tail, head, factor, colour) each; an arrow drawn in ``GRID`` is thin.
        lit: colours of the states that are asked about.

    >>> from stbp_edu.plotting.palette import EPSILON
    >>> from stbp_edu.plotting.svg_figure import figure
    >>> u, o, later = ("u", 0, 0), ("o", 0, 1), ("u", 1, 0)
    >>> arrows = [(u, o, "h(u)", EPSILON), (u, later, "f(o)", EPSILON), (o, later, "u f′", GRID)]
    >>> len(states(figure()[1], arrows, {u: EPSILON}).patches)
    3
    """
    for tail, head, factor, colour in arrows:
        draw_arrow(ax, _place(tail), _place(head), colour, 1.1 if colour == GRID else 2.2)
        _factor(ax, _place(tail), _place(head), factor)
    found = list(dict.fromkeys(end for arrow in arrows for end in arrow[:2]))
    for state in found:
        draw_node(ax, _place(state), state[0], (lit or {}).get(state, GRID))
    x, y = np.array([_place(state) for state in found]).T
    ax.set(xlim=(min(x) - 0.5, max(x) + 0.5), ylim=(min(y) - 0.45, max(y) + 0.4))
    ax.set(xticks=(0, WIDE), xticklabels=("t", "t + 1"), yticks=(), xlabel="time step →")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def draw_arrow(
    ax: Axes, tail: Place, head: Place, colour: str, width: float = 2.2, bow: float = 0.0
) -> FancyArrowPatch:
    """Draw one arrow between two nodes, straight or bowed, and return it."""
    form: Any = {"arrowstyle": "-|>", "mutation_scale": 9 + 2 * width, "shrinkA": 13, "shrinkB": 14}
    form |= {"connectionstyle": f"arc3,rad={bow}", "zorder": 1 + (colour != GRID)}
    arrow = FancyArrowPatch(tail, head, color=colour, linewidth=width, **form)
    ax.add_patch(arrow)
    return arrow


def draw_node(ax: Axes, at: Place, name: str, colour: str) -> None:
    """Draw a node with its name: spikes round, other states square, in a halo if asked about."""
    shape, asked = "o" if name.startswith("o") else "s", colour != GRID
    if asked:
        ax.plot(*at, shape, markersize=29, mfc=CURRENT, mec="none", alpha=0.6, zorder=0)
    width = 2.5 if asked or name == "L" else 1.2
    ax.plot(*at, shape, markersize=21, mfc="none", mec=INK if name == "L" else colour, mew=width)
    look: Any = {"ha": "center", "va": "center_baseline", "size": 12, "color": INK, "zorder": 6}
    ax.text(*at, name, fontweight="bold" if asked else "normal", **look)


def _place(state: State) -> Place:
    """Return where a state stands."""
    return WIDE * state[1], state[2]


def _factor(ax: Axes, tail: Place, head: Place, text: str) -> None:
    """Write a factor right of an upright arrow, below a flat one, above a slanting one."""
    (x0, y0), (x1, y1) = tail, head
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    dx, dy, align = RIGHT if x0 == x1 else BELOW if y0 == y1 else (0.12, 0.12, "left")
    if y1 > y0 and x0 < x1:
        dx, dy, align = -0.1, 0.14, "right"
    ax.text(x + dx, y + dy, text, ha=align, va="center", size=11, color=INK)
