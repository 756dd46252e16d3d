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
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.plotting.arrow_shapes import (
    ALONG,
    CROSSES,
    LETTER,
    LINE,
    beside,
    between_rims,
    bowed,
    half_size,
    loop_above,
    path_data,
    points_on,
    rounded,
    text_box,
    tip_data,
    wrapped,
)
from stbp_edu.plotting.palette import GRID, INK

ROW = 76  # pixels, as below
COLUMN = 180  # at most
SIDE = 40  # beside the outermost nodes
MARGIN = 12  # around all
RADIUS = 18  # of a node; half the side of a square
CLEAR = 7.0  # pixels that a factor keeps from all else, where it can
CELL_LETTER = 7.6  # a letter's width in a grid
CELL_ROW = 58  # a row's height in a grid, at least


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


PlacedWord = tuple[Label, float, float]
"""A word, and where its anchor is in pixels."""


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
    >>> laid.at["u"].tolist(), path_data(laid.curves[0]), laid.box
    ([100.0, 0.0], 'M100.0 -21.3Q100.0 -35.3 100.0 -49.4', [0, -106, 200, 136])
    """

    def __init__(self, drawing: Drawing, width: int, side: float = SIDE) -> None:
        """Lay nodes and arrows out; ``side`` is the room beside the outermost nodes."""
        self.drawing = drawing
        self.width = width
        self.side = side
        nodes = drawing.nodes
        x = [node.at[0] for node in nodes.values()]
        left = 0.0
        if drawing.rows:
            longest = max(map(len, drawing.rows.values()))
            left = 12 + LETTER * longest
        columns = max(x) - min(x)
        aside = 2 * side
        if drawing.cells:
            columns += 1
            aside = 4
        room = width - left - aside
        if columns == 0:
            columns = 1
        self.step = min(COLUMN, room / columns)
        self.middle = (width + left) / 2
        self.middle_column = (min(x) + max(x)) / 2
        self.labels = {name: node.label for name, node in nodes.items()}
        self.row: float = ROW
        if drawing.cells:
            fits = int((self.step - 9) / CELL_LETTER)
            self.labels = {
                name: wrapped(text, fits) for name, text in self.labels.items()
            }
            lines = 1 + max(label.count("\n") for label in self.labels.values())
            self.row = max(CELL_ROW, LINE * lines + 18)
        self.at = {name: self.place(*node.at) for name, node in nodes.items()}
        self.curves = [self._curve(arrow) for arrow in drawing.arrows]

    def place(self, column: float, row: float) -> Array:
        """Return where a place is; the columns are in the middle."""
        x = self.middle + self.step * (column - self.middle_column)
        return np.array([x, -self.row * row])

    def _curve(self, arrow: DrawnArrow) -> Array:
        tail = self.at[arrow.tail]
        head = self.at[arrow.head]
        radius = self.drawing.radius
        if arrow.tail == arrow.head:
            curve = loop_above(tail, radius)
        else:
            curve = bowed(tail, head, arrow.bow)
        return between_rims(curve, tail, head, radius)

    def cross(self, k: int) -> list[float]:
        """Return the place of a cross on the k-th arrow, clear of the nodes."""
        spots = points_on(self.curves[k], CROSSES)
        nodes = np.array([*self.at.values()])
        distances = np.linalg.norm(spots[:, None] - nodes, axis=2)
        nearest = distances.min(axis=1)
        clear = self.drawing.radius + 9
        enough = np.minimum(nearest, clear)
        best = spots[np.argmax(enough)]
        return list(rounded(best))

    @cached_property
    def factors(self) -> dict[int, tuple[float, float]]:
        """The middle of the factor of each arrow that has one."""
        taken = self._drawn()
        found = {}
        for k, arrow in enumerate(self.drawing.arrows):
            if not arrow.factor:
                continue
            half = half_size(arrow.factor)
            boxes = np.array(taken)
            spots = list(beside(self.curves[k], half))
            near = [self._room(spot, half, boxes) for spot in spots]
            enough = np.minimum(np.round(near, 1), CLEAR)
            best = spots[int(np.argmax(enough))]
            taken.append((*best, *half))
            found[k] = rounded(best)
        return found

    def _room(self, spot: Array, half: tuple[float, float], boxes: Array) -> float:
        """Return the pixels between text at a spot and the nearest box, or the edge.

        They are negative where the two overlap.
        """
        x, _ = spot
        wide, _ = half
        gaps = np.abs(boxes[:, :2] - spot) - half - boxes[:, 2:]
        return min(gaps.max(axis=1).min(), x - wide, self.width - x - wide)

    def _drawn(self) -> list[tuple[float, ...]]:
        """Return the middle and half the size of each thing drawn, of which factors keep clear."""
        radius = self.drawing.radius
        boxes: list[tuple[float, ...]] = []
        for curve in self.curves:
            boxes += [(x, y, 0, 0) for x, y in points_on(curve, ALONG[::4])]
        boxes += [(x, y, radius, radius) for x, y in self.at.values()]
        kept = self._places(self.drawing.kept)
        boxes += [
            text_box(word.text, word.anchor, x, y) for word, x, y in self.words + kept
        ]
        for k, arrow in enumerate(self.drawing.arrows):
            if arrow.lost:
                x, y = self.cross(k)
                boxes.append((x, y, 9, 9))
        return boxes

    @cached_property
    def words(self) -> list[PlacedWord]:
        """Return every word, with those of columns and rows, and its place."""
        found = self._places(self.drawing.words)
        aside = self.side
        below: float = 44
        if self.drawing.cells:
            aside = self.step / 2
            below = self.row / 2 + 18
        lowest = min(node.at[1] for node in self.drawing.nodes.values())
        for column, text in self.drawing.columns.items():
            x, y = self.place(column, lowest)
            found.append((Label((0, 0), text), x, y + below))
        edge = min(x for x, _ in self.at.values()) - aside - 4
        for row, text in self.drawing.rows.items():
            _, y = self.place(0, row)
            found.append((Label((0, 0), text, "end"), edge, y + 5))
        return found

    def _places(self, words: Sequence[Label]) -> list[PlacedWord]:
        found = []
        for word in words:
            x, y = self.place(*word.at) + word.by
            found.append((word, x, y))
        return found

    @cached_property
    def box(self) -> list[int]:
        """The box around everything, as SVG has it: left, top, width and height."""
        rim: float = self.drawing.radius
        if self.drawing.cells:
            rim = self.row / 2 - 10
        y: list[float] = []
        for _, middle in self.at.values():
            y += [middle - rim, middle + rim]
        for curve in self.curves:
            y.extend(points_on(curve, ALONG)[:, 1])
        for k, (_, middle) in self.factors.items():
            factor = self.drawing.arrows[k].factor
            _, high = half_size(factor)
            y += [middle - high, middle + high]
        for word, _, base in self.words:
            more_lines = word.text.count("\n")
            y += [base - 13, base + LINE * more_lines + 6]
        top = min(y) - MARGIN
        bottom = max(y) + MARGIN
        if self.drawing.title:
            top -= 24
        return [0, round(top), self.width, round(bottom - top)]

    def data(self) -> dict[str, Any]:
        """Return the data from which an explorer draws it: nodes and arrows in order, and words."""
        at = [rounded(place) for place in self.at.values()]
        words = []
        for word, x, y in self.words:
            place = rounded((x, y))
            words.append((*place, word.anchor, word.text))
        arrows = []
        for k, arrow in enumerate(self.drawing.arrows):
            curve = self.curves[k]
            drawn = {
                "d": path_data(curve),
                "tip": tip_data(curve),
                "cross": self.cross(k),
            }
            if arrow.factor:
                drawn["beside"] = self.factors[k]
            arrows.append(drawn)
        return {"box": self.box, "at": at, "arrows": arrows, "words": words}
