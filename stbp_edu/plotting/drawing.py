"""One drawing language for graphs and grids, in still figures and explorers.

Time runs to the right and layers upward. A drawing says what there is, in columns and rows; laid
out at a width, each thing has its place in pixels. Spikes are circles, all else is square. What
is followed is thick, what is lost dashed with a cross, and what is asked about has a halo.
Every factor is beside its arrow, where it is farthest from everything else. In a grid the
nodes are cells that fill their columns, with text in as many lines as that takes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from textwrap import TextWrapper
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.plotting.palette import GRID, INK

ROW, COLUMN = 76, 180  # pixels: of a row, and at most of a column
SIDE, MARGIN = 40, 12  # beside the outermost nodes, and around all
RADIUS = 18  # of a node; half the side of a square
LETTER, LINE = 8.4, 18  # a letter's width, a line's height
ALONG = np.linspace(0, 1, 101)  # of an arrow
SHARES = (
    0.5,
    0.42,
    0.58,
    0.34,
    0.66,
    0.26,
    0.74,
)  # where on an arrow its factor may be
GAPS = (6, 16)  # pixels from its arrow
CLEAR = 7.0  # pixels that a factor keeps from all else, where it can
CROSSES = 0.45 + 0.05 * np.array(
    [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5]
)  # where its cross may be
CELL_LETTER, CELL_ROW = 7.6, 58  # in a grid: a letter's width, at least a row's height


@dataclass(frozen=True)
class DrawnNode:
    """A state: its place (columns to the right, rows upward), what is written on it, its form.

    The colours are the filling and the frame of a cell, which stands out; a bare cell has none.
    """

    at: tuple[float, float]
    label: str
    round: bool = False
    asked: bool = False
    colours: tuple[str, str] | None = None


@dataclass(frozen=True)
class DrawnArrow:
    """An arrow between two nodes, by their names; from a node to itself it is a loop above it.

    It has the colour of its term, or ``GRID`` where nothing is followed; its factor is beside
    it. It is bowed to its left by a share of its length. A width of 0 follows from the colour.
    """

    tail: Any
    head: Any
    colour: str = GRID
    factor: str = ""
    bow: float = 0.0
    lost: bool = False
    width: float = 0.0


@dataclass(frozen=True)
class Label:
    """Text at a place, moved by so many pixels; its anchor is ``start``, ``middle`` or ``end``."""

    at: tuple[float, float]
    text: str
    anchor: str = "middle"
    by: tuple[float, float] = (0.0, 0.0)
    colour: str = INK


@dataclass(frozen=True)
class Drawing:
    """Nodes by name, arrows, and words: below the columns, left of the rows, elsewhere.

    ``kept`` are words for which room is kept: an explorer writes there. In ``cells``, each as wide
    as its column, nodes are not joined; those in ``order`` get their colours one after another.
    """

    nodes: Mapping[Any, DrawnNode]
    arrows: Sequence[DrawnArrow]
    columns: Mapping[float, str] = field(default_factory=dict)
    rows: Mapping[float, str] = field(default_factory=dict)
    words: Sequence[Label] = ()
    kept: Sequence[Label] = ()
    title: str = ""
    radius: int = RADIUS
    cells: bool = False
    order: Sequence[Any] = ()


class Laid:
    """A drawing at a width: everything in pixels, from the left and downward.

    Attributes:
        step: the width of a column.
        row: the height of a row; of cells it has room for their text.
        labels: what is written on each node, in lines that fit a cell.
        at: the middle of each node.
        curves: each arrow from rim to rim, with room for its head: end, bend, end.

    >>> nodes = {"u": DrawnNode((0, 0), "u"), "o": DrawnNode((0, 1), "o", True)}
    >>> drawing = Drawing(nodes, [DrawnArrow("u", "o")])
    >>> laid = Laid(drawing, 200)
    >>> laid.at["u"].tolist(), laid.path(0), laid.box
    ([100.0, 0.0], 'M100.0 -21.3Q100.0 -35.3 100.0 -49.4', [0, -106, 200, 136])
    """

    def __init__(self, drawing: Drawing, width: int, side: float = SIDE) -> None:
        """Lay nodes and arrows out; ``side`` is the room beside the outermost nodes."""
        self.drawing, self.width, self.side = drawing, width, side
        cells, nodes, rows = drawing.cells, drawing.nodes.items(), drawing.rows.values()
        x = [node.at[0] for _, node in nodes]
        left = (
            12 + LETTER * max(map(len, rows)) if rows else 0
        )  # room for the words of the rows
        room = width - left - (4 if cells else 2 * side)
        self.step = min(COLUMN, room / (max(x) - min(x) + cells or 1))
        self.middle = (
            (width + left) / 2,
            (min(x) + max(x)) / 2,
        )  # in pixels, and in columns
        fits = int((self.step - 9) / CELL_LETTER) if cells else 99
        wrap = TextWrapper(fits, break_long_words=False, break_on_hyphens=False).fill
        self.labels = {
            name: "\n".join(map(wrap, one.label.split("\n"))) for name, one in nodes
        }
        lines = max(label.count("\n") + 1 for label in self.labels.values())
        self.row = max(CELL_ROW, LINE * lines + 18) if cells else ROW
        self.at = {name: self.place(*node.at) for name, node in nodes}
        self.curves = [self._curve(arrow) for arrow in drawing.arrows]

    def place(self, column: float, row: float) -> Array:
        """Return where a place is; the columns are in the middle."""
        x, centre = self.middle
        return np.array([x + self.step * (column - centre), -self.row * row])

    def _curve(self, arrow: DrawnArrow) -> Array:
        tail, head, rim = self.at[arrow.tail], self.at[arrow.head], self.drawing.radius
        if arrow.tail == arrow.head:
            ends = tail + np.array([(-14, 0), (0, -4.4 * rim), (14, 0)])
        else:
            dx, dy = head - tail
            left = np.array([dy, -dx])
            ends = np.array([tail, (tail + head) / 2 + arrow.bow * left, head])
        # The part of the curve from a to b lies outside of both nodes.
        points = _on(ends, ALONG)
        leaves_tail = np.linalg.norm(points - tail, axis=1) > rim + 3
        before_head = np.linalg.norm(points - head, axis=1) > rim + 8
        a = ALONG[np.argmax(leaves_tail)]
        b = ALONG[len(ALONG) - 1 - np.argmax(before_head[::-1])]
        start, bend, end = ends
        bend = (1 - a) * (1 - b) * start + (a + b - 2 * a * b) * bend + a * b * end
        return np.array([_on(ends, a), bend, _on(ends, b)])

    def path(self, k: int) -> str:
        """Return the k-th arrow as the data of an SVG path."""
        (x, y), (bx, by), (X, Y) = self.curves[k]
        return f"M{x:.1f} {y:.1f}Q{bx:.1f} {by:.1f} {X:.1f} {Y:.1f}"

    def tip(self, k: int) -> str:
        """Return the head of the k-th arrow as the data of an SVG path."""
        _, bend, (end_x, end_y) = self.curves[k]
        along = self.curves[k][2] - bend
        dx, dy = along / np.linalg.norm(along)
        corners = []
        for ahead, aside in ((8, 0), (-1, 4.5), (-1, -4.5)):
            x = end_x + ahead * dx - aside * dy
            y = end_y + ahead * dy + aside * dx
            corners.append(f"{x:.1f} {y:.1f}")
        return f"M{'L'.join(corners)}z"

    def cross(self, k: int) -> list[float]:
        """Return the place of a cross on the k-th arrow, clear of the nodes."""
        spots = _on(self.curves[k], CROSSES)
        nodes = np.array([*self.at.values()])
        distances = np.linalg.norm(spots[:, None] - nodes, axis=2)
        nearest = distances.min(axis=1)
        clear = self.drawing.radius + 9
        x, y = spots[np.argmax(np.minimum(nearest, clear))]
        return [round(float(x), 1), round(float(y), 1)]

    @cached_property
    def factors(self) -> dict[int, tuple[float, float]]:
        """The middle of the factor of each arrow that has one."""
        arrows, rim = self.drawing.arrows, self.drawing.radius
        words = self.words + self._places(self.drawing.kept)
        taken = [  # middle, and half the size, of everything drawn there
            *((*at, 0, 0) for curve in self.curves for at in _on(curve, ALONG[::4])),
            *((*at, rim, rim) for at in self.at.values()),
            *(_box(word, x, y) for word, x, y in words),
            *((*self.cross(k), 9, 9) for k, arrow in enumerate(arrows) if arrow.lost),
        ]
        found = {}
        for k in (k for k, arrow in enumerate(arrows) if arrow.factor):
            half, there = _half(arrows[k].factor), np.array(taken)
            spots = list(_beside(self.curves[k], half))
            near = [
                min(
                    (np.abs(there[:, :2] - at) - half - there[:, 2:]).max(axis=1).min(),
                    at[0] - half[0], self.width - at[0] - half[0],
                )
                for at in spots
            ]  # fmt: skip
            best = spots[int(np.argmax(np.minimum(np.round(near, 1), CLEAR)))]
            taken.append((*best, *half))
            found[k] = (round(float(best[0]), 1), round(float(best[1]), 1))
        return found

    @cached_property
    def words(self) -> list[tuple[Label, float, float]]:
        """Return every word, with those of columns and rows, and its place."""
        found = self._places(self.drawing.words)
        low = min(node.at[1] for node in self.drawing.nodes.values())
        aside, below = (
            (self.step / 2, self.row / 2 + 18)
            if self.drawing.cells
            else (self.side, 44)
        )
        for column, text in self.drawing.columns.items():
            found.append(
                (Label((0, 0), text), *np.add(self.place(column, low), (0, below)))
            )
        for row, text in self.drawing.rows.items():
            edge = min(x for x, _ in self.at.values()) - aside - 4
            found.append((Label((0, 0), text, "end"), edge, self.place(0, row)[1] + 5))
        return found

    def _places(self, words: Sequence[Label]) -> list[tuple[Label, float, float]]:
        return [(word, *np.add(self.place(*word.at), word.by)) for word in words]

    @cached_property
    def box(self) -> list[int]:
        """The box around everything, as SVG has it: left, top, width and height."""
        rim = self.row / 2 - 10 if self.drawing.cells else self.drawing.radius
        y = [end for at in self.at.values() for end in (at[1] - rim, at[1] + rim)]
        y += [end for curve in self.curves for end in _on(curve, ALONG)[:, 1]]
        for k, (_, middle) in self.factors.items():
            high = _half(self.drawing.arrows[k].factor)[1]
            y += [middle - high, middle + high]
        for word, _, base in self.words:
            y += [base - 13, base + LINE * word.text.count("\n") + 6]
        top = min(y) - MARGIN
        if self.drawing.title:
            top -= 24
        return [0, round(top), self.width, round(max(y) + MARGIN - top)]

    def data(self) -> dict[str, Any]:
        """Return the data from which an explorer draws it: nodes and arrows in order, and words."""
        at = [
            [round(float(c), 1) for c in self.at[name]] for name in self.drawing.nodes
        ]
        words = [
            [round(float(x), 1), round(float(y), 1), w.anchor, w.text]
            for w, x, y in self.words
        ]
        arrows = [
            {
                **{"d": self.path(k), "tip": self.tip(k), "cross": self.cross(k)},
                **({"beside": self.factors[k]} if arrow.factor else {}),
            }
            for k, arrow in enumerate(self.drawing.arrows)
        ]
        return {"box": self.box, "at": at, "arrows": arrows, "words": words}


def _on(ends: Array, share: Any) -> Array:
    """Return points of a quadratic curve, from 0 at its beginning to 1 at its end."""
    k = np.asarray(share)[..., None]
    return (1 - k) ** 2 * ends[0] + 2 * k * (1 - k) * ends[1] + k**2 * ends[2]


def _half(words: str) -> tuple[float, float]:
    """Return half the width and half the height of text."""
    lines = words.split("\n")
    return LETTER / 2 * max(map(len, lines)), LINE / 2 * len(lines) - 2


def _box(word: Label, x: float, y: float) -> tuple[float, ...]:
    """Return the middle of a word, and half its size."""
    wide, high = _half(word.text)
    aside = {"start": wide, "middle": 0.0, "end": -wide}[word.anchor]
    return x + aside, y - 5 + LINE / 2 * word.text.count("\n"), wide, high


def _beside(curve: Array, half: tuple[float, float]) -> Any:
    """Yield places for the middle of a factor: on both sides of its arrow, here and there."""
    start, bend, end = curve
    for gap, share, side in product(GAPS, SHARES, (1, -1)):
        along = (1 - share) * (bend - start) + share * (end - bend)
        across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
        distance = gap + np.abs(across) @ half
        yield _on(curve, share) + side * distance * across
