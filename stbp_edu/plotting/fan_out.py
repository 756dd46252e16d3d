"""Arrows of one neuron: all that leave it at one step, and those that lead from it to the loss."""

from collections.abc import Collection

import numpy as np
from matplotlib.axes import Axes

from stbp_edu.plotting.palette import ABOVE, DELTA, DIRECT, EPSILON, GRID, INK, NEXT, style
from stbp_edu.plotting.state_diagram import WIDE, Place, draw_arrow, draw_node

BELOW = "₁₂₃₄₅₆₇₈₉"
HEIGHTS = {"u": 0.0, "o": 0.9, "above": 2.4}


@style()
def fan_out(ax: Axes, above: int = 3) -> Axes:
    """Draw what leaves the spike and the potential of neuron i of layer n at step t < T, n < N.

    From o_i^{t,n} up to the potential of each neuron j of layer n + 1 at the same step, and on to
    its own next potential; from u_i^{t,n} to its own spike and to its own next potential. Each
    arrow has the colour of its term, and beside it stands its factor.

    Args:
        ax: where to draw.
        above: how many neurons layer n + 1 has, up to 9.

    >>> from stbp_edu.plotting.svg_figure import figure
    >>> ax = fan_out(figure()[1], above=2)
    >>> [text.get_text() for text in ax.texts if text.get_text().startswith("w")]
    ['w₁ᵢ', 'w₂ᵢ']
    """
    u, spike, after = (0.0, HEIGHTS["u"]), (0.0, HEIGHTS["o"]), (WIDE, HEIGHTS["u"])
    spread = 0.95 * (np.arange(above) - (above - 1) / 2)
    for k, x in enumerate(spread):
        head = (float(x), HEIGHTS["above"])
        draw_arrow(ax, spike, head, ABOVE)
        _factor(ax, spike, head, f"w{BELOW[k]}ᵢ", 0.55)
        draw_node(ax, head, f"u{BELOW[k]}", GRID)
    draw_arrow(ax, spike, after, NEXT)
    _factor(ax, spike, after, "u f′", 0.5)
    draw_arrow(ax, u, spike, INK)
    _factor(ax, u, spike, "h", 0.5)
    draw_arrow(ax, u, after, NEXT)
    ax.text(WIDE / 2, -0.17, "f", ha="center", va="center", size=11, color=INK)
    draw_node(ax, u, "uᵢ", EPSILON)
    draw_node(ax, spike, "oᵢ", DELTA)
    draw_node(ax, after, "uᵢ", GRID)
    ax.set(xlim=(min(-0.7, spread[0] - 0.4), WIDE + 0.5), ylim=(-0.45, HEIGHTS["above"] + 0.4))
    ax.set(xticks=(0, WIDE), xticklabels=("t", "t + 1"), xlabel="time step →")
    ax.set(yticks=(0.45, HEIGHTS["above"]), yticklabels=("n", "n + 1"), ylabel="layer →")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


@style()
def read_outs(ax: Axes, T: int, reads: Collection[tuple[str, int]]) -> Axes:
    """Draw an output neuron over T steps, with an arrow to the loss from each state that it reads.

    The neuron's own arrows are grey: u_i^t to its spike, and both to the next potential.

    Args:
        ax: where to draw.
        T: number of time steps; with more than 4, arrows from potentials may cross spikes.
        reads: what the loss reads, such as ``{("o", 3)}`` for the spike of step 3; steps count
            from 1.

    >>> from stbp_edu.plotting.svg_figure import figure
    >>> len(read_outs(figure()[1], T=3, reads={("u", 3)}).patches)
    8
    """
    loss = ((T + 1) / 2, 2.1)
    for t in range(1, T + 1):
        u, spike = (float(t), HEIGHTS["u"]), (float(t), HEIGHTS["o"])
        after = (t + 1.0, HEIGHTS["u"])
        for tail, head in [(u, spike)] + [(u, after), (spike, after)] * (t < T):
            draw_arrow(ax, tail, head, GRID, 0.9)
        for name, at, colour in (("u", u, EPSILON), ("o", spike, DELTA)):
            if (name, t) in reads:
                # From a potential below L a straight arrow would cross the spike above it.
                near = name == "u" and abs(t - loss[0]) < 1
                draw_arrow(ax, at, loss, DIRECT, bow=0.28 * near * (1 if t < loss[0] else -1))
            draw_node(ax, at, name, colour if (name, t) in reads else GRID)
    draw_node(ax, loss, "L", GRID)
    ax.set(xlim=(0.5, T + 0.5), ylim=(-0.35, loss[1] + 0.35), xticks=range(1, T + 1), yticks=())
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def _factor(ax: Axes, tail: Place, head: Place, text: str, share: float) -> None:
    """Write a factor on the outer side of its arrow, at this share of the way."""
    x, y = np.array(tail) + share * (np.array(head) - np.array(tail))
    left = head[0] < tail[0]
    x, y = (x - 0.1, y) if left else (x + 0.1, y + 0.1 * (head[1] < tail[1]))
    ax.text(x, y, text, ha="right" if left else "left", va="center", size=11, color=INK)
