"""The steps of the error pulse: how it moves, in numbers and in words.

One arrow a step, over every path at once. At a node the pulse splits, over each arrow the copy is
multiplied by the arrow's factor, and copies that meet add up. A copy from which no path is left
that the rule keeps ends at a cross.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from stbp_edu.arrows import Edge, LocalDerivatives, Node, Path
from stbp_edu.plotting.graph import label
from stbp_edu.practice.explorers.widget import node_id


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


Json = dict[str, Any]
SYMBOLS = {"spike": "h", "carry": "f", "reset": "u f′", "weight": "w", "readout": "direct"}
MOST = 5  # terms of a sum that is written out
LARGEST = 5000  # denominator of a fraction that is still read at a glance


class Writer:
    """Writes the steps of a pulse down, in numbers and in words."""

    def __init__(
        self, graph: LocalDerivatives, start: Node, paths: list[Path], edges: list[Edge]
    ) -> None:
        self.graph, self.start, self.paths, self.edges = graph, start, paths, edges
        moves = [move for step in pulse_moves(paths) for move in step]
        self.most = max((abs(move.value) for move in moves), default=0.0) or 1.0
        factors = [float(move.edge.factor) for move in moves]
        self.write = _number([move.value for move in moves] + factors)
        self.adjoint = float(sum(path.contribution for path in paths))
        self.plain = graph.net.sizes[start.n :] == (1,)

    def name(self, node: Node) -> str:
        """Return a node in words; a pair of numbers is its cell (t, n)."""
        if node.kind == "L":
            return "L"
        place = f"t = {node.t + 1}" if self.plain else f"({node.t + 1}, {node.n})"
        return f"{label(node, self.graph.net)} at {place}"

    def rule(self, rule: str) -> Json:
        """Return the steps under one rule, each with what is at the nodes when it is over."""
        steps: list[Json] = [self.opening(rule)]
        total, arrived, came = 0.0, 0, []
        moves = pulse_moves(self.paths, rule)
        for k, step in enumerate(moves, start=1):
            home = [m for m in step if m.edge.source == self.start and not m.ends]
            came += [self.write(move.value) for move in home]
            total += sum(move.value for move in home)
            arrived += sum(len(move.paths) for move in home)
            steps.append(
                {
                    "moves": [self.move(move) for move in step],
                    "rest": self.rest(step, total, arrived),
                    "said": self.said(k, len(moves), step, total, arrived),
                    "lines": [self.line(move) for move in step],
                }
            )
        return {
            "steps": steps,
            "arrived": arrived,
            "sum": _sum(came, self.write(total)),
            "end": self.end(total, arrived),
        }

    def opening(self, rule: str) -> Json:
        """Return the state before the first step."""
        words = (
            "The error starts at the loss L with the value 1. It runs back to "
            f"{self.name(self.start)}, one arrow a step, and each arrow multiplies it by its "
            "factor."
        )
        if rule == "classic":
            words += (
                " Under this rule a potential hands to a spike only what came through its own "
                "spike; what was carried to it ends at a cross."
            )
        rest = [{"node": "L", "label": "1", "weight": 1.0}]
        return {"moves": [], "rest": rest, "said": words, "lines": []}

    def move(self, move: Move) -> Json:
        """Return one move."""
        return {
            "edge": self.edges.index(move.edge),
            "value": _rounded(move.value),
            "label": self.write(move.value),
            "weight": self.weight(move.value),
            "ends": move.ends,
        }

    def weight(self, value: float) -> float:
        """Return how large a copy is drawn, from 0 to 1."""
        return round(min(1.0, abs(value) / self.most) ** 0.5, 3)

    def rest(self, step: list[Move], total: float, arrived: int) -> list[Json]:
        """Return what is at the nodes after a step: where copies have met, their sum."""
        there: dict[Node, float] = defaultdict(float)
        for move in step:
            if not move.ends and move.edge.source != self.start:
                there[move.edge.source] += move.value
        if arrived:
            there[self.start] = total
        return [
            {"node": node_id(node), "label": self.write(value), "weight": self.weight(value)}
            for node, value in there.items()
        ]

    def line(self, move: Move) -> str:
        """Return a move as one would write it on paper."""
        tail, head = self.name(move.edge.source), self.name(move.edge.target)
        if move.ends:
            return (
                f"On the way from {head} to {tail} a copy ends at the cross, and with it "
                f"{_count(len(move.paths), 'path')} worth {self.write(move.worth)}."
            )
        factor = float(move.edge.factor)
        product = f"{self.write(move.before)} · {_bracketed(self.write(factor))}"
        home = " It has arrived." if move.edge.source == self.start else ""
        symbol = SYMBOLS[move.edge.kind]
        return f"From {head} to {tail}, {symbol}: {product} = {self.write(move.value)}.{home}"

    def said(self, k: int, of: int, step: list[Move], total: float, arrived: int) -> str:
        """Return a step in one or two short sentences."""
        ends = sum(move.ends for move in step)
        home = sum(m.edge.source == self.start for m in step if not m.ends)
        on = len(step) - ends - home
        parts = [
            *[f"{on} copies go on" if on > 1 else "1 copy goes on"] * bool(on),
            *[_count(home, "arrives", "arrive")] * bool(home),
            *[_count(ends, "ends at a cross", "end at crosses")] * bool(ends),
        ]
        so_far = f" So far {arrived} of {_count(len(self.paths), 'path')}, sum {self.write(total)}."
        return f"Step {k} of {of}: {', '.join(parts)}." + (so_far if arrived and k < of else "")

    def end(self, total: float, arrived: int) -> str:
        """Return what there is to say when nothing moves any more."""
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


def _number(values: Sequence[float]) -> Callable[[float], str]:
    """Return how to write numbers: as fractions if all of these are small ones, else in digits."""
    small = all(abs(float(_fraction(x)) - x) < 1e-12 for x in values)

    def write(x: float) -> str:
        """Write one number, with a real minus sign."""
        text = str(_fraction(x)) if small else f"{x + 0.0:.4g}"
        return text.replace("-", "−")

    return write


def _rounded(x: float) -> float:
    """Return six digits, which do not differ from machine to machine."""
    return float(f"{x:.6g}")


def _fraction(x: float) -> Fraction:
    """Return the nearest fraction that is read at a glance."""
    return Fraction(x).limit_denominator(LARGEST)


def _bracketed(text: str) -> str:
    """Return a factor, in brackets if it has a sign."""
    return f"({text})" if text.startswith("−") else text


def _sum(terms: list[str], total: str) -> str:
    """Return what arrived as a sum, as one would write it on paper."""
    if len(terms) < 2:
        return total
    if len(terms) > MOST:
        return f"{len(terms)} copies arrive and sum to {total}"
    signed = [f"− {x[1:]}" if x.startswith("−") else f"+ {x}" for x in terms[1:]]
    return f"{' '.join([terms[0], *signed])} = {total}"


def _count(k: int, one: str, many: str = "") -> str:
    """Return a number with its noun or its verb."""
    return f"{k} {one if k == 1 else many or one + 's'}"
