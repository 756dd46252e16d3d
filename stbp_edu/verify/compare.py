"""What every oracle returns, and how two such results are compared, one equation at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.network import Gradients

IDS = (
    *(f"c{k}-{name}" for k in (1, 2, 3, 4) for name in ("delta", "epsilon")),
    "c5-b",
    "c5-w",
)
WHERE = {1: "t = T, n = N", 2: "t = T, n < N", 3: "t < T, n = N", 4: "t < T, n < N"}


@dataclass(frozen=True)
class Derivatives:
    """Every derivative of the loss.

    Attributes:
        delta: dL/do; ``delta[n]`` has shape (T, S, n[n]), ``delta[0]`` is None.
        epsilon: dL/du; as ``delta``.
        gradients: dL/dW and dL/db.
    """

    delta: list[Any]
    epsilon: list[Any]
    gradients: Gradients


class Cell(NamedTuple):
    """One array that one equation computes: δ or ε at (t, n), or a gradient of layer n.

    Attributes:
        id: the equation.
        t: the step, from 0; None for a gradient.
        n: the layer.
        got: the array that is judged.
        expected: the oracle's.
        scale: the size of the numbers that it is added up from: what rounding goes by.
    """

    id: str
    t: int | None
    n: int
    got: Array
    expected: Array
    scale: float

    def __str__(self) -> str:
        """Return the place in words: case, step and layer."""
        if self.t is None:
            return f"{self.id} (case 5: the gradient of layer n = {self.n})"
        place = f"at t = {self.t} (the paper's t = {self.t + 1}), n = {self.n}"
        return f"{self.id} (case {self.id[1]}: {WHERE[int(self.id[1])]}) {place}"


class Tolerance(NamedTuple):
    """How close is close enough: abs(got - expected) <= limit · (scale + floor).

    rtol and atol of NumPy's ``allclose`` are limit and limit · floor.

    Attributes:
        limit: the largest relative error that passes.
        floor: what is added to the scale, for numbers near 0.
        elementwise: whether scale is abs(expected), entry by entry, or else that of the cell.
    """

    limit: float
    floor: float
    elementwise: bool


# A sum may cancel, so that its rounding is judged by the size of what was summed.
# The floor is there for numbers so small that float64 itself loses their digits.
ROUNDING = Tolerance(limit=1e-12, floor=1e-200, elementwise=False)
"""For two exact ways to the same number."""

DIFFERENCES = Tolerance(limit=1e-6, floor=1e-3, elementwise=True)
"""For finite differences: rtol 1e-6, atol 1e-9."""


def case_of(t: int, n: int, T: int, N: int) -> int:
    """Return the number of the case at step t (from 0) and layer n."""
    return 1 + (n < N) + 2 * (t < T - 1)


def cells(got: Any, expected: Any) -> Iterator[Cell]:
    """Yield every array of two results side by side, with the id of its equation.

    In the order in which a backward sweep computes them, so that the first difference is where
    a mistake entered. Both results have the attributes of :class:`Derivatives`; ``got`` may be
    :class:`Gradients` alone.
    """
    T, N = len(expected.epsilon[1]), len(expected.epsilon) - 1
    gradients = got if isinstance(got, Gradients) else got.gradients
    for t in () if gradients is got else reversed(range(T)):
        for n in reversed(range(1, N + 1)):
            case = case_of(t, n, T, N)
            for name, a, b in (
                ("delta", got.delta[n], expected.delta[n]),
                ("epsilon", got.epsilon[n], expected.epsilon[n]),
            ):
                # Through time and the layer's samples: one entry alone may have cancelled.
                yield Cell(f"c{case}-{name}", t, n, a[t], b[t], float(np.abs(b).max()))
    for n in reversed(range(1, N + 1)):
        # Each ε enters with a weight of at most 1, since spikes are.
        summed = float(np.abs(expected.epsilon[n]).sum(axis=(0, 1)).max())
        yield Cell("c5-b", None, n, gradients.b[n], expected.gradients.b[n], summed)
        yield Cell("c5-w", None, n, gradients.W[n], expected.gradients.W[n], summed)


def errors(cell: Cell, tolerance: Tolerance = ROUNDING) -> Array:
    """Return the relative error of every entry, as ``tolerance`` measures it.

    >>> cell = Cell("c5-b", None, 1, np.array([1.1, 0.0]), np.array([1.0, 0.0]), scale=1.0)
    >>> errors(cell).round(6)
    array([0.1, 0. ])
    """
    got, expected = cell.got, cell.expected
    if got.shape != expected.shape:
        raise ValueError(f"got must have shape {expected.shape}, got {got.shape}; same network?")
    scale = np.abs(expected) if tolerance.elementwise else cell.scale
    return np.abs(got - expected) / (scale + tolerance.floor)


def equal_under_classic(cell: Cell, T: int, N: int) -> bool:
    """Return whether the classic rule reaches the true derivative in this cell.

    Where t = T no later step exists. At t = T - 1 of the output layer the incoming signal is
    that of (T, N), where δ ⊙ h is all of ε. A gradient sums over the steps of its layer.
    """
    last_exact = T - 2 if cell.n == N else T - 1
    return (0 if cell.t is None else cell.t) >= last_exact


def describe(cell: Cell, tolerance: Tolerance = ROUNDING) -> str:
    """Return the worst entry of a cell in words: where, got, expected."""
    error = errors(cell, tolerance)
    at = tuple(int(k) for k in np.unravel_index(int(np.argmax(error)), error.shape))
    names = {"c5-b": ("i",), "c5-w": ("i", "j")}.get(cell.id, ("sample s", "neuron i"))
    entry = ", ".join(f"{name} = {k}" for name, k in zip(names, at, strict=True))
    return (
        f"{cell}, {entry}: got {float(cell.got[at])!r}, expected {float(cell.expected[at])!r}, "
        f"relative error {error[at]:.1e} > {tolerance.limit:.0e}"
    )


def failures(got: Any, expected: Any, tolerance: Tolerance = ROUNDING) -> list[str]:
    """Return one sentence for each cell that differs; an empty list means equal."""
    return [
        describe(cell, tolerance)
        for cell in cells(got, expected)
        if not np.max(errors(cell, tolerance)) <= tolerance.limit
    ]


def assert_equal(got: Any, expected: Any, tolerance: Tolerance = ROUNDING) -> None:
    """Raise AssertionError with every failure, in the order of the backward sweep."""
    found = failures(got, expected, tolerance)
    if found:
        raise AssertionError("\n".join(found))
