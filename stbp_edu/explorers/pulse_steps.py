"""The steps of the error pulse: how it moves, in numbers and in words.

One arrow a step, over every path at once. At a node the pulse splits, over each arrow the copy is
multiplied by the arrow's factor, and copies that meet add up. A copy from which no path is left
that the rule keeps ends at a cross.
"""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from stbp_edu.arrows import Edge, LocalDerivatives, Node, Path
from stbp_edu.explorers.widget import Json, node_id, rounded
from stbp_edu.plotting.graph import label

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
    " Under this rule a potential passes to a spike only what came through its own spike; what was "
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
        before = _worth([Path(part[1:]) for part in parts])
        value = _worth([Path(part) for part in parts])
        those = tuple(path for part in parts for path in beyond[part])
        steps[length - 1].append(Move(edge, before, value, those, ends))
    return steps


def _worth(paths: Sequence[Path]) -> float:
    """Return the sum of the paths' contributions."""
    return float(sum(path.contribution for path in paths))


class PulseWriter:
    """Writes the steps of a pulse down, in numbers and in words."""

    def __init__(
        self, graph: LocalDerivatives, start: Node, paths: list[Path], edges: list[Edge]
    ) -> None:
        self.graph = graph
        self.start = start
        self.paths = paths
        self.edges = edges
        values = []
        factors = []
        for step in pulse_moves(paths):
            values += [move.value for move in step]
            factors += [float(move.edge.factor) for move in step]
        self.most = max(map(abs, values)) or 1.0
        numbers = values + factors
        self.in_fractions = all(abs(_fraction(x) - x) < 1e-12 for x in numbers)
        self.adjoint = _worth(paths)
        self.plain = graph.net.sizes[start.n :] == (1,)

    def write(self, x: float) -> str:
        """Return a number as a fraction, if all are small ones, with a real minus sign."""
        text = f"{x + 0.0:.4g}"
        if self.in_fractions:
            text = str(_fraction(x))
        return text.replace("-", "−")

    def name(self, node: Node) -> str:
        """Return a node in words; a pair of numbers is its cell (t, n)."""
        if node.kind == "L":
            return "L"
        place = f"({node.t + 1}, {node.n})"
        if self.plain:
            place = f"t = {node.t + 1}"
        return f"{label(node, self.graph.net)} at {place}"

    def rule(self, rule: str) -> Json:
        """Return the steps under one rule, each with what is at the nodes when it is over."""
        words = OPENING.format(self.name(self.start))
        if rule == "classic":
            words += CROSSED
        first = {"node": "L", "label": "1", "weight": 1.0}
        steps: list[Json] = [{"moves": [], "rest": [first], "said": words, "lines": []}]
        whole = _count(len(self.paths), "path")
        came: list[float] = []
        arrived = 0
        moves = pulse_moves(self.paths, rule)
        for k, step in enumerate(moves, start=1):
            at_start = [move for move in step if move.edge.source == self.start]
            home = [move for move in at_start if not move.ends]
            came += [move.value for move in home]
            arrived += sum(len(move.paths) for move in home)
            said = f"Step {k} of {len(moves)}: {self.said(step, len(home))}."
            if arrived and k < len(moves):
                so_far = self.write(sum(came))
                said += f" So far {arrived} of {whole}, sum {so_far}."
            steps.append(
                {
                    "moves": [self.move(move) for move in step],
                    "rest": self.rest(step, came),
                    "said": said,
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
        found = []
        for node, value in there.items():
            text = self.write(value)
            weight = self.weight(value)
            found.append({"node": node_id(node), "label": text, "weight": weight})
        return found

    def line(self, move: Move) -> str:
        """Return a move as one would write it on paper."""
        edge = move.edge
        tail = self.name(edge.source)
        head = self.name(edge.target)
        if move.ends:
            lost = _count(len(move.paths), "path")
            worth = self.write(_worth(move.paths))
            return (
                f"On the way from {head} to {tail} a copy ends at the cross, and with it "
                f"{lost} worth {worth}."
            )
        before = self.write(move.before)
        factor = self.write(float(edge.factor))
        if factor.startswith("−"):
            factor = f"({factor})"
        product = f"{before} · {factor} = {self.write(move.value)}."
        line = f"From {head} to {tail}, {SYMBOLS[edge.kind]}: {product}"
        if edge.source == self.start:
            line += " It has arrived."
        return line

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
        total = self.write(sum(came))
        if len(came) < 2:
            return total
        if len(came) > MOST:
            return f"{len(came)} copies arrive and sum to {total}"
        written = self.write(came[0])
        for value in came[1:]:
            term = self.write(value)
            if term.startswith("−"):
                written += f" − {term[1:]}"
            else:
                written += f" + {term}"
        return f"{written} = {total}"

    def end(self, total: float, arrived: int) -> str:
        """Return the closing words, when nothing moves any more."""
        letter = "δ" if self.start.kind == "o" else "ε"
        adjoint = f"{letter} of {self.name(self.start)}"
        whole = _count(len(self.paths), "path")
        if arrived == len(self.paths):
            every = "The only path has" if arrived == 1 else f"All {whole} have"
            return f"{every} arrived: {adjoint} = {self.write(total)}."
        have = "has" if arrived == 1 else "have"
        lost = self.write(self.adjoint - total)
        return (
            f"{arrived} of {whole} {have} arrived, with the sum {self.write(total)}. "
            f"Every path counted, {adjoint} = {self.write(self.adjoint)}: "
            f"the lost ones are worth {lost}."
        )


def _fraction(x: float) -> Fraction:
    """Return the nearest fraction that is read at a glance."""
    return Fraction(x).limit_denominator(LARGEST)


def _count(k: int, one: str, many: str = "") -> str:
    """Return a number with its noun or its verb."""
    if k == 1:
        return f"{k} {one}"
    return f"{k} {many or one + 's'}"
