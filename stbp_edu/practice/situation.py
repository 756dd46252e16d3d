"""What an exercise is called with: the arguments, and the cell of the grid they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


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
