"""The neurons of a layer, all steps of all samples, in compiled loops.

:class:`InLoops` has the methods of :class:`stbp_edu.program.executor.OnArrays`, and checks nothing
of what it is given. Series are (T, S, m) by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.layer_program import LayerProgram
from stbp_edu.program.executor import Series
from stbp_edu.program.loop_text import text_of
from stbp_edu.program.machine_code import compiled, interpreted
from stbp_edu.program.threads import run_in_parts

BLOCK = 1024
"""Entries of a step in a block of the loops, few enough for the cache of a core."""
WORK = 4.0
"""About how many operations a neuron takes in a step."""


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
