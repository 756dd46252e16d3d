"""The neurons of a layer, all steps of all samples: on whole arrays, or in compiled loops.

Both have :meth:`forward` and :meth:`backward`, and neither checks what it is given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.program.executor import Executor, Series, numpy_functions
from stbp_edu.program.loop_text import text_of
from stbp_edu.program.machine_code import compiled, interpreted
from stbp_edu.program.threads import LEAST, run_in_parts
from stbp_edu.surrogates import is_curve

MUCH = 32_768
"""Entries of a step from which on samples are shared among threads."""
BLOCK = 1024
"""Entries of a step in a block of the loops, few enough for the cache of a core."""
WORK = 4.0
"""About how many operations a neuron takes in a step."""


@dataclass(frozen=True)
class OnArrays:
    """The neurons of a layer on whole arrays of NumPy.

    Attributes:
        program: the layer's program.
        wanted: the adjoints to keep, that of what the parameters enter first.
        twin: whether the smooth twin H takes the place of the spike.
    """

    program: LayerProgram
    wanted: tuple[str, ...]
    twin: bool = False

    @cached_property
    def executor(self) -> Executor:
        """What runs the program."""
        functions = numpy_functions(self.program.neuron.surrogate, twin=self.twin)
        return Executor(self.program, functions)

    def forward(self, states: Series, p: Series) -> None:
        """Fill the states (T, S, m) by name; the first holds the input x.

        ``p`` are the layer's arrays by name.
        """
        x = states[self.program.neuron.order[0]]
        constants = constants_of(self.program, p, x.dtype)
        R = p["R"].T if "R" in p else None

        def of_samples(first: int, last: int) -> None:
            own = samples_of(states, first, last)
            self.executor.fill_states(x[:, first:last], own, constants, R)

        self._share(of_samples, x, R)

    def backward(
        self, found: Series, states: Series, p: Series, signals: Series
    ) -> dict[str, Array]:
        """Fill the adjoints ``found``; return gradients of b and learned constants, (S, m) each.

        The first adjoint may be the memory of the first signal.
        """
        some = found[self.wanted[0]]
        constants = constants_of(self.program, p, some.dtype)
        R = p.get("R")
        sums = {name: np.empty_like(some[0]) for name in self.program.gradients}

        def of_samples(first: int, last: int) -> None:
            own, heard, kept = (
                samples_of(series, first, last) for series in (states, signals, found)
            )
            learned = self.executor.fill_adjoints(own, heard, kept, constants, R)
            for name, g in learned.items():
                sums[name][first:last] = g

        self._share(of_samples, some, R)
        return {"b": some.sum(axis=0), **sums}

    def _share(self, of_samples: Any, like: Array, R: Array | None) -> None:
        """Go through all samples; some in each thread, where a step is enough work for several.

        A product with recurrent weights rounds by how many rows it has, and the number of threads
        must change no result. A surrogate of your own may not be made for several threads.
        """
        several = like[0].size > MUCH and R is None
        if several and is_curve(self.program.neuron.surrogate):
            run_in_parts(of_samples, like.shape[1], 2.0 * LEAST)
        else:
            of_samples(0, like.shape[1])


@dataclass(frozen=True)
class InLoops:
    """The neurons of a layer in compiled loops: see :class:`OnArrays`."""

    program: LayerProgram
    wanted: tuple[str, ...]
    made = staticmethod(compiled)

    @cached_property
    def text(self) -> str:
        """The text of the loops."""
        return text_of(self.program, self.wanted)

    def forward(self, states: Series, p: Series) -> None:
        """Fill the states (T, S, m) by name; the first holds the input x."""
        order = self.program.neuron.order
        self._run("all_forward", states[order[0]], p, "R" in p and p["R"].T, states, [])

    def backward(
        self, found: Series, states: Series, p: Series, signals: Series
    ) -> dict[str, Array]:
        """Fill the adjoints ``found``; return gradients of b and learned constants, (S, m) each."""
        like = found[self.wanted[0]]
        sums = {name: np.zeros_like(like[0]) for name in ("b", *self.program.gradients)}
        others = [*signals.values()][
            1:
        ]  # the first is in the memory of the first adjoint
        series = [*others, *found.values()]
        more = [rows(one) for one in series] + [
            one.reshape(-1) for one in sums.values()
        ]
        self._run("all_backward", like, p, p.get("R"), states, more)
        return sums

    def _run(
        self, name: str, like: Array, p: Series, R: Any, states: Series, more: list[Any]
    ) -> None:
        """Run one of the loops, some blocks in each thread."""
        _, S, m = like.shape
        width, given = BLOCK, []
        if "R" in p:
            width, given = m, [np.ascontiguousarray(R)]
        for value in constants_of(self.program, p, like.dtype):
            given.append(value if np.ndim(value) == 0 else np.tile(value, S))
        given += [
            rows(np.ascontiguousarray(states[one])) for one in self.program.neuron.order
        ]
        loop = self.made(self.text, like.dtype)[name]
        blocks = math.ceil(S * m / width)
        run_in_parts(loop, blocks, WORK * like.size, width, *given, *more)


class ByPython(InLoops):
    """The same loops as Python runs them: slowly, as a check of what they say."""

    made = staticmethod(interpreted)


def rows(series: Array) -> Array:
    """Return (T, S, m) as (T, S · m)."""
    return series.reshape(len(series), -1)


def samples_of(series: Series, first: int, last: int) -> dict[str, Array]:
    """Return the part of some series, (T, S, m) each by name, that is of some samples."""
    return {name: of_all[:, first:last] for name, of_all in series.items()}


def constants_of(program: LayerProgram, p: Series, dtype: Any) -> list[Any]:
    """Return the constants of a program, those that are learned from the parameters."""
    found = []
    for name, given in program.lines.constants.items():
        value = np.asarray(p.get(name, given), dtype)
        found.append(value[()] if value.ndim == 0 else value.reshape(-1))
    return found
