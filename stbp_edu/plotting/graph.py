"""The unrolled graph: every potential and spike as a node, every dependence as an arrow."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stbp_edu.checks import Array
from stbp_edu.plotting.palette import GRID, INK, LOST, NEXT, TERMS, style
from stbp_edu.plotting.state_diagram import draw_arrow, draw_node

Node = tuple[str, int, int] | str
"""("u", t, n) or ("o", t, n) with t = 1..T, or "L"."""

Edge = tuple[Node, Node]
"""An arrow: (tail, head)."""

KINDS = {"spike": "h", "weight": "W", "carry": "f", "reset": "u f′", "readout": "direct"}
GAP = 1.7  # height of a layer, in units of a time step's width


def edges(T: int, N: int) -> Iterator[tuple[str, Node, Node]]:
    """Yield (kind, tail, head) for every arrow of the unrolled graph.

    ``spike`` u → o; ``weight`` o → u of the layer above; ``carry`` u → u of the next step;
    ``reset`` o → u of the next step; ``readout`` o of the output layer → L.

    >>> sum(1 for _ in edges(T=2, N=1))
    8
    """
    for t in range(1, T + 1):
        yield "weight", ("o", t, 0), ("u", t, 1)
        for n in range(1, N + 1):
            yield "spike", ("u", t, n), ("o", t, n)
            if n < N:
                yield "weight", ("o", t, n), ("u", t, n + 1)
            if t < T:
                yield "carry", ("u", t, n), ("u", t + 1, n)
                yield "reset", ("o", t, n), ("u", t + 1, n)
        yield "readout", ("o", t, N), "L"


def path_edges(path: Sequence[Node]) -> list[Edge]:
    """Return the arrows along a path that is given by its nodes.

    >>> path_edges([("u", 2, 1), ("o", 2, 1), "L"])
    [(('u', 2, 1), ('o', 2, 1)), (('o', 2, 1), 'L')]
    """
    return list(pairwise(path))


def position(node: Node, T: int, N: int) -> Array:
    """Return where a node stands: time to the right, layers upward, o above its u."""
    if isinstance(node, str):
        return np.array([(T + 1) / 2, N * GAP + 1.7])
    kind, t, n = node
    return np.array([t, n * GAP + (0.8 if kind == "o" else 0.0)])


@style()
def unrolled(
    ax: Axes,
    T: int,
    N: int,
    highlight: Iterable[Edge] | Mapping[Edge, str] = (),
    dropped: Iterable[Edge] = (),
    nodes: Mapping[Node, str] | None = None,
    labels: bool = True,
) -> Axes:
    """Draw the unrolled graph of T steps and N layers, in a figure of its own as tall as it needs.

    Args:
        ax: where to draw.
        T: number of time steps.
        N: number of layers, without the input.
        highlight: arrows (tail, head) to draw thick, in the colours of their terms, or a colour
            for each arrow; see :func:`path_edges`.
        dropped: arrows to draw thick, dashed, and struck out with a cross.
        nodes: colours of nodes to frame, such as ``{("o", 2, 1): DELTA}``.
        labels: write each arrow's factor beside it, on what is highlighted or, where nothing is,
            on the first arrow of each kind.

    Raises:
        ValueError: if a highlighted or dropped arrow is not in the graph.

    >>> from stbp_edu.plotting.svg_figure import figure
    >>> path = [("u", 1, 1), ("o", 1, 1), ("u", 2, 1), ("o", 2, 1), "L"]
    >>> len(unrolled(figure()[1], T=2, N=1, highlight=path_edges(path)).texts)
    11
    """
    known = {(tail, head): TERMS[kind] for kind, tail, head in edges(T, N)}
    own = highlight if isinstance(highlight, Mapping) else {}
    colours = {edge: own.get(edge) or known.get(edge, INK) for edge in highlight}
    dropped = set(dropped)
    if unknown := (colours.keys() | dropped) - known.keys():
        raise ValueError(
            f"highlight and dropped must be arrows of the graph, got {unknown}; "
            "nodes are ('u', t, n) and ('o', t, n) with t from 1, and 'L'"
        )
    named: set[str] = set()
    for kind, tail, head in edges(T, N):
        cut = (tail, head) in dropped
        colour = LOST if cut else colours.get((tail, head))
        ends = position(tail, T, N), position(head, T, N)
        _arrow(ax, *ends, kind, colour, cut)
        if labels and (colour if colours or dropped else kind not in named):
            named.add(kind)
            _factor(ax, *ends, kind, cut)
    for node in sorted({end for edge in known for end in edge}, key=str):
        name = node if isinstance(node, str) else node[0]
        draw_node(ax, tuple(position(node, T, N)), name, (nodes or {}).get(node) or GRID)
    if isinstance(ax.figure, Figure) and ax.figure.axes == [ax]:
        ax.figure.set_figheight(1.4 + 1.6 * N)
    layers = range(1, N + 1)
    ax.set(xlim=(0.45, T + 0.65), ylim=(0.3, N * GAP + 2.1), xticks=range(1, T + 1))
    ax.set(yticks=[n * GAP + 0.4 for n in layers], yticklabels=layers)
    ax.set(xlabel="time step t →", ylabel="layer n →")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def two_doors(ax: Axes, T: int, N: int, t: int) -> Axes:
    """Draw the two ways out of a potential of the output layer: its own spike, the next potential.

    Args:
        ax: where to draw.
        T: number of time steps.
        N: number of layers, without the input.
        t: the step of the potential, before the last: 1..T - 1.

    Raises:
        ValueError: if no next potential follows.

    >>> from stbp_edu.plotting.svg_figure import figure
    >>> ax = two_doors(figure()[1], T=3, N=1, t=2)
    >>> [text.get_text() for text in ax.texts[:2]]
    ['h', 'f']
    """
    if not 1 <= t < T:
        raise ValueError(f"t must be a step from 1 to T - 1 = {T - 1}, got {t}; nothing follows T")
    here, spike, later = ("u", t, N), ("o", t, N), ("u", t + 1, N)
    ways = [(here, spike), (here, later)]
    unrolled(ax, T, N, highlight=ways, nodes={here: INK, spike: INK, later: NEXT})
    look: Any = {"va": "center", "size": 10.5, "color": INK, "zorder": 6}
    x, y = position(spike, T, N)
    ax.text(x - 0.12, y, "its own\nspike", ha="right", **look)
    x, y = position(later, T, N)
    ax.text(x + 0.12, y, "the next\npotential", ha="left", **look)
    return ax


def _arrow(ax: Axes, tail: Array, head: Array, kind: str, colour: str | None, cut: bool) -> None:
    """Draw one arrow, thick if it has a colour; dashed and crossed if cut; to the loss, bowed."""
    bow = 0.08 * float(np.sign(tail[0] - head[0])) if kind == "readout" else 0.0
    ends = tuple(tail), tuple(head)
    arrow = draw_arrow(ax, *ends, colour or GRID, 2.4 if colour else 1.0, bow)
    if cut:
        arrow.set_linestyle("--")
        x, y = tail + 0.5 * (head - tail)
        ax.plot([x], [y], "x", color=LOST, markersize=11, markeredgewidth=2.6, zorder=4)


def _factor(ax: Axes, tail: Array, head: Array, kind: str, cut: bool) -> None:
    """Write the factor of an arrow to its right or above it, outside of one that bows."""
    x, y = tail + (0.3 if cut else 0.45) * (head - tail)
    if tail[0] == head[0]:
        dx, dy, align = 0.07, 0.0, "left"
    elif tail[1] == head[1]:
        dx, dy, align = 0.0, 0.13, "center"
    elif kind == "reset":
        dx, dy, align = 0.08, 0.1, "left"
    else:
        dx, dy, align = (-0.08, 0.24, "right") if tail[0] < head[0] else (0.08, 0.24, "left")
    ax.text(x + dx, y + dy, KINDS[kind], ha=align, va="center", size=11, color=INK, zorder=5)
