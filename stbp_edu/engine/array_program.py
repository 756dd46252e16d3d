"""A layer's program on whole arrays of NumPy or PyTorch, step by step.

The functions that run are those that are shown, but for their order: what only constants decide is
computed once, and the factors of a step back, which only states decide, of many steps at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.layer_program import LayerProgram
from stbp_edu.arrows.lines.step_functions import Assignment, StepFunction, Term
from stbp_edu.engine.computed_once import SLOW, ComputedOnce, lines_of, on_a_line
from stbp_edu.engine.loops import FLOOR

STRETCH = 32_768
"""Entries of several steps whose factors are computed at a time: 128 KB in float32. Larger arrays
would leave the cache, and the system gives them new memory each time."""

Arrays = Mapping[str, Any]


class Ahead:
    """The factors of a step back that states decide, to be computed ahead for many steps."""

    def __init__(self, constants: set[str]) -> None:
        self.constants = constants
        self.names: dict[ex.Expression, str] = {}

    def left(self, lines: Sequence[Assignment]) -> list[Assignment]:
        """Return the lines that are left for each step, with names in place of their factors."""
        found = []
        for line in lines:
            if line.terms and not any(of for _, of in line.terms):
                # without an adjoint: the whole line is computed ahead
                factor = line.terms[0].factor
                self.names[self._with_calls(factor)] = line.name
            else:
                terms = [Term(self.factor(factor), of) for factor, of in line.terms]
                found.append(line._replace(terms=tuple(terms)))
        return found

    def factor(self, tree: ex.Expression) -> ex.Expression:
        """Return the name of a factor, if a state is in it."""
        if all(name.name in self.constants for name in ex.names_in(tree)):
            return tree
        return self._named(self._with_calls(tree))

    def _with_calls(self, tree: ex.Expression) -> ex.Expression:
        """Return a factor with names in place of slow calls in it, which others may share."""
        if not isinstance(tree, ex.Call):
            return tree
        args = []
        for arg in tree.args:
            inside = self._with_calls(arg)
            if isinstance(arg, ex.Call) and arg.op in SLOW | {"h"}:
                inside = self.factor(inside)
            args.append(inside)
        return ex.Call(tree.op, tuple(args))

    def _named(self, tree: ex.Expression) -> ex.Name:
        """Return the name of a factor, which is computed ahead from now on."""
        name = self.names.setdefault(tree, f"_f{len(self.names)}")
        return ex.Name(name, "factor")


class ArrayProgram:
    """The program of a layer, ready to be run on whole arrays.

    Attributes:
        program: the program that is shown.
        xp: NumPy or PyTorch.
        parts: the functions that run: ``once``, ``forward``, ``ahead`` and ``backward``.
        run: the same by name, as Python's functions.
    """

    def __init__(
        self,
        program: LayerProgram,
        functions: Mapping[str, Callable[..., Any]],
        twin: bool = False,
        xp: Any = np,
    ) -> None:
        """Make the functions that run.

        Args:
            program: the program that is shown.
            functions: those that it calls, by name; of NumPy or of PyTorch.
            twin: whether the smooth twin H takes the place of the spike, or outputs are any
                numbers.
            xp: NumPy or PyTorch.
        """
        self.program = program
        self.xp = xp
        self.parts = parts_of(program, twin)
        text = "\n\n\n".join(function.source() for function in self.parts)
        self.run = dict(functions)
        exec(compile(text, "<program>", "exec"), self.run)
        self.states = [*program.lines.lines]
        self.output = self.states.index(program.neuron.output)
        self.reads = [(one.of, one.step) for one in program.states_read]
        self.signals = sorted(program.signals)
        self.signal_of = {node: program.signal(*node) for node in program.nodes}
        # where a step back returns the adjoints, and which of them the step before it reads
        self.at = {name: k for k, name in enumerate(program.backward.results)}
        self.passed = [self.at[name] for name in passed_on(program)]
        self.learned = {name: self.at[g] for name, g in program.gradients.items()}
        # where signals are to which recurrent weights add, and the adjoints that they multiply
        self.again: list[tuple[int, int]] = []
        for _, signal, head in program.from_recurrence:
            places = self.signals.index(signal), self.at[head]
            if places not in self.again:
                self.again.append(places)

    def known(self, constants: Sequence[Any]) -> list[Any]:
        """Return the constants, and what they decide, which is computed once."""
        return [*constants, *self.run["once"](*constants)]

    def fill_states(
        self,
        drive: Any,
        states: Arrays,
        constants: Sequence[Any],
        R: Any = None,
        b: Any = None,
        before: Sequence[Any] = (),
    ) -> None:
        """Fill the states of all steps, by name, (T, S, ...) each.

        The weights bring ``drive``, to which the rest of the input is added; it may be the memory
        of a state. ``R`` multiplies the outputs of the step before from the right. ``before`` are
        the states before the first step, in their order; at rest they are 0.
        """
        known = self.known(constants)
        forward = self.run["forward"]
        series = [states[name] for name in self.states]
        last = [*before]
        if not before:
            last = [self.xp.zeros_like(drive[0])] * len(series)
        for t, x in enumerate(drive):
            if b is not None:
                x += b
            if R is not None and (t or before):
                x += through(last[self.output], R)  # p2-recur-u
            values = forward(*last, x, *known)
            last = [of[t] for of in series]
            for place, value in zip(last, values, strict=True):
                place[...] = value

    def fill_adjoints(
        self,
        states: Arrays,
        signals: Arrays,
        found: Arrays,
        constants: Sequence[Any],
        R: Any = None,
        before: Arrays | None = None,
    ) -> dict[str, Any]:
        """Fill the adjoints to keep, ``found``; return what is learned, by sample and neuron.

        All are of all steps, by name, (T, S, ...) each. The first adjoint may be the memory of the
        first signal. ``before`` are the states before the first step.
        """
        some = next(iter(found.values()))
        zero = self.xp.zeros_like(some[0])
        known = self.known(constants)
        step_back = self.run["backward"]
        ends_block = self.program.rule.ends_block
        heard = [signals[name] for name in self.signals]
        kept = [(self.at[name], series) for name, series in found.items()]
        again = self.again if R is not None else []
        single = self.xp is np and some.dtype == np.float32
        nothing = [zero] * len(self.at)
        later = nothing
        sums = dict.fromkeys(self.learned, 0.0)
        for start, end in self._stretches(some):
            factors = self._ahead(states, before or {}, start, end, known)
            for t in reversed(range(start, end)):
                if ends_block(t):
                    later = nothing
                given = [factor[t - start] for factor in factors]
                errors = [series[t] for series in heard]
                if later is not nothing:
                    for signal, head in again:
                        errors[signal] = errors[signal] + through(later[head] + zero, R)
                passed = [later[k] for k in self.passed]
                later = step_back(*given, *errors, *passed, *known)
                for k, series in kept:
                    series[t] = later[k]
                for name, k in self.learned.items():
                    sums[name] = sums[name] + later[k]
            if single:
                later = [*later]
                for k, series in kept:
                    settle(series[start:end])
                    later[k] = series[start]
        return sums

    def _stretches(self, some: Any) -> Iterator[tuple[int, int]]:
        """Yield the first step and the end of each stretch, from the last one down."""
        entries = math.prod(some[0].shape)
        size = max(1, STRETCH // max(1, entries))
        for end in range(len(some), 0, -size):
            yield max(0, end - size), end

    def _ahead(
        self, states: Arrays, before: Arrays, start: int, end: int, known: list[Any]
    ) -> list[Any]:
        """Return the factors of some steps, each as a series with one entry for every step."""
        read = [
            self._around(states[name], before.get(name), at, start, end)
            for name, at in self.reads
        ]
        ndim_of_series = next(iter(states.values())).ndim
        factors = []
        for factor in self.run["ahead"](*read, *known):
            if getattr(factor, "ndim", 0) == ndim_of_series:
                factors.append(factor)
            else:  # one for all steps
                factors.append([factor] * (end - start))
        return factors

    def _around(self, series: Any, before: Any, step: int, start: int, end: int) -> Any:
        """Return a state at some steps, or at the steps before or after them.

        Before the first step it is ``before``, or 0; after the last one the last is read, times
        adjoints of 0.
        """
        first, stop = start + step, end + step
        if first < 0:
            rest = self.xp.zeros_like(series[:1])
            if before is not None:
                rest = before[None]
            return self.xp.concatenate([rest, series[:stop]])
        if stop > len(series):
            return self.xp.concatenate([series[first:], series[-1:]])
        return series[first:stop]


def parts_of(program: LayerProgram, twin: bool) -> list[StepFunction]:
    """Return the functions that run: once, forward, ahead and backward."""
    constants = [*program.lines.constants]
    states = [*program.lines.lines]
    once = ComputedOnce(program, on_a_line, twin)
    forward = [once.line(line) for line in program.forward.lines]
    backward = [once.line(line) for line in program.backward.lines]
    computed_once = [*once.names.values()]
    known = [*constants, *computed_once]
    ahead = Ahead({*known})
    backward = ahead.left(backward)
    factors = [*ahead.names.values()]
    read = [program.names[one] for one in program.states_read]
    others = program.backward.arguments[len(read) :]
    return [
        once.function(constants),
        StepFunction(
            name="forward",
            arguments=[*states, "x", *known],
            lines=forward,
            results=states,
        ),
        StepFunction(
            name="ahead",
            arguments=[*read, *known],
            lines=lines_of(ahead.names),
            results=factors,
        ),
        StepFunction(
            name="backward",
            arguments=[*factors, *others, *computed_once],
            lines=backward,
            results=program.backward.results,
        ),
    ]


def passed_on(program: LayerProgram) -> list[str]:
    """Return the adjoints of a step that the step before reads, by their names in this step."""
    return [program.name(one.of, one.q) for one in program.next_adjoints]


def settle(series: Any) -> None:
    """Round what is next to 0 in an array of NumPy to 0: see FLOOR."""
    series += np.float32(FLOOR)
    series -= np.float32(FLOOR)


def through(rows: Any, R: Any) -> Any:
    """Return rows through recurrent weights."""
    flat = rows.reshape(len(rows), -1)
    return (flat @ R).reshape(rows.shape)
