"""The steps of the error pulse: how it moves, in numbers.

One arrow a step, over every path at once. At a node the pulse splits, over each arrow the copy is
multiplied by the arrow's factor, and copies that meet add up. A copy from which no path is left
that the rule keeps ends at a cross.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stbp_edu.arrows import Edge, Path


class Move(NamedTuple):
    """The copies that go over one arrow in one step, added up.

    Attributes:
        edge: the arrow; the copies go from its target to its source.
        before: their value before its factor.
        value: their value behind it.
        paths: the paths from the start to the loss that they stand for.
        ends: whether they end on this arrow, at a cross.
    """

    edge: Edge
    before: float
    value: float
    paths: tuple[Path, ...]
    ends: bool


def pulse_moves(paths: Sequence[Path], rule: str = "exact") -> list[list[Move]]:
    """Return the moves of each step of a pulse over these paths, which begin in one node.

    >>> from stbp_edu.explorers.pencil_network import one_neuron
    >>> from stbp_edu.explorers.pulse_explorer import Pulse
    >>> paths = Pulse(one_neuron()).paths
    >>> [len(step) for step in pulse_moves(paths)]
    [3, 2, 3, 2, 1]
    >>> [move.edge.kind for step in pulse_moves(paths, "classic") for move in step if move.ends]
    ['carry']
    """
    # A part of a path begins at some node and ends at the loss.
    beyond: dict[tuple[Edge, ...], list[Path]] = defaultdict(list)
    for path in paths:
        for k in range(len(path.edges)):
            beyond[path.edges[k:]].append(path)
    hopeless = {
        part
        for part, those in beyond.items()
        if all(path.dropped_by(rule) for path in those)
    }
    together = defaultdict(list)
    for part in sorted(beyond, key=len):
        if part[1:] not in hopeless:
            together[len(part), part[0], part in hopeless].append(part)
    steps: list[list[Move]] = [[] for _ in range(max(map(len, beyond)))]
    for (length, edge, ends), parts in together.items():
        before = worth(Path(part[1:]) for part in parts)
        value = worth(Path(part) for part in parts)
        those = tuple(path for part in parts for path in beyond[part])
        steps[length - 1].append(Move(edge, before, value, those, ends))
    return steps


def worth(paths: Iterable[Path]) -> float:
    """Return the sum of the paths' contributions."""
    return float(sum(path.contribution for path in paths))
