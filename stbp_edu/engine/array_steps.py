"""The steps of a layer in NumPy: its program on arrays of all samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.rules import norms
from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.engine.array_program import STRETCH, ArrayProgram, Arrays
from stbp_edu.engine.threads import LEAST, run_in_parts
from stbp_edu.lines.operations import SHARED
from stbp_edu.surrogates import is_curve


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
        return ArrayProgram(self.program, functions)

    @property
    def states(self) -> tuple[str, ...]:
        """The states, in the order in which a step computes them."""
        return self.program.neuron.order

    def forward(self, states: Arrays, p: Arrays) -> None:
        """Fill the states of all steps, by name, (T, S, m) each, with a layer's parameters ``p``.

        The first state holds the weighted input; there is a bias for each neuron.
        """
        drive = states[self.states[0]]
        b = p["b"]
        R = None
        if "R" in p:
            R = p["R"].T
        constants = constants_of(self.program, p, drive.dtype)

        def of_samples(first: int, last: int) -> None:
            """Fill the states of some samples."""
            own = samples_of(states, first, last)
            own_drive = drive[:, first:last]
            self.arrays.fill_states(own_drive, own, constants, R, b)

        self._share(of_samples, drive, R)

    def backward(
        self, found: Arrays, states: Arrays, p: Arrays, signals: Arrays
    ) -> dict[str, Array]:
        """Fill the adjoints to keep; return the gradients of b and of what the neuron learns.

        These are by sample and neuron, (S, m) each. ``signals`` are what other layers and the loss
        pass back, by name, (T, S, m) each.
        """
        some = states[self.states[0]]
        constants = constants_of(self.program, p, some.dtype)
        R = p.get("R")
        by_sample = {name: np.empty_like(some[0]) for name in self.program.gradients}

        def of_samples(first: int, last: int) -> None:
            """Fill the adjoints of some samples."""
            own = samples_of(states, first, last)
            heard = samples_of(signals, first, last)
            kept = samples_of(found, first, last)
            sums = self.arrays.fill_adjoints(own, heard, kept, constants, R)
            for name, g in sums.items():
                of_all = by_sample[name]
                of_all[first:last] = g

        with np.errstate(all="ignore"):
            self._share(of_samples, some, R)
        epsilon = found[self.wanted[0]]
        return {"b": epsilon.sum(axis=0), **by_sample}

    def _share(
        self, of_samples: Callable[[int, int], None], like: Array, R: Array | None
    ) -> None:
        """Go through all samples; some in each thread, where a step is enough work for several.

        A product with recurrent weights rounds by how many rows it has, and the number of threads
        must change no result. A surrogate of your own may not be made for several threads.
        """
        _, samples, _ = like.shape
        several = like[0].size > STRETCH and R is None
        if several and is_curve(self.program.neuron.surrogate):
            run_in_parts(of_samples, samples, work=2.0 * LEAST)
        else:
            of_samples(0, samples)


def samples_of(series: Arrays, first: int, last: int) -> Arrays:
    """Return the part of some series, (T, S, m) each by name, that is of some samples."""
    return {name: of_all[:, first:last] for name, of_all in series.items()}


def constants_of(program: LayerProgram, p: Arrays, dtype: Any) -> list[Any]:
    """Return the constants of a program, those that are learned from the parameters."""
    found = []
    for name, given in program.lines.constants.items():
        value = np.asarray(p.get(name, given), dtype)
        if value.ndim == 0:
            found.append(value[()])
        else:
            found.append(value.reshape(-1))
    return found


def at_least(a: Any, b: Any) -> Any:
    """Return 1 where a >= b, else 0, as a number of their dtype."""
    like = a if np.ndim(a) else b
    dtype = getattr(like, "dtype", np.float64)
    reached = np.asarray(a >= b)
    return reached.astype(dtype)


def reached(v: Any) -> Any:
    """Return the spike: 1 where v >= 0, else 0."""
    return (v >= 0).astype(v.dtype)


def norm(*entries: Any) -> Any:
    """Return the largest singular value of a square matrix, given row by row."""
    size = math.isqrt(len(entries))
    arrays = np.broadcast_arrays(*entries)
    stacked = np.stack(arrays, axis=-1)
    shape = *arrays[0].shape, size, size
    matrices = stacked.reshape(shape)
    return norms(matrices)


NUMPY: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in SHARED},
    "minimum": np.minimum,
    "maximum": np.maximum,
    "at_least": at_least,
    "norm": norm,
}
"""What a program calls, beside the curves of the neuron."""
