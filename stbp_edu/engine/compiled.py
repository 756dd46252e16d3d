"""The derived neuron of a layer as compiled loops, which need Numba."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.arrows.table import Table
from stbp_edu.engine.array_program import Arrays
from stbp_edu.engine.array_steps import ArraySteps, constants_of
from stbp_edu.engine.loop_source import LoopSource
from stbp_edu.engine.machine_code import compiled, interpreted
from stbp_edu.engine.threads import run_in_parts
from stbp_edu.lines.expressions import ops_in
from stbp_edu.surrogates import is_curve

WORK = 4.0
"""About how many operations a neuron takes in a step."""
WIDE = 128
"""Numbers that a row of the loops should hold: so many can be computed at once."""


def installed() -> bool:
    """Return whether Numba is there."""
    return importlib.util.find_spec("numba") is not None


def chosen(backend: str, net: Table) -> str:
    """Return the backend that is used where one is asked for.

    Raises:
        ImportError: if ``"compiled"`` is asked for and Numba is missing.
        TypeError: if it is asked for a surrogate that is not of this package.
    """
    if checks.choice("backend", backend, ("auto", "numpy", "compiled")) == "numpy":
        return backend
    odd = own_surrogates(net)
    if backend == "compiled":
        if not installed():
            raise ImportError(
                "backend='compiled' needs Numba, which is not installed: "
                "pip install numba, or use backend='numpy'"
            )
        if odd:
            raise TypeError(
                f"the surrogate of layer {odd[0]} cannot be compiled: it is not a Curve with "
                "methods h and twin; use backend='numpy'"
            )
    return "compiled" if installed() and not odd else "numpy"


def own_surrogates(net: Table) -> list[int]:
    """Return the layers whose surrogate is not a curve that can be compiled."""
    layers = list(enumerate(net.layers))[1:]
    return [n for n, layer in layers if not is_curve(layer.neuron.surrogate)]


@dataclass(frozen=True)
class CompiledSteps:
    """The steps of one layer as compiled loops: see :class:`.array_steps.ArraySteps`.

    Attributes:
        program: the layer's program.
        wanted: the adjoints to keep, that of what the parameters enter first.
        twin: whether the smooth twin H takes the place of the spike.
        by_python: whether Python runs the loops, slowly, as a check of what they say.
    """

    program: LayerProgram
    wanted: tuple[str, ...]
    twin: bool = False
    by_python: bool = False

    @property
    def states(self) -> tuple[str, ...]:
        """The states, in the order in which a step computes them."""
        return self.program.neuron.order

    @cached_property
    def source(self) -> str:
        """The source of the loops."""
        return LoopSource(self.program, self.wanted, self.twin).text

    def forward(self, states: Arrays, p: Arrays) -> None:
        """Fill the states of all steps, by name, (T, S, m) each, with a layer's parameters ``p``.

        The first state holds the weighted input; there is a bias for each neuron.
        """
        first = states[self.states[0]]
        R = p["R"].T if "R" in p else None
        _, S, m = first.shape
        together = samples_together(S, m, R)
        given = self._given(p, states, R, together)
        b = np.tile(p["b"], together)
        loop = self._loops(first.dtype)["forward"]
        run_in_parts(loop, S // together, WORK * first.size, b, *given)

    def backward(
        self, adjoints: Arrays, states: Arrays, p: Arrays, signals: Arrays
    ) -> dict[str, Array]:
        """Fill the adjoints to keep; return the gradients by sample and neuron, (S, m) each."""
        if self.on_arrays is not None:
            return self.on_arrays.backward(adjoints, states, p, signals)
        return self.fill_adjoints(adjoints, states, p, signals)

    def fill_adjoints(
        self, adjoints: Arrays, states: Arrays, p: Arrays, signals: Arrays
    ) -> dict[str, Array]:
        """Fill the adjoints to keep; return the gradients by sample and neuron, (S, m) each."""
        like = states[self.states[0]]
        _, S, m = like.shape
        R = p.get("R")
        together = samples_together(S, m, R)
        learned = ["b", *self.program.neuron.learned]
        sums = {name: np.zeros((S, m), like.dtype) for name in learned}
        rows = S // together
        # The first adjoint starts out holding the first signal: see Passes.down.
        _, *others = signals.values()
        found = [beside(series, together) for series in (*others, *adjoints.values())]
        found += [g.reshape(rows, together * m) for g in sums.values()]
        given = self._given(p, states, R, together)
        loop = self._loops(like.dtype)["backward"]
        run_in_parts(loop, rows, WORK * like.size, *given, *found)
        return sums

    def _loops(self, dtype: np.dtype[Any]) -> dict[str, Any]:
        """Return the loops, by name."""
        made = interpreted if self.by_python else compiled
        return made(self.source, dtype)

    @cached_property
    def on_arrays(self) -> ArraySteps | None:
        """The steps on arrays, where a gain limit asks for singular values."""
        for line in self.program.backward.lines:
            factors = [factor for factor, _ in line.terms]
            if "norm" in ops_in(*factors):
                return ArraySteps(self.program, self.wanted, self.twin)
        return None

    def _given(
        self, p: Arrays, states: Arrays, R: Array | None, together: int
    ) -> list[Any]:
        """Return the arguments that both loops take, some samples side by side as one."""
        dtype = states[self.states[0]].dtype
        given = []
        if R is not None:
            given.append(np.ascontiguousarray(R))
        for value in constants_of(self.program, p, dtype):
            if np.ndim(value) > 0:  # one for each neuron
                value = np.tile(value, together)
            given.append(value)
        for name in self.states:
            series = np.ascontiguousarray(states[name])
            given.append(beside(series, together))
        return given


def samples_together(S: int, m: int, R: Array | None) -> int:
    """Return how many samples of a narrow layer are side by side in a row of the loops.

    A row of the ten neurons of an output layer would be too short to compute many at once.
    """
    if R is not None:
        return 1
    most = max(1, WIDE // m)
    return max(count for count in range(1, most + 1) if S % count == 0)


def beside(series: Array, together: int) -> Array:
    """Return a series (T, S, m) with some samples side by side: (T, S / together, together · m)."""
    T, S, m = series.shape
    return series.reshape(T, S // together, together * m)
