"""Find a constant factor between an answer and the exact value: -1, T, S, 2 and their products."""

from collections.abc import Iterator, Sequence
from itertools import product

from stbp_edu.practice.exercises import Inputs
from stbp_edu.practice.grading.call import Outcome
from stbp_edu.practice.grading.differences import difference

POWERS = {"T": (0, 1, -1, 2), "S": (0, 1, -1, 2), "2": (0, 1, -1)}


def candidates() -> Iterator[tuple[int, int, int, int]]:
    """Yield sign and exponents of T, S and 2, the plainest first."""
    options = product((1, -1), POWERS["T"], POWERS["S"], POWERS["2"])
    plain = sorted(options, key=lambda c: (sum(map(abs, c[1:])), c[0] < 0))
    yield from plain[1:]  # the first is the factor 1


def constant_factor(
    inputs: Sequence[Inputs], outcomes: Sequence[Outcome], right: Sequence[Outcome]
) -> str:
    """Return the factor, such as "-T/S", or "" where there is none."""
    for sign, t, s, two in candidates():
        factors = [sign * i.T**t * i.S**s * 2.0**two for i in inputs]
        triples = zip(outcomes, right, factors, strict=True)
        if all(_is_times(o.value, w.value, k) for o, w, k in triples):
            return _written(sign, t, s, two)
    return ""


def _is_times(value: object, right: object, factor: float) -> bool:
    """Return whether ``value`` is ``factor`` times ``right``."""
    try:
        return difference(value, right * factor) is None  # type: ignore[operator]
    except TypeError:
        return False


def _written(sign: int, t: int, s: int, two: int) -> str:
    """Return a factor as text, such as "-T/S"."""
    powers = (("T", t), ("S", s), ("2", two))
    up = "·".join(n if e == 1 else f"{n}²" for n, e in powers if e > 0) or "1"
    down = "·".join(n for n, e in powers if e < 0)
    return f"{'-' if sign < 0 else ''}{up}{'/' + down if down else ''}"
