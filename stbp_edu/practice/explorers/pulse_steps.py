"""The steps of the error pulse: how it moves, in numbers and in words.

One arrow a step, over every path at once. At a node the pulse splits, over each arrow the copy is
multiplied by the arrow's factor, and copies that meet add up. A copy from which no path is left
that the rule keeps ends at a cross.
"""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import chain
from typing import NamedTuple

from stbp_edu.arrows import Edge, LocalDerivatives, Node, Path
from stbp_edu.plotting.graph import label
from stbp_edu.practice.explorers.widget import Json, node_id, rounded

SYMBOLS = {
    "spike": "h",
    "carry": "f",
    "reset": "u f′",
    "weight": "w",
    "readout": "direct",
}
OPENING = (
    "The error starts at the loss L with the value 1. It runs back to {}, one arrow a step, and "
    "each arrow multiplies it by its factor."
)
CROSSED = (
    " Under this rule a potential hands to a spike only what came through its own spike; what was "
    "carried to it ends at a cross."
)
MOST = 5  # terms of a sum that is written out
LARGEST = 5000  # denominator of a fraction that is still read at a glance


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

    >>> from stbp_edu.practice.explorers.pencil_network import one_neuron
    >>> from stbp_edu.practice.explorers.pulse_explorer import Pulse
    >>> paths = Pulse(one_neuron()).paths
    >>> [len(step) for step in pulse_moves(paths)]
    [3, 2, 3, 2, 1]
    >>> [move.edge.kind for step in pulse_moves(paths, "classic") for move in step if move.ends]
    ['carry']
    """
    beyond: dict[tuple[Edge, ...], list[Path]] = defaultdict(
        list
    )  # of each part from the loss on
    for path in paths:
        for length in range(1, len(path.edges) + 1):
            beyond[path.edges[-length:]].append(path)
    hopeless = {
        part for part, those in beyond.items() if all(p.dropped_by(rule) for p in those)
    }
    steps = []
    for length in range(1, max(len(path.edges) for path in paths) + 1):
        groups = defaultdict(list)
        for part in beyond:
            if len(part) == length and part[1:] not in hopeless:
                groups[part[0], part in hopeless].append(part)
        moves = []
        for (edge, ends), parts in groups.items():
            before = _worth([Path(part[1:]) for part in parts])
            those = tuple(path for part in parts for path in beyond[part])
            moves.append(Move(edge, before, _worth([*map(Path, parts)]), those, ends))
        steps.append(moves)
    return steps


def _worth(paths: Sequence[Path]) -> float:
    """Return the sum of the paths' contributions."""
    return float(sum(path.contribution for path in paths))


