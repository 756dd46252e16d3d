"""One drawing language for graphs and grids, in still figures and explorers.

Time runs to the right and layers upward. A drawing says what there is, in columns and rows; laid
out at a width, each thing has its place in pixels. Spikes are circles, all else is square. What
is followed is thick, what is lost dashed with a cross, and what is asked about has a halo.
Every factor is beside its arrow, where it is farthest from everything else. In a grid the
nodes are cells that fill their columns, with text in as many lines as that takes.

A place is a complex number: x to the right, y downward. An arrow is a quadratic curve, given by
three places: its start, the one toward which it bends, and its end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from textwrap import TextWrapper
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.plotting.palette import GRID, INK

ROW = 76  # pixels, as below
COLUMN = 180  # at most
SIDE = 40  # beside the outermost nodes
MARGIN = 12  # around all
RADIUS = 18  # of a node; half the side of a square
CLEAR = 7.0  # pixels that a factor keeps from all else, where it can
CELL_LETTER = 7.6  # a letter's width in a grid
CELL_ROW = 58  # a row's height in a grid, at least
Box = tuple[complex, complex]
"""The middle of something drawn, and half its width and height."""


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
        crosses: on each arrow, where a cross is clear of the nodes.
        words: every word, with those of columns and rows, and its place.
        factors: the middle of the factor of each arrow that has one.
        box: what is around everything, as SVG has it: left, top, width and height.

    >>> nodes = {"u": DrawnNode((0, 0), "u"), "o": DrawnNode((0, 1), "o", True)}
    >>> drawing = Drawing(nodes, [DrawnArrow("u", "o")])
    >>> laid = Laid(drawing, 200)
    >>> laid.at["u"], path_data(laid.curves[0]), laid.box
    ((100+0j), 'M100.0 -21.3Q100.0 -35.3 100.0 -49.4', [0, -106, 200, 136])
    """

    def __init__(self, drawing: Drawing, width: int, side: float = SIDE) -> None:
        """Lay everything out; ``side`` is the room beside the outermost nodes."""
        self.drawing = drawing
        self.width = width
        nodes = drawing.nodes
        columns, heights = zip(*(node.at for node in nodes.values()), strict=True)
        first, lowest = min(columns), min(heights)
        across = max(columns) - first
        room: float = width
        if drawing.rows:
            room -= 12 + LETTER * max(map(len, drawing.rows.values()))
        self.middle = width - room / 2
        self.middle_column = (first + max(columns)) / 2
        self.labels = {name: node.label for name, node in nodes.items()}
        if drawing.cells:
            self.step = min(COLUMN, (room - 4) / (across + 1))
            fits = int((self.step - 9) / CELL_LETTER)
            self.labels = {
                name: wrapped(text, fits) for name, text in self.labels.items()
            }
            lines = 1 + max(label.count("\n") for label in self.labels.values())
            self.row: float = max(CELL_ROW, LINE * lines + 18)
            side, rim, below = self.step / 2, self.row / 2 - 10, self.row / 2 + 18
        else:
            self.step = min(COLUMN, (room - 2 * side) / (across or 1))
            self.row, rim, below = ROW, drawing.radius, 44
        self.at = {name: self.place(*node.at) for name, node in nodes.items()}
        self.curves = [
            arrow(self.at[drawn.tail], self.at[drawn.head], drawn.bow, drawing.radius)
            for drawn in drawing.arrows
        ]
        self.crosses = [self._cross(curve) for curve in self.curves]
        words = [*drawing.words]
        for column, text in drawing.columns.items():
            words.append(Label((column, lowest), text, by=(0, below)))
        for row, text in drawing.rows.items():
            words.append(Label((first, row), text, "end", (-side - 4, 5)))
        self.words = self._placed(words)
        boxes = [(middle, complex(rim, rim)) for middle in self.at.values()]
        boxes += [
            (point, 0j)
            for curve in self.curves
            for point in points_on(curve, ALONG[::4])
        ]
        boxes += [
            (cross, 9 + 9j)
            for drawn, cross in zip(drawing.arrows, self.crosses, strict=True)
            if drawn.lost
        ]
        boxes += [_text_box(*word) for word in self.words]
        kept = [_text_box(*word) for word in self._placed(drawing.kept)]
        self.factors = self._placed_factors(boxes, kept)
        top = min(middle.imag - half.imag for middle, half in boxes) - MARGIN
        bottom = max(middle.imag + half.imag for middle, half in boxes) + MARGIN
        if drawing.title:
            top -= 24
        self.box = [0, round(top), width, round(bottom - top)]

    def place(self, column: float, row: float) -> complex:
        """Return where a place is; the columns are in the middle."""
        return complex(
            self.middle + self.step * (column - self.middle_column), -self.row * row
        )

    def _placed(self, words: Sequence[Label]) -> list[tuple[Label, complex]]:
        return [(word, self.place(*word.at) + complex(*word.by)) for word in words]

    def _cross(self, curve: Array) -> complex:
        """Return the place of a cross on an arrow, clear of the nodes where it can be."""
        spots = points_on(curve, CROSSES)
        nodes = np.array([*self.at.values()])
        nearest = abs(spots[:, None] - nodes).min(axis=1)
        return spots[np.argmax(np.minimum(nearest, self.drawing.radius + 9))]

    def _placed_factors(self, boxes: list[Box], kept: list[Box]) -> dict[int, complex]:
        """Return the middle of each factor, as far from all else as it needs to be; add its box."""
        found = {}
        for k, drawn in enumerate(self.drawing.arrows):
            if not drawn.factor:
                continue
            half = half_size(drawn.factor)
            middles, halves = np.array(boxes + kept).T
            spots = np.array([*beside(self.curves[k], half)])
            x = abs(spots.real[:, None] - middles.real) - halves.real
            y = abs(spots.imag[:, None] - middles.imag) - halves.imag
            gaps = np.maximum(x - half.real, y - half.imag).min(axis=1)
            edges = np.minimum(spots.real, self.width - spots.real) - half.real
            clear = np.round(np.minimum(gaps, edges), 1)
            found[k] = complex(spots[np.argmax(np.minimum(clear, CLEAR))])
            boxes.append((found[k], half))
        return found

    def data(self) -> dict[str, Any]:
        """Return the data from which an explorer draws it: nodes and arrows in order, and words."""
        arrows = []
        for k, curve in enumerate(self.curves):
            drawn = {
                "d": path_data(curve),
                "tip": tip_data(curve),
                "cross": pair(self.crosses[k]),
            }
            if k in self.factors:
                drawn["beside"] = pair(self.factors[k])
            arrows.append(drawn)
        at = [pair(middle) for middle in self.at.values()]
        words = [(*pair(place), word.anchor, word.text) for word, place in self.words]
        return {"box": self.box, "at": at, "arrows": arrows, "words": words}


