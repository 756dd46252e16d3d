"""How the error pulse moves: one arrow a step, over every path at once.

At a node it splits, over each arrow the copy is multiplied by the arrow's factor, and copies that
meet add up. A copy from which no path is left that the rule keeps ends at a cross.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

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

    @property
    def worth(self) -> float:
        """What its paths contribute in the end."""
        return float(sum(path.contribution for path in self.paths))


def pulse_moves(paths: Sequence[Path], rule: str = "exact") -> list[list[Move]]:
    """Return the moves of each step of a pulse over these paths, which begin in one node.

    >>> from stbp_edu.practice.explorers.pulse_explorer import FIRST, one_neuron
    >>> from stbp_edu.verify.paths import paths_from, unroll
    >>> net = one_neuron()
    >>> paths = paths_from(FIRST, unroll(net.trace, net.targets, net.params, net.neuron))
    >>> [len(step) for step in pulse_moves(paths)]
    [3, 2, 3, 2, 1]
    >>> [move.edge.kind for step in pulse_moves(paths, "classic") for move in step if move.ends]
    ['carry']
    """
    beyond: dict[tuple[Edge, ...], list[Path]] = defaultdict(list)  # of each part from the loss on
    for path in paths:
        for length in range(1, len(path.edges) + 1):
            beyond[path.edges[-length:]].append(path)
    hopeless = {part for part, those in beyond.items() if all(p.dropped_by(rule) for p in those)}
    steps = []
    for length in range(1, max(len(path.edges) for path in paths) + 1):
        groups = defaultdict(list)
        for part in beyond:
            if len(part) == length and part[1:] not in hopeless:
                groups[part[0], part in hopeless].append(part)
        steps.append([_move(*key, parts, beyond) for key, parts in groups.items()])
    return steps


def _move(edge: Edge, ends: bool, parts: list[Any], beyond: dict[Any, list[Path]]) -> Move:
    """Add up the copies that have come over these parts of paths."""
    before = sum(float(Path(part[1:]).contribution) for part in parts)
    value = sum(float(Path(part).contribution) for part in parts)
    return Move(edge, before, value, tuple(p for part in parts for p in beyond[part]), ends)
