"""The unrolled graph: every potential and spike as a node, every dependence as an arrow."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from stbp_edu.plotting import drawing
from stbp_edu.plotting.drawing import Arrow, Drawing
from stbp_edu.plotting.palette import GRID, TERMS

Node = tuple[str, int, int] | str
"""("u", t, n) or ("o", t, n) with t = 1..T, or "L"."""

Edge = tuple[Node, Node]
"""An arrow: (tail, head)."""

KINDS = {"spike": "h", "weight": "W", "carry": "f", "reset": "u f′", "readout": "direct"}
LAYER = 2.05  # rows


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


def position(node: Node, T: int, N: int) -> tuple[float, float]:
    """Return where a node stands: time to the right, layers upward, o above its u."""
    if isinstance(node, str):
        return (T + 1) / 2, LAYER * N + 2.3
    kind, t, n = node
    return t, LAYER * n + (kind == "o")


def readout_bow(tail: float, loss: float, share: float = 0.1) -> float:
    """Return the bow of an arrow to the loss, by the columns of its ends: outward."""
    return share * ((tail < loss) - (tail > loss))


def unrolled(
    T: int,
    N: int,
    highlight: Iterable[Edge] | Mapping[Edge, str] = (),
    dropped: Iterable[Edge] = (),
    nodes: Mapping[Node, str] | None = None,
    labels: bool | Mapping[str, str] = True,
) -> Drawing:
    """Return the unrolled graph of T steps and N layers.

    Args:
        T: number of time steps.
        N: number of layers, without the input.
        highlight: arrows (tail, head) to draw thick, in the colours of their terms, or a colour
            for each arrow; see :func:`path_edges`.
        dropped: arrows to draw dashed, and struck out with a cross.
        nodes: the nodes that are asked about, such as ``{("o", 2, 1): DELTA}``.
        labels: write each arrow's factor beside it, on what is highlighted or, where nothing is,
            on the first arrow of each kind; or other words for each kind.

    Raises:
        ValueError: if a highlighted or dropped arrow is not in the graph.

    >>> path = [("u", 1, 1), ("o", 1, 1), ("u", 2, 1), ("o", 2, 1), "L"]
    >>> graph = unrolled(T=2, N=1, highlight=path_edges(path))
    >>> [arrow.factor for arrow in graph.arrows if arrow.factor]
    ['h', 'u f′', 'h', 'direct']
    """
    known = {(tail, head): kind for kind, tail, head in edges(T, N)}
    own = highlight if isinstance(highlight, Mapping) else {}
    colours = {edge: own.get(edge) or TERMS[known.get(edge, "spike")] for edge in highlight}
    dropped = set(dropped)
    if unknown := (colours.keys() | dropped) - known.keys():
        raise ValueError(
            f"highlight and dropped must be arrows of the graph, got {unknown}; "
            "nodes are ('u', t, n) and ('o', t, n) with t from 1, and 'L'"
        )
    written = labels if isinstance(labels, Mapping) else KINDS if labels else {}
    arrows, named = [], set[str]()
    for edge, kind in known.items():
        shown = edge in colours.keys() | dropped if colours or dropped else kind not in named
        named.add(kind)
        x, loss = position(edge[0], T, N)[0], (T + 1) / 2
        arrows.append(
            Arrow(
                *edge,
                colours.get(edge, GRID),
                factor=written.get(kind, "") if shown else "",
                bow=readout_bow(x, loss) if kind == "readout" else 0.0,
                lost=edge in dropped,
            )
        )
    found = sorted({end for edge in known for end in edge}, key=str)
    return Drawing(
        {
            node: drawing.Node(position(node, T, N), node[0], node[0] == "o", node in (nodes or {}))
            for node in found
        },
        arrows,
        columns={t: f"t = {t}" for t in range(1, T + 1)},
        rows={LAYER * n + 0.5: f"n = {n}" for n in range(1, N + 1)},
    )
