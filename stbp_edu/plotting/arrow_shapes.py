"""The shapes of arrows and the sizes of text, in pixels, to the right and downward.

An arrow is a quadratic curve, given by three points: its start, the point toward which it bends,
and its end.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from textwrap import TextWrapper
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array

LETTER = 8.4  # a letter's width
LINE = 18  # a line's height
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
CROSSES = 0.45 + 0.05 * np.array(
    [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5]
)  # where its cross may be


def points_on(curve: Array, share: Any) -> Array:
    """Return points of a curve, from 0 at its start to 1 at its end."""
    start, bend, end = curve
    k = np.asarray(share)[..., None]
    return (1 - k) ** 2 * start + 2 * k * (1 - k) * bend + k**2 * end


def loop_above(middle: Array, radius: float) -> Array:
    """Return the curve of an arrow that leaves a node and comes back to it."""
    return middle + np.array([(-14, 0), (0, -4.4 * radius), (14, 0)])


def bowed(tail: Array, head: Array, bow: float) -> Array:
    """Return the curve from one node to another, bowed to its left by a share of its length."""
    dx, dy = head - tail
    left = np.array([dy, -dx])
    bend = (tail + head) / 2 + bow * left
    return np.array([tail, bend, head])


def between_rims(curve: Array, tail: Array, head: Array, radius: float) -> Array:
    """Return the part of a curve that is outside of both nodes, with room for its head."""
    points = points_on(curve, ALONG)
    leaves_tail = np.linalg.norm(points - tail, axis=1) > radius + 3
    before_head = np.linalg.norm(points - head, axis=1) > radius + 8
    a = ALONG[np.argmax(leaves_tail)]
    b = ALONG[::-1][np.argmax(before_head[::-1])]
    start, bend, end = curve
    bend = (1 - a) * (1 - b) * start + (a + b - 2 * a * b) * bend + a * b * end
    return np.array([points_on(curve, a), bend, points_on(curve, b)])


def path_data(curve: Array) -> str:
    """Return a curve as the data of an SVG path."""
    start, bend, end = (_written(point) for point in curve)
    return f"M{start}Q{bend} {end}"


def tip_data(curve: Array) -> str:
    """Return the head of an arrow as the data of an SVG path: a triangle at its end."""
    _, bend, end = curve
    ahead = (end - bend) / np.linalg.norm(end - bend)
    aside = np.array([-ahead[1], ahead[0]])
    tip = _written(end + 8 * ahead)
    right = _written(end - ahead + 4.5 * aside)
    left = _written(end - ahead - 4.5 * aside)
    return f"M{tip}L{right}L{left}z"


def beside(curve: Array, half: tuple[float, float]) -> Iterator[Array]:
    """Yield places for the middle of a factor: on both sides of its arrow, here and there."""
    start, bend, end = curve
    for gap, share, side in product(GAPS, SHARES, (1, -1)):
        along = (1 - share) * (bend - start) + share * (end - bend)
        across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
        distance = gap + np.abs(across) @ half
        yield points_on(curve, share) + side * distance * across


def half_size(text: str) -> tuple[float, float]:
    """Return half the width and half the height of text."""
    lines = text.split("\n")
    longest = max(map(len, lines))
    return LETTER / 2 * longest, LINE / 2 * len(lines) - 2


def text_box(text: str, anchor: str, x: float, y: float) -> tuple[float, ...]:
    """Return the middle of text that is anchored at a place, and half its size."""
    wide, high = half_size(text)
    if anchor == "start":
        x += wide
    elif anchor == "end":
        x -= wide
    more_lines = text.count("\n")
    return x, y - 5 + LINE / 2 * more_lines, wide, high


def wrapped(text: str, letters: int) -> str:
    """Return text with no more letters in a line than these, where its words allow it."""
    wrapper = TextWrapper(letters, break_long_words=False, break_on_hyphens=False)
    lines = [wrapper.fill(line) for line in text.split("\n")]
    return "\n".join(lines)


def rounded(point: Iterable[float]) -> tuple[float, float]:
    """Return a point to a tenth of a pixel."""
    x, y = point
    return round(float(x), 1), round(float(y), 1)


def _written(point: Array) -> str:
    """Return a point as the data of an SVG path has it."""
    x, y = point
    return f"{x:.1f} {y:.1f}"
