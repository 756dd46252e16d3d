"""How what stands in a place relates to what belongs there, in words.

The same words serve for an input, for a part of the formula and for the whole result.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.grading.probe import Values, all_close
from stbp_edu.practice.tasks import Inputs

Change = Callable[[Array], Array]


def _over(function: Callable[..., Array], axis: int | tuple[int, ...] | None) -> Change:
    """Return a sum or a mean over an axis that keeps the shape: its values stand everywhere."""
    return lambda x: np.broadcast_to(function(x, axis=axis, keepdims=True), x.shape)


CHANGES: tuple[tuple[str, Change], ...] = (
    ("is missing: 0 stands there", lambda x: 0 * x),
    ("is missing: 1 stands there", lambda x: 0 * x + 1),
    ("has its sign turned round", lambda x: -x),
    ("is taken without its sign", np.abs),
    ("is taken without its sign, and the sign is turned round", lambda x: -np.abs(x)),
    ("is squared", np.square),
    ("is squared, and its sign is turned round", lambda x: -np.square(x)),
    ("is cubed", lambda x: x**3),
    ("is turned upside down", lambda x: 1 / x),
    ("is turned upside down, with its sign turned round", lambda x: -1 / x),
    ("has its square root taken", np.sqrt),
    ("has the square root of its size taken", lambda x: np.sqrt(np.abs(x))),
    ("is replaced by its sign", np.sign),
    ("is taken from 1", lambda x: 1 - x),
    ("stands in an exponential", np.exp),
    ("lacks its exponential", np.log),
    ("is transposed", lambda x: x.T),
    ("is moved by one place along its first axis", lambda x: np.roll(x, 1, 0) if x.ndim else x),
    ("is moved back by one place along its first axis",
     lambda x: np.roll(x, -1, 0) if x.ndim else x),
    ("is turned round along its first axis", lambda x: x[::-1] if x.ndim else x),
)  # fmt: skip
FOLDS: tuple[tuple[str, Callable[..., Array]], ...] = (
    ("is added up over", np.sum),
    ("is averaged over", np.mean),
    ("is replaced by its largest value over", np.max),
    ("is replaced by its smallest value over", np.min),
)
AXES = {1: ("its entries",), 2: ("its first axis", "its second axis"),
        3: ("its first axis", "its second axis", "its third axis")}  # fmt: skip


def changes_of(ndim: int) -> Iterator[tuple[str, Change]]:
    """Yield each change with its words, the plainest first."""
    yield from CHANGES
    for words, function in FOLDS:
        for axis, name in enumerate(AXES.get(ndim, ())):
            yield f"{words} {name}", _over(function, axis)
        if ndim > 1:
            yield f"{words} all axes", _over(function, None)


def relation(got: Values, want: Values, inputs: Sequence[Inputs], rtol: float) -> str:
    """Return how ``got`` relates to ``want`` in every situation, as words after "it"; or ""."""
    if any(g.shape != w.shape for g, w in zip(got, want, strict=True)):
        return ""
    if not all(np.isfinite(g).any() for g in got) or all_close(got, want, rtol):
        return ""
    factors = [_constant(g, w, rtol, ratio=True) for g, w in zip(got, want, strict=True)]
    if all(f is not None for f in factors) and (words := factor_words(factors, inputs, rtol)):
        return words
    shifts = [_constant(g, w, rtol, ratio=False) for g, w in zip(got, want, strict=True)]
    if shifts[0] is not None and _same(shifts, rtol):
        return f"is {'larger' if shifts[0] > 0 else 'smaller'} by {abs(shifts[0]):.4g}"
    with np.errstate(all="ignore"):
        for words, change in changes_of(want[0].ndim):
            if all_close(got, [change(w) for w in want], rtol):
                return words
    number = got[0][~np.isnan(got[0])].ravel()[0]
    one = all_close(got, [np.full_like(g, number) for g in got], rtol)
    return f"is replaced by {number:.4g}" if one else ""


def _constant(got: Array, want: Array, rtol: float, *, ratio: bool) -> float | None:
    """Return got / want, or got - want, where it is one number everywhere."""
    known = ~np.isnan(got) & (np.abs(want) > 1e-9 * np.abs(want).max(initial=0.0))
    known &= np.isfinite(got)
    if not known.any():
        return None
    values = got[known] / want[known] if ratio else got[known] - want[known]
    number = float(np.median(values))
    expected = number * want if ratio else want + number
    fits = all_close([got], [expected], max(rtol, 10 * rtol if not ratio else rtol))
    return number if fits else None


def _same(numbers: Sequence[float | None], rtol: float) -> bool:
    """Return whether these are all the same number."""
    first = numbers[0]
    return first is not None and all(
        n is not None and abs(n - first) <= 10 * rtol * abs(first) for n in numbers
    )


def factor_words(factors: Sequence[float | None], inputs: Sequence[Inputs], rtol: float) -> str:
    """Return what a factor does, or "" where it is 1 or differs without a rule."""
    if _same(factors, rtol) and factors[0] is not None:
        return constant_words(factors[0])
    for t, s in product((0, 1, -1, 2, -2), repeat=2):
        rule = [float(i.T) ** t * float(i.S) ** s for i in inputs]
        rest = [f / r for f, r in zip(factors, rule, strict=True) if f is not None]
        if (t or s) and _same(rest, rtol):
            powers = "·".join(
                f"{name}^{power}" if power != 1 else name
                for name, power in (("T", t), ("S", s))
                if power
            )
            number = "" if abs(abs(rest[0]) - 1) < 1e-4 else f"{abs(rest[0]):.4g}·"
            return f"is {'-' if rest[0] < 0 else ''}{number}{powers} times what it should be"
    return ""


def constant_words(factor: float) -> str:
    """Return what a constant factor does; "" where it is 1.

    >>> constant_words(2), constant_words(1 / 3)
    ('is doubled', 'is 1/3 times what it should be')
    """
    if abs(factor - 1) < 1e-5:
        return ""
    if abs(factor) < 1e-12:
        return "is missing: 0 stands there"
    if abs(factor + 1) < 1e-5:
        return "has its sign turned round"
    if abs(factor - 2) < 1e-5:
        return "is doubled"
    text, plain = f"{factor:.4g}", Fraction(factor).limit_denominator(12)
    if len(text) > 4 and abs(float(plain) - factor) < 1e-6 * abs(factor):
        text = str(plain)
    return f"is {text} times what it should be"
