"""Take an answer apart into its results, each an array of floats."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.grading.calling import Habits, call
from stbp_edu.practice.grading.structure import Difference, leaves, numbers


def results_of(value: Any, like: Any) -> list[Array] | None:
    """Return the results as arrays, in the structure of ``like``; None where one is none."""
    found = []
    for _, got, _ in leaves(value, like):
        array = None if isinstance(got, Difference) else numbers(got)
        if array is None:
            return None
        found.append(array)
    return found


def asked(function: Callable[..., Any], like: Any) -> Callable[[Sequence[Any]], list[Array] | None]:
    """Return a function from arguments to results, which fails with None."""
    habits = Habits()
    return lambda args: results_of(call(function, tuple(args), habits=habits), like)


def wrong_results(outcomes: Sequence[Any], right: Sequence[Any], rtol: float) -> list[int]:
    """Return which of several results are wrong in any call."""
    wrong: set[int] = set()
    for got, want in zip(outcomes, right, strict=True):
        mine, exact = results_of(got, want), results_of(want, want)
        if mine is None or exact is None:
            continue
        for k, (a, b) in enumerate(zip(mine, exact, strict=True)):
            if a.shape != b.shape or not np.allclose(a, b, rtol=rtol, atol=1e-12):
                wrong.add(k)
    return sorted(wrong)


def shape_words(
    outcomes: Sequence[Any], right: Sequence[Any], axes: Sequence[str], result: int
) -> str | None:
    """Return what became of the right result, after "yours is the right one"; "" if unknown.

    None where the shapes agree.
    """
    pairs = [(results_of(g, w), results_of(w, w)) for g, w in zip(outcomes, right, strict=True)]
    both = [(g[result], w[result]) for g, w in pairs if g is not None and w is not None]
    if all(g.shape == w.shape for g, w in both):
        return None
    for words, change in _shape_changes(both[0][1].ndim, axes):
        try:
            if all(g.shape == np.shape(v := change(w)) and np.allclose(g, v) for g, w in both):
                return words
        except (ValueError, IndexError, TypeError):
            continue
    return ""


def _shape_changes(ndim: int, axes: Sequence[str]) -> list[tuple[str, Callable[[Array], Any]]]:
    """Return what may have become of a result whose shape is wrong."""
    plural = {"t": "steps", "entry": "entries"}
    names = [plural.get(a, f"{a}s") for a in axes] if len(axes) == ndim else ["axes"] * ndim
    found: list[tuple[str, Callable[[Array], Any]]] = [
        ("transposed", lambda w: w.T),
        ("with its entries in one row", lambda w: w.ravel()),
        ("with an axis too many", lambda w: w[None]),
        ("with an axis too many at the end", lambda w: w[..., None]),
        ("without an axis of length 1", lambda w: w.squeeze()),
    ]
    for k, name in enumerate(names):
        found += _axis_changes(k, name)
    return [*found, ("added up over everything", np.sum), ("averaged over everything", np.mean)]


def _axis_changes(k: int, name: str) -> list[tuple[str, Callable[[Array], Any]]]:
    """Return what may have become of one axis of a result."""
    return [
        (f"added up over {name}", lambda w: w.sum(axis=k)),
        (f"averaged over {name}", lambda w: w.mean(axis=k)),
        (f"added up over {name}, the axis kept", lambda w: w.sum(axis=k, keepdims=True)),
        (f"averaged over {name}, the axis kept", lambda w: w.mean(axis=k, keepdims=True)),
        (f"for the first of the {name} alone", lambda w: w.take(0, axis=k)),
        (f"for the last of the {name} alone", lambda w: w.take(-1, axis=k)),
        (f"without the first of the {name}", lambda w: np.delete(w, 0, axis=k)),
        (f"without the last of the {name}", lambda w: np.delete(w, -1, axis=k)),
    ]
