"""Ask a function how it answers: on inputs that are moved or switched off, one by one.

A probe holds the reader's function beside the reference and calls both on the same inputs. What is
asked here is never part of the verdict; it serves to say where a wrong answer is wrong.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.tasks import Inputs

SITUATIONS = 3
Values = Sequence[Array]
"""What stands in one place, in each situation."""


def close(a: Array, b: Array, rtol: float) -> bool:
    """Return whether two arrays agree wherever ``a`` is known; NaN in ``a`` means unknown."""
    if a.shape != b.shape:
        return False
    known = ~np.isnan(a)
    if not known.any():
        return False
    x, y = a[known], b[known]
    with np.errstate(all="ignore"):
        scale = float(np.abs(y[np.isfinite(y)]).max(initial=0.0))
        equal = np.abs(x - y) <= rtol * np.abs(y) + 1e-3 * rtol * scale + 1e-13
    return bool((equal & np.isfinite(y) | (x == y)).all())


def all_close(a: Values, b: Values, rtol: float) -> bool:
    """Return whether two values agree in every situation."""
    return all(close(x, y, rtol) for x, y in zip(a, b, strict=True))


def is_movable(value: object) -> bool:
    """Return whether a value is made of floats, so that it can be moved and switched off."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f"
    return isinstance(value, float)


@dataclass(frozen=True)
class Probe:
    """The reader's function beside the reference.

    Attributes:
        names: the names of the arguments.
        function: the reader's; returns one array for each of its results, or None.
        reference: the right one, likewise.
        inputs: what the exercise is graded on.
        rtol: to how many digits the reader's function computes.
    """

    names: Sequence[str]
    function: Callable[[Sequence[Any]], Sequence[Array] | None]
    reference: Callable[[Sequence[Any]], Sequence[Array] | None]
    inputs: Sequence[Inputs]
    rtol: float = 1e-6

    @cached_property
    def movable(self) -> list[int]:
        """The arguments that can be moved."""
        return [k for k, value in enumerate(self.inputs[0].args) if is_movable(value)]

    @cached_property
    def situations(self) -> list[Inputs]:
        """A few situations, their values moved a little, so that none is special by chance."""
        able = [i for i in self.inputs if self.ask(i.args) is not None] or list(self.inputs)
        wide = [i for i in able if self._has_no_zero(i)] or able
        step = max(1, len(wide) // SITUATIONS)
        rng = np.random.default_rng(15)
        chosen = wide[::step][:SITUATIONS]
        return [Inputs(self._jittered(i.args, rng), i.where, i.T, i.S) for i in chosen]

    def _has_no_zero(self, inputs: Inputs) -> bool:
        """Return whether no movable value is zero everywhere, and arrays have some entries."""
        arrays = [np.asarray(inputs.args[k]) for k in self.movable]
        return all(a.any() for a in arrays) and (inputs.T > 1 or inputs.S > 1 or len(arrays) < 2)

    def _jittered(self, args: Sequence[Any], rng: np.random.Generator) -> tuple[Any, ...]:
        """Return the arguments, each entry a little smaller: what is below 1 stays so."""
        return tuple(
            self._scaled(value, rng.uniform(0.8, 1.0, np.shape(value))) if k in self.movable
            else value
            for k, value in enumerate(args)
        )  # fmt: skip

    @staticmethod
    def _scaled(value: Any, factor: Any) -> Any:
        """Return a value times a factor, an array or a float as before."""
        return value * factor if isinstance(value, np.ndarray) else float(value * factor)

    def moved(self, args: Sequence[Any], k: int) -> tuple[Any, ...]:
        """Return the arguments with the k-th moved, each entry by an amount of its own."""
        factor = np.random.default_rng([16, k]).uniform(0.4, 0.9, np.shape(args[k]))
        return (*args[:k], self._scaled(args[k], factor), *args[k + 1 :])

    @staticmethod
    def without(args: Sequence[Any], off: Sequence[int]) -> tuple[Any, ...]:
        """Return the arguments with these set to zero."""
        return tuple(0 * a if k in off else a for k, a in enumerate(args))

    def ask(self, args: Sequence[Any], *, right: bool = False) -> Sequence[Array] | None:
        """Return what the function, or the reference, answers; None where it fails."""
        function = self.reference if right else self.function
        with np.errstate(all="ignore"):
            return function(copy.deepcopy(tuple(args)))

    def both(self, change: Callable[[Inputs], Sequence[Any]], part: int) -> tuple[Values, Values]:
        """Return both answers in every situation, changed alike; empty where one is missing."""
        pairs = []
        for inputs in self.situations:
            args = change(inputs)
            got, want = self.ask(args), self.ask(args, right=True)
            if got is None or want is None or got[part].shape != want[part].shape:
                return [], []
            pairs.append((got[part], want[part]))
        return [g for g, _ in pairs], [w for _, w in pairs]
