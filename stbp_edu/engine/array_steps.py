"""The steps of a layer in NumPy: its program on arrays of all samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.lines.layer_program import LayerProgram
from stbp_edu.arrows.rules import norms
from stbp_edu.engine.array_program import ArrayProgram, Arrays


@dataclass(frozen=True)
class ArraySteps:
    """The steps of one layer.

    Attributes:
        program: the layer's program.
        wanted: the adjoints to keep, that of what the parameters enter first.
        twin: whether the smooth twin H takes the place of the spike, or outputs are any numbers.
    """

    program: LayerProgram
    wanted: tuple[str, ...]
    twin: bool = False

    @cached_property
    def arrays(self) -> ArrayProgram:
        """The program that runs."""
        curve = self.program.neuron.surrogate
        spike = curve.antiderivative if self.twin else reached
        functions = {**NUMPY, "h": curve.derivative, "spike": spike}
        return ArrayProgram(self.program, functions, self.twin)

    @property
    def states(self) -> tuple[str, ...]:
        """The states, in the order in which a step computes them."""
        return self.program.neuron.order

    def forward(self, states: Arrays, p: Arrays) -> None:
        """Fill the states of all steps, by name, (T, S, m) each, with a layer's parameters ``p``.

        The first state holds the weighted input; there is a bias for each neuron.
        """
        drive = states[self.states[0]]
        R = p["R"].T if "R" in p else None
        constants = constants_of(self.program, p, drive.dtype)
        self.arrays.fill_states(drive, states, constants, R, p["b"])

    def backward(
        self, found: Arrays, states: Arrays, p: Arrays, signals: Arrays
    ) -> dict[str, Array]:
        """Fill the adjoints to keep; return the gradients of b and of what the neuron learns.

        ``signals`` are what other layers and the loss pass back, by name, (T, S, m) each.
        """
        some = states[self.states[0]]
        constants = constants_of(self.program, p, some.dtype)
        with np.errstate(all="ignore"):
            learned = self.arrays.fill_adjoints(
                states, signals, found, constants, p.get("R")
            )
        sums = {"b": found[self.wanted[0]].sum(axis=(0, 1))}
        for name, g in learned.items():
            whole = np.broadcast_to(g, some[0].shape)
            sums[name] = whole.sum(axis=0, dtype=some.dtype)
        return sums


def constants_of(program: LayerProgram, p: Arrays, dtype: Any) -> list[Any]:
    """Return the constants of a program, those that are learned from the parameters."""
    found = []
    for name, given in program.lines.constants.items():
        value = np.asarray(p.get(name, given), dtype)
        value = value.reshape(-1) if value.ndim else value[()]
        found.append(value)
    return found


def at_least(a: Any, b: Any) -> Any:
    """Return 1 where a >= b, else 0, as a number of their dtype."""
    like = a if np.ndim(a) else b
    return np.asarray(a >= b).astype(getattr(like, "dtype", np.float64))


def reached(v: Any) -> Any:
    """Return the spike: 1 where v >= 0, else 0."""
    return (v >= 0).astype(v.dtype)


def norm(*entries: Any) -> Any:
    """Return the largest singular value of a square matrix, given row by row."""
    size = math.isqrt(len(entries))
    stacked = np.stack(np.broadcast_arrays(*entries), axis=-1)
    shape = *stacked.shape[:-1], size, size
    return norms(stacked.reshape(shape))


NUMPY: Mapping[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sqrt": np.sqrt,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "at_least": at_least,
    "norm": norm,
}
"""What a program calls, beside the curves of the neuron."""
