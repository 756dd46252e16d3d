"""A layer's program on whole arrays of NumPy or PyTorch, step by step.

The functions that run are those that are shown, but for their order: what only constants decide is
computed once, and the factors of a step back, which only states decide, of many steps at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.arrows.step.step_functions import Assignment, StepFunction, Term
from stbp_edu.engine import trees as ex
from stbp_edu.engine.computed_once import SLOW, ComputedOnce, lines_of
from stbp_edu.engine.loops import FLOOR
from stbp_edu.engine.trees import as_lines, tree_of

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
            adjoints = [of for _, of in line.terms if of]
            if line.terms and not adjoints:  # the whole line is computed ahead
                first = line.terms[0]
                whole = self._with_calls(tree_of(first.factor))
                self.names[whole] = line.name
            else:
                terms = []
                for factor, of in line.terms:
                    own = self.factor(tree_of(factor))
                    terms.append(Term(as_lines(own), of))
                left = line._replace(terms=tuple(terms))
                found.append(left)
        return found

    def factor(self, tree: ex.Expression) -> ex.Expression:
        """Return the name of a factor, if a state is in it."""
        names = {name.name for name in ex.names_in(tree)}
        if names <= self.constants:
            return tree
        factor = self._with_calls(tree)
        return self._named(factor)

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
        next_name = f"_f{len(self.names)}"
        name = self.names.setdefault(tree, next_name)
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
        xp: Any = np,
    ) -> None:
        """Make the functions that run.

        Args:
            program: the program that is shown.
            functions: those that it calls, by name; of NumPy or of PyTorch.
            xp: NumPy or PyTorch.
        """
        self.program = program
        self.xp = xp
        self.parts = parts_of(program)
        sources = [function.source() for function in self.parts]
        text = "\n\n\n".join(sources)
        self.run = dict(functions)
        exec(compile(text, "<program>", "exec"), self.run)
        self.states = [*program.lines.lines]
        output = program.neuron.output
        self.output = self.states.index(output)
        self.reads = [(one.of, one.step) for one in program.states_read]
        self.signals = sorted(program.signals)
        self.signal_of = {node: program.signal(*node) for node in program.nodes}
        # where a step back returns the adjoints, and which of them the step before it reads
        results = program.backward.results
        self.at = {name: k for k, name in enumerate(results)}
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
        once = self.run["once"]
        return [*constants, *once(*constants)]

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
            rest = self.xp.zeros_like(drive[0])
            last = [rest for _ in series]
        for t, x in enumerate(drive):
            if b is not None:
                x += b
            if R is not None and (t or before):
                output = last[self.output]
                x += through(output, R)  # p2-recur-u
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
                        adjoint = later[head] + zero  # an array, if it is the number 0
                        recurrent = through(adjoint, R)
                        errors[signal] = errors[signal] + recurrent
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
        steps, *shape = some.shape
        entries = max(1, math.prod(shape))
        size = max(1, STRETCH // entries)
        for end in range(steps, 0, -size):
            start = max(0, end - size)
            yield start, end

    def _ahead(
        self, states: Arrays, before: Arrays, start: int, end: int, known: list[Any]
    ) -> list[Any]:
        """Return the factors of some steps, each as a series with one entry for every step."""
        read = []
        for name, step in self.reads:
            series = states[name]
            earlier = before.get(name)
            around = self._around(series, earlier, step, start, end)
            read.append(around)
        some = next(iter(states.values()))
        ahead = self.run["ahead"]
        factors = []
        for factor in ahead(*read, *known):
            axes = getattr(factor, "ndim", 0)
            if axes < some.ndim:  # one for all steps
                factor = [factor] * (end - start)
            factors.append(factor)
        return factors

    def _around(self, series: Any, before: Any, step: int, start: int, end: int) -> Any:
        """Return a state at some steps, or at the steps before or after them.

        Before the first step it is ``before``, or 0; after the last one the last is read, times
        adjoints of 0.
        """
        first = start + step
        stop = end + step
        inside = series[max(0, first) : stop]
        if first < 0:
            rest = self.xp.zeros_like(series[:1])
            if before is not None:
                rest = before[None]
            return self.xp.concatenate([rest, inside])
        if stop > len(series):
            last = series[-1:]
            return self.xp.concatenate([inside, last])
        return inside


def parts_of(program: LayerProgram) -> list[StepFunction]:
    """Return the functions that run: once, forward, ahead and backward."""
    constants = [*program.lines.constants]
    states = [*program.lines.lines]
    once = ComputedOnce(program, of_spikes=False)
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
    product = flat @ R
    return product.reshape(rows.shape)
