"""The shapes of arrows and the sizes of text, in pixels.

A place is a complex number: x to the right, y downward. An arrow is a quadratic curve, given by
three places: its start, the one toward which it bends, and its end.
"""

from collections.abc import Iterator
from itertools import product
from textwrap import TextWrapper
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array

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