class PulseWriter:
    """Writes the steps of a pulse down, in numbers and in words."""

    def __init__(
        self, graph: LocalDerivatives, start: Node, paths: list[Path], edges: list[Edge]
    ) -> None:
        self.graph, self.start, self.paths, self.edges = graph, start, paths, edges
        moves = [*chain.from_iterable(pulse_moves(paths))]
        values = [move.value for move in moves]
        factors = [float(move.edge.factor) for move in moves]
        self.most = max(map(abs, values)) or 1.0
        is_small = [abs(_fraction(x) - x) < 1e-12 for x in values + factors]
        self.in_fractions = all(is_small)
        self.adjoint = _worth(paths)
        self.plain = graph.net.sizes[start.n :] == (1,)

    def write(self, x: float) -> str:
        """Return a number as a fraction, if all are small ones, with a real minus sign."""
        text = str(_fraction(x)) if self.in_fractions else f"{x + 0.0:.4g}"
        return text.replace("-", "−")

    def name(self, node: Node) -> str:
        """Return a node in words; a pair of numbers is its cell (t, n)."""
        if node.kind == "L":
            return "L"
        place = f"t = {node.t + 1}" if self.plain else f"({node.t + 1}, {node.n})"
        return f"{label(node, self.graph.net)} at {place}"

    def rule(self, rule: str) -> Json:
        """Return the steps under one rule, each with what is at the nodes when it is over."""
        words = OPENING.format(self.name(self.start))
        if rule == "classic":
            words += CROSSED
        first = {"node": "L", "label": "1", "weight": 1.0}
        steps: list[Json] = [{"moves": [], "rest": [first], "said": words, "lines": []}]
        came: list[float] = []
        arrived, moves = 0, pulse_moves(self.paths, rule)
        for k, step in enumerate(moves, start=1):
            home = [m for m in step if m.edge.source == self.start and not m.ends]
            came += [move.value for move in home]
            arrived += sum(len(move.paths) for move in home)
            so_far = f" So far {arrived} of {_count(len(self.paths), 'path')}, sum "
            told = (
                so_far + f"{self.write(sum(came))}."
                if arrived and k < len(moves)
                else ""
            )
            steps.append(
                {
                    "moves": [self.move(move) for move in step],
                    "rest": self.rest(step, came),
                    "said": f"Step {k} of {len(moves)}: {self.said(step, len(home))}.{told}",
                    "lines": [self.line(move) for move in step],
                }
            )
        return {
            "steps": steps,
            "arrived": arrived,
            "sum": self.added(came),
            "end": self.end(sum(came), arrived),
        }

    def move(self, move: Move) -> Json:
        """Return one move."""
        return {
            "edge": self.edges.index(move.edge),
            "value": rounded(move.value),
            "label": self.write(move.value),
            "weight": self.weight(move.value),
            "ends": move.ends,
        }

    def weight(self, value: float) -> float:
        """Return how large a copy is drawn, from 0 to 1."""
        return round(min(1.0, abs(value) / self.most) ** 0.5, 3)

    def rest(self, step: list[Move], came: list[float]) -> list[Json]:
        """Return the values at the nodes after a step: where copies have met, their sum."""
        there: dict[Node, float] = defaultdict(float)
        for move in step:
            if not move.ends and move.edge.source != self.start:
                there[move.edge.source] += move.value
        if came:
            there[self.start] = sum(came)
        return [
            {
                "node": node_id(node),
                "label": self.write(value),
                "weight": self.weight(value),
            }
            for node, value in there.items()
        ]

    def line(self, move: Move) -> str:
        """Return a move as one would write it on paper."""
        tail, head = self.name(move.edge.source), self.name(move.edge.target)
        if move.ends:
            return (
                f"On the way from {head} to {tail} a copy ends at the cross, and with it "
                f"{_count(len(move.paths), 'path')} worth {self.write(_worth(move.paths))}."
            )
        factor = self.write(float(move.edge.factor))
        factor = f"({factor})" if factor.startswith("−") else factor
        product = f"{self.write(move.before)} · {factor} = {self.write(move.value)}."
        home = " It has arrived." if move.edge.source == self.start else ""
        return f"From {head} to {tail}, {SYMBOLS[move.edge.kind]}: {product}{home}"

    def said(self, step: list[Move], home: int) -> str:
        """Return the words for the copies of a step."""
        ends = sum(move.ends for move in step)
        on = len(step) - ends - home
        counted = (
            (on, "copy goes on", "copies go on"),
            (home, "arrives", "arrive"),
            (ends, "ends at a cross", "end at crosses"),
        )
        return ", ".join(_count(k, one, several) for k, one, several in counted if k)

    def added(self, came: list[float]) -> str:
        """Return the values that arrived as a sum, as one would write it on paper."""
        terms, total = [self.write(value) for value in came], self.write(sum(came))
        if len(terms) < 2:
            return total
        if len(terms) > MOST:
            return f"{len(terms)} copies arrive and sum to {total}"
        signed = [f"− {x[1:]}" if x.startswith("−") else f"+ {x}" for x in terms[1:]]
        return f"{' '.join([terms[0], *signed])} = {total}"

    def end(self, total: float, arrived: int) -> str:
        """Return the closing words, when nothing moves any more."""
        letter = f"{'δ' if self.start.kind == 'o' else 'ε'} of {self.name(self.start)}"
        whole = _count(len(self.paths), "path")
        if arrived == len(self.paths):
            every = "The only path has" if arrived == 1 else f"All {whole} have"
            return f"{every} arrived: {letter} = {self.write(total)}."
        return (
            f"{arrived} of {whole} {'has' if arrived == 1 else 'have'} arrived, with the sum "
            f"{self.write(total)}. Every path counted, {letter} = {self.write(self.adjoint)}: "
            f"the lost ones are worth {self.write(self.adjoint - total)}."
        )


def _fraction(x: float) -> Fraction:
    """Return the nearest fraction that is read at a glance."""
    return Fraction(x).limit_denominator(LARGEST)


def _count(k: int, one: str, many: str = "") -> str:
    """Return a number with its noun or its verb."""
    return f"{k} {one if k == 1 else many or one + 's'}"
