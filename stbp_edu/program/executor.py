"""The program of a layer, run on whole arrays of NumPy or on tensors, step by step.

What runs is the text that ``derive(...).program(rule)`` shows: its functions ``forward`` and
``backward``, on arrays of all samples. Whatever else they call comes from the caller: exp and the
curves of NumPy (:func:`numpy_functions`), or those of PyTorch, for tensors.

    run = Executor(program, functions, torch)
    run.fill_states(x, states, constants)
    sums = run.fill_adjoints(states, signals, found, constants)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from stbp_edu.arrows.layer_program import LayerProgram
from stbp_edu.arrows.rules import norms
from stbp_edu.lines.operations import SHARED
from stbp_edu.surrogates import fires

FLOOR = 1e-10
"""Added and taken away again, it rounds a float32 below 3e-18 to zero.

Errors decay from step to step, and many processors are a hundred times slower below 1e-38.
"""
Series = Mapping[str, Any]
"""By name, arrays or tensors of all steps, (T, S, ...) each."""


class Executor:
    """The program of a layer, ready to run.

    Attributes:
        program: the program that is shown.
        xp: NumPy or PyTorch.
        run: its functions by name.
        states: the states, in the order in which ``forward`` takes and returns them.
        signal_of: by adjoint, (state, state of the rule), the name of its signal, if it has one.
    """

    def __init__(
        self,
        program: LayerProgram,
        functions: Mapping[str, Callable[..., Any]],
        xp: Any = np,
    ) -> None:
        """Make Python's functions of the text.

        Args:
            program: the program that is shown.
            functions: those that it calls, by name; of NumPy or of PyTorch.
            xp: NumPy or PyTorch.
        """
        self.program = program
        self.xp = xp
        self.run = dict(functions)
        text = program.source()
        if program.before:
            text += f"\n\n\n{program.before}"
        exec(compile(text, "<program>", "exec"), self.run)
        self.states = [*program.lines.lines]
        self.signal_of = program.signal_of

    def fill_states(
        self,
        x: Any,
        states: Series,
        constants: Sequence[Any],
        R: Any = None,
        before: Sequence[Any] = (),
    ) -> None:
        """Fill the states of all steps.

        Args:
            x: the input of all steps, (T, S, ...), to which the recurrent input is added; it may be
                the memory of a state.
            states: where the states go, by name.
            constants: numbers, or an entry for each neuron, in the order of the program.
            R: recurrent weights, which multiply the outputs of the step before from the right.
            before: the states before the first step, in their order; at rest they are 0.
        """
        forward = self.run["forward"]
        series = [states[name] for name in self.states]
        output = self.states.index(self.program.neuron.output)
        last = [*before] or [self.xp.zeros_like(x[0])] * len(series)
        for t, now in enumerate(x):
            if R is not None and (t or before):
                now += through(last[output], R)  # p2-recur-u
            values = forward(*last, now, *constants)
            last = [of[t] for of in series]
            for place, value in zip(last, values, strict=True):
                place[...] = value

    def fill_adjoints(
        self,
        states: Series,
        signals: Series,
        found: Series,
        constants: Sequence[Any],
        R: Any = None,
        before: Series | None = None,
    ) -> dict[str, Any]:
        """Fill the adjoints of all steps, from the last one down.

        Args:
            states: what :meth:`fill_states` filled.
            signals: by name, the errors that other layers and the loss pass back.
            found: where adjoints go, by name; the first may be the memory of the first signal.
            constants: as in :meth:`fill_states`.
            R: recurrent weights, which multiply adjoints of the step after from the right.
            before: by name, the states before the first step; at rest they are 0.

        Returns:
            By learned constant, its gradient for each sample and neuron; and, where states came in,
            by adjoint what the first step passes back to them.
        """
        program = self.program
        before = before or {}
        some = next(iter(found.values()))
        zero = self.xp.zeros_like(some[0])
        heads = dict.fromkeys((s, head) for _, s, head in program.from_recurrence)
        single = self.xp is np and some.dtype == np.float32
        nothing = dict.fromkeys(program.results, zero)

        def step_back(function: str, t: int, errors: dict[str, Any]) -> dict[str, Any]:
            """Return the adjoints of a step from what came to it, and those of the step after."""
            if R is not None and later is not nothing:
                for signal, head in heads:
                    adjoint = later[head] + zero  # an array, if it is the number 0
                    errors[signal] = errors[signal] + through(adjoint, R)
            values = []
            for name, step in program.states_read:
                if t + step >= 0:  # after the last step adjoints are 0
                    values.append(states[name][min(t + step, len(some) - 1)])
                else:
                    values.append(before.get(name, zero))
            after = [later[name] for name in program.next_adjoints]
            adjoints = self.run[function](*values, *errors.values(), *after, *constants)
            return dict(zip(nothing, adjoints, strict=True))

        later = nothing
        sums = dict.fromkeys(program.gradients, 0.0)
        for t in reversed(range(len(some))):
            if program.rule.ends_block(t):
                later = nothing
            errors = {name: signals[name][t] for name in sorted(program.signals)}
            later = step_back("backward", t, errors)
            for name, series in found.items():
                series[t] = later[name]
                later[name] = series[t]
                if single:
                    later[name] += np.float32(FLOOR)
                    later[name] -= np.float32(FLOOR)
            for constant, name in program.gradients.items():
                sums[constant] = sums[constant] + later[name]
        if before and "before" in self.run:
            errors = dict.fromkeys(sorted(program.signals), zero)
            sums.update(step_back("before", -1, errors))
        return sums


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


def through(rows: Any, R: Any) -> Any:
    """Return rows through recurrent weights."""
    flat = rows.reshape(len(rows), -1)
    return (flat @ R).reshape(rows.shape)


def numpy_functions(surrogate: Any, *, twin: bool) -> dict[str, Callable[..., Any]]:
    """Return what a program calls on arrays of NumPy; on the smooth twin, H for the spike."""
    spike = surrogate.antiderivative if twin else fires
    return {
        **{name: getattr(np, name) for name in SHARED},
        "minimum": np.minimum,
        "maximum": np.maximum,
        "at_least": _at_least,
        "norm": norm,
        "spike": spike,
        "h": surrogate.derivative,
    }


def _at_least(a: Any, b: Any) -> Any:
    like = a if np.ndim(a) else b
    return np.asarray(a >= b).astype(getattr(like, "dtype", np.float64))


def norm(*entries: Any) -> Any:
    """Return the largest singular value of a square matrix, given row by row."""
    size = math.isqrt(len(entries))
    arrays = np.broadcast_arrays(*entries)
    stacked = np.stack(arrays, axis=-1)
    return norms(stacked.reshape(*arrays[0].shape, size, size))
