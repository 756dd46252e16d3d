"""The table of what may have become of a value, in words and as a function of the value.

The same rows serve for a name, for a part of the formula, for an input and for the whole result.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.tasks import Inputs

Transform = Callable[[Any], Any]
Transformed = tuple[str, str, Transform]
"""The id of a finding, its words after "it", and the function."""

PLAIN: tuple[Transformed, ...] = (
    ("missing", "is missing: 0 stands there", lambda x: 0 * x),
    ("missing", "is missing: 1 stands there", lambda x: 0 * x + 1),
    ("sign", "has its sign turned round", lambda x: -x),
    ("abs", "is taken without its sign", np.abs),
    ("abs", "is taken without its sign, and the sign is turned round", lambda x: -np.abs(x)),
    ("power", "is squared", lambda x: x * x),
    ("power", "is squared, and its sign is turned round", lambda x: -(x * x)),
    ("power", "is cubed", lambda x: x * x * x),
    ("inverse", "is turned upside down", lambda x: 1 / x),
    ("inverse", "is turned upside down, with its sign turned round", lambda x: -1 / x),
    ("root", "has its square root taken", np.sqrt),
    ("root", "has the square root of its size taken", lambda x: np.sqrt(np.abs(x))),
    ("sign", "is replaced by its sign", np.sign),
    ("complement", "is taken from 1", lambda x: 1 - x),
    ("exp", "stands in an exponential", np.exp),
    ("exp", "lacks its exponential", np.log),
    ("doubled", "is doubled", lambda x: 2 * x),
)
FACTORS = (1 / 2, -2, 3, 1 / 3, 4, 1 / 4, 5, 1 / 5)
SHIFTS = (1, -1, 2)
"""Constants that are tried; where the result is affine in one, it is solved for besides."""
ALONG: tuple[tuple[str, str, Callable[[Array, int], Any]], ...] = (
    ("moved", "is moved by one place along {}", lambda x, a: np.roll(x, 1, a)),
    ("moved", "is moved back by one place along {}", lambda x, a: np.roll(x, -1, a)),
    ("order", "is turned round along {}", lambda x, a: np.flip(x, a)),
    ("order", "is sorted along {}", lambda x, a: np.sort(x, axis=a)),
    ("summed", "is summed up step by step along {}", lambda x, a: np.cumsum(x, axis=a)),
    ("added-up", "is added up over {}", lambda x, a: np.sum(x, axis=a)),
    ("averaged", "is averaged over {}", lambda x, a: np.mean(x, axis=a)),
    ("first", "is taken at the first of {} alone", lambda x, a: np.take(x, 0, axis=a)),
    ("last", "is taken at the last of {} alone", lambda x, a: np.take(x, -1, axis=a)),
    ("cut", "lacks the first of {}", lambda x, a: np.delete(x, 0, axis=a)),
    ("cut", "lacks the last of {}", lambda x, a: np.delete(x, -1, axis=a)),
    ("extreme", "is replaced by its largest value over {}", lambda x, a: np.max(x, axis=a)),
    ("extreme", "is replaced by its smallest value over {}", lambda x, a: np.min(x, axis=a)),
)
"""Rows that are asked for each axis."""
FOLDS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("added-up", "is added up over {}", np.sum),
    ("averaged", "is averaged over {}", np.mean),
    ("extreme", "is replaced by its largest value over {}", np.max),
    ("extreme", "is replaced by its smallest value over {}", np.min),
)
"""Rows that are asked once more with the axis kept: the value stands everywhere."""
NAMES = ("its first axis", "its second axis", "its third axis")


def _along(change: Callable[[Any, int], Any], axis: int, x: Any) -> Any:
    """Return a value changed along one axis."""
    return change(x, axis)


def _keep(fold: Callable[..., Any], axis: int | None) -> Transform:
    """Return a fold that keeps the shape: its values stand everywhere along the axis."""
    return lambda x: np.broadcast_to(fold(x, axis=axis, keepdims=True), np.shape(x))


def transforms(ndim: int, axes: Sequence[str] = ()) -> Iterator[Transformed]:
    """Yield every row for a value of so many axes, the plainest first."""
    yield from PLAIN
    for c in FACTORS:
        yield "factor", times(constant(c)), partial(np.multiply, c)
    for c in SHIFTS:
        yield "shift", shifted(c), partial(np.add, c)
    if not ndim:
        return
    names = [f"the {axis}s" for axis in axes] if len(axes) == ndim else NAMES[:ndim]
    if ndim > 1:
        yield "transposed", "is transposed", np.transpose
    for id_, words, change in ALONG:
        for k, name in enumerate(names):
            yield id_, words.format(name), partial(_along, change, k)
    for id_, words, fold in FOLDS:
        every = "everything" if ndim > 1 else names[0]
        yield id_, words.format(every), fold
        kept: list[tuple[int | None, str]] = [*enumerate(names), *[(None, every)] * (ndim > 1)]
        for axis, name in kept:
            ending = f"{words.format(name)}, and the sum stands everywhere"
            if fold is not np.sum:
                ending = f"{words.format(name)}, and stands everywhere"
            yield id_, ending, _keep(fold, axis)
    yield "shape", "has an axis too many", lambda x: x[None]
    yield "shape", "has an axis too many at the end", lambda x: x[..., None]
    yield "shape", "has its entries in one row", np.ravel


def factor_words(factors: Sequence[tuple[float, Inputs]]) -> str:
    """Return what is one factor in every call, of a number, T and S, such as "-T/S"; or ""."""
    powers = sorted(product((0, 1, -1, 2, -2), repeat=2), key=lambda p: abs(p[0]) + abs(p[1]))
    for t, s in powers:
        rest = [f / (i.T**t * i.S**s) for f, i in factors]
        if rest and np.ptp(rest) <= 1e-5 * abs(rest[0]):
            number = constant(rest[0])
            size = number.removeprefix("-")
            up = [f"T^{t}" if t > 1 else "T"] * (t > 0) + [f"S^{s}" if s > 1 else "S"] * (s > 0)
            down = [f"T^{-t}" if t < -1 else "T"] * (t < 0)
            down += [f"S^{-s}" if s < -1 else "S"] * (s < 0)
            above = "·".join([size] * (size != "1" or not up) + up)
            below = f"({'·'.join(down)})" if len(down) > 1 else "".join(down)
            return ("-" if number != size else "") + above + f"/{below}" * bool(below)
    return ""


def constant(number: float) -> str:
    """Return a number with four digits, more where it is near 1, or as a fraction.

    >>> constant(1 / 3), constant(2.0), constant(0.99998), constant(0.1234567)
    ('1/3', '2', '0.99998', '0.1235')
    """
    plain = Fraction(number).limit_denominator(12)
    if abs(float(plain) - number) < 1e-9 * abs(number):
        return str(plain)
    for digits in range(4, 12):
        text = f"{number:.{digits}g}"
        if abs(float(text)) != 1:
            break
    return text


def times(factor: str) -> str:
    """Return what a factor does, as words after "it".

    >>> times("2"), times("-1"), times("1/T")
    ('is doubled', 'has its sign turned round', 'is 1/T times what it should be')
    """
    known = {"2": "is doubled", "-1": "has its sign turned round",
             "0": "is missing: 0 stands there", "1/2": "is halved"}  # fmt: skip
    return known.get(factor, f"is {factor} times what it should be")


def shifted(c: float) -> str:
    """Return what a constant does that is added, as words after "it".

    >>> shifted(-0.25)
    'is smaller by 0.25'
    """
    return f"is {'larger' if c > 0 else 'smaller'} by {abs(c):.4g}"
