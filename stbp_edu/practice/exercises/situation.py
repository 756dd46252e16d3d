"""What an exercise is called with: the arguments, and the cell of the grid they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


def step(t: int) -> str:
    """Name the time step that code counts from 0 and formulas from 1, in both.

    >>> step(1)
    't = 2 (index 1 in code)'
    """
    return f"t = {t + 1} (index {t} in code)"


@dataclass(frozen=True)
class Situation:
    """One call of the reader's function.

    Attributes:
        args: the arguments; the function gets a copy.
        where: which network, and which cell (t, n) of its grid.
        T: number of time steps.
        S: number of samples.
    """

    args: tuple[Any, ...]
    where: str
    T: int = 1
    S: int = 1


Builder = Callable[[], Iterator[Situation]]