def _text_box(word: Label, place: complex) -> Box:
    """Return the middle of text that is anchored at a place, and half its size."""
    half = half_size(word.text) + 2.5j
    anchors = {"start": half.real, "middle": 0.0, "end": -half.real}
    return place + complex(anchors[word.anchor], half.imag - 13), half


LETTER = 8.4  # a letter's width
LINE = 18  # a line's height
ALONG = np.linspace(0, 1, 101)  # of an arrow
SHARES = 0.5 + 0.08 * np.array([0, -1, 1, -2, 2, -3, 3])  # where its factor may be
GAPS = (6, 16)  # pixels from its arrow
CROSSES = 0.45 + 0.05 * np.array(
    [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5]
)  # where its cross may be


def points_on(curve: Array, share: Any) -> Any:
    """Return points of a curve, from 0 at its start to 1 at its end."""
    start, bend, end = curve
    return (1 - share) ** 2 * start + 2 * share * (1 - share) * bend + share**2 * end


def arrow(tail: complex, head: complex, bow: float, radius: float) -> Array:
    """Return the curve from one node to another, from rim to rim, with room for its head.

    It is bowed to its left by a share of its length; to the node itself it is a loop above.
    """
    start, bend, end = tail, (tail + head) / 2 - 1j * bow * (head - tail), head
    if tail == head:
        start, bend, end = tail - 14, tail - 4.4j * radius, tail + 14
    points = points_on(np.array([start, bend, end]), ALONG)
    a = ALONG[np.argmax(abs(points - tail) > radius + 3)]
    b = ALONG[::-1][np.argmax(abs(points - head)[::-1] > radius + 8)]
    ends = points_on(np.array([start, bend, end]), np.array([a, b]))
    bend = (1 - a) * (1 - b) * start + (a + b - 2 * a * b) * bend + a * b * end
    return np.array([ends[0], bend, ends[1]])


def path_data(curve: Array) -> str:
    """Return a curve as the data of an SVG path."""
    start, bend, end = map(_written, curve)
    return f"M{start}Q{bend} {end}"


def tip_data(curve: Array) -> str:
    """Return the head of an arrow as the data of an SVG path: a triangle at its end."""
    _, bend, end = curve
    ahead = (end - bend) / abs(end - bend)
    tip, right, left = (_written(end + k * ahead) for k in (8, -1 + 4.5j, -1 - 4.5j))
    return f"M{tip}L{right}L{left}z"


def beside(curve: Array, half: complex) -> Iterator[complex]:
    """Yield places for the middle of a factor: on both sides of its arrow, here and there."""
    start, bend, end = curve
    for gap, share, side in product(GAPS, SHARES, (1, -1)):
        along = (1 - share) * (bend - start) + share * (end - bend)
        across = 1j * along / abs(along)
        distance = gap + abs(across.real) * half.real + abs(across.imag) * half.imag
        yield points_on(curve, share) + side * distance * across


def half_size(text: str) -> complex:
    """Return half the width and half the height of text."""
    lines = text.split("\n")
    return complex(LETTER / 2 * max(map(len, lines)), LINE / 2 * len(lines) - 2)


def wrapped(text: str, letters: int) -> str:
    """Return text with no more letters in a line than these, where its words allow it."""
    wrapper = TextWrapper(letters, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(wrapper.fill, text.split("\n")))


def pair(place: complex) -> tuple[float, float]:
    """Return a place as x and y, to a tenth of a pixel."""
    return round(float(place.real), 1), round(float(place.imag), 1)


def _written(place: complex) -> str:
    return f"{place.real:.1f} {place.imag:.1f}"
