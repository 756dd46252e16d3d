"""The neurons of a layer, all steps of all samples: on whole arrays, or in compiled loops.

Both have the methods of :class:`stbp_edu.program.executor.Executor`, and neither checks what it is
given. Series are (T, S, m) by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.program.executor import Executor, Series, numpy_functions
from stbp_edu.program.loop_text import text_of
from stbp_edu.program.machine_code import compiled, interpreted
from stbp_edu.program.threads import run_in_parts

BLOCK = 1024
"""Entries of a step in a block of the loops, few enough for the cache of a core."""
WORK = 4.0
"""About how many operations a neuron takes in a step."""


class OnArrays(Executor):
    """The neurons of a layer on whole arrays of NumPy."""

    def __init__(
        self, program: LayerProgram, wanted: tuple[str, ...], *, twin: bool = False
    ) -> None:
        """Make Python's functions of the text; on the ``twin``, H takes the place of the spike."""
        super().__init__(program, self.functions(program, twin))
        self.wanted = wanted

    @staticmethod
    def functions(program: LayerProgram, twin: bool) -> dict[str, Any]:
        """Return what the program calls."""
        return numpy_functions(program.neuron.surrogate, twin=twin)

    def fill_adjoints(
        self,
        states: Series,
        signals: Series,
        found: Series,
        constants: Sequence[Any],
        R: Any = None,
        before: Series | None = None,
    ) -> dict[str, Any]:
        """Fill the adjoints of all steps; return gradients of b and learned constants, (S, m)."""
        sums = super().fill_adjoints(states, signals, found, constants, R)
        some = found[self.wanted[0]]
        # where all is cut, a sum is the number 0
        learned = {name: np.full_like(some[0], g) for name, g in sums.items()}
        return {"b": some.sum(axis=0), **learned}


class InLoops:
    """The neurons of a layer in compiled loops."""

    made = staticmethod(compiled)

    def __init__(self, program: LayerProgram, wanted: tuple[str, ...]) -> None:
        self.program = program
        self.wanted = wanted

    @cached_property
    def text(self) -> str:
        """The text of the loops."""
        return text_of(self.program, self.wanted)

    def fill_states(
        self, x: Array, states: Series, constants: Sequence[Any], R: Any = None
    ) -> None:
        """Fill the states of all steps; x is in the memory of the first."""
        self._run("all_forward", x, states, constants, R, [])

    def fill_adjoints(
        self,
        states: Series,
        signals: Series,
        found: Series,
        constants: Sequence[Any],
        R: Any = None,
    ) -> dict[str, Any]:
        """Fill the adjoints of all steps; return gradients of b and learned constants, (S, m).

        The first signal is in the memory of the first adjoint.
        """
        some = found[self.wanted[0]]
        sums = {name: np.zeros_like(some[0]) for name in ("b", *self.program.gradients)}
        others = [*signals.values()][1:]
        more = [rows(one) for one in (*others, *found.values())]
        more += [g.reshape(-1) for g in sums.values()]
        self._run("all_backward", some, states, constants, R, more)
        return sums

    def _run(
        self,
        name: str,
        like: Array,
        states: Series,
        constants: Sequence[Any],
        R: Any,
        more: list[Any],
    ) -> None:
        """Run one of the loops, some blocks in each thread."""
        _, S, m = like.shape
        width, given = BLOCK, []
        if R is not None:
            width, given = m, [np.ascontiguousarray(R)]
        for one in constants:
            value = np.asarray(one, like.dtype)
            given.append(np.tile(value.reshape(-1), S) if value.ndim else value[()])
        for state in self.program.neuron.order:
            given.append(rows(np.ascontiguousarray(states[state])))
        loop = self.made(self.text, like.dtype)[name]
        blocks = math.ceil(S * m / width)
        run_in_parts(loop, blocks, WORK * like.size, width, *given, *more)


class ByPython(InLoops):
    """The same loops as Python runs them: slowly, as a check of what they say."""

    made = staticmethod(interpreted)


def rows(series: Array) -> Array:
    """Return (T, S, m) as (T, S · m)."""
    return series.reshape(len(series), -1)


def constants_of(program: LayerProgram, p: Series, dtype: Any) -> list[Any]:
    """Return the constants of a program in a dtype, those that are learned from its arrays."""
    found = []
    for name, given in program.lines.constants.items():
        value = np.asarray(p.get(name, given), dtype)
        found.append(value[()] if value.ndim == 0 else value.reshape(-1))
    return found
