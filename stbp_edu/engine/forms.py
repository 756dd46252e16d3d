"""The forms in which a neuron's program runs, each to be compared with what knows nothing of it.

They are the text that is shown, which is executed as it is; the functions on arrays that are
made of it; and the loops, as Python runs them and compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows import Rule
from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.arrows.step.shown_program import text_of
from stbp_edu.arrows.table import Table
from stbp_edu.engine import Program
from stbp_edu.engine.array_program import Arrays
from stbp_edu.engine.array_steps import ArraySteps, constants_of, norm
from stbp_edu.engine.compiled import CompiledSteps
from stbp_edu.engine.program import flat


@dataclass(frozen=True)
class ShownSteps:
    """The steps of one layer, by the text of its program: see :class:`.array_steps.ArraySteps`.

    It does what the text says of the first and the last step, and computes nothing ahead.
    """

    program: LayerProgram
    wanted: tuple[str, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """The states, in the order in which a step computes them."""
        return self.program.neuron.order

    @cached_property
    def functions(self) -> dict[str, Any]:
        """The functions of the text."""
        space: dict[str, Any] = {
            "spike": lambda v: (v >= 0) * 1.0,
            "h": self.program.neuron.surrogate.derivative,
            "norm": norm,
        }
        exec(text_of(self.program), space)
        return space

    def forward(self, states: Arrays, p: Arrays, spikes: Array | None = None) -> None:
        """Fill the states of all steps."""
        lines = [*self.program.lines.lines]
        output = self.program.neuron.output
        step_forward = self.functions["forward"]
        drive = states[self.states[0]].copy()
        constants = constants_of(self.program, p, drive.dtype)
        last = [np.zeros_like(drive[0]) for _ in lines]
        for t in range(len(drive)):
            x = drive[t] + p["b"]
            if "R" in p and t:
                sent = states[output][t - 1]
                x = x + sent @ p["R"].T
            last = step_forward(*last, x, *constants)
            if "x" in states:
                states["x"][t] = x
            for name, value in zip(lines, last, strict=True):
                if name in states:
                    states[name][t] = value

    def backward(
        self, found: Arrays, states: Arrays, p: Arrays, signals: Arrays
    ) -> dict[str, Array]:
        """Fill the adjoints to keep; return the gradients by sample and neuron, (S, m) each."""
        program = self.program
        step_back = self.functions["backward"]
        some = states[self.states[0]]
        zero = np.zeros_like(some[0])
        heard = {name: series.copy() for name, series in signals.items()}
        sums = {name: zero for name in program.gradients}
        after: dict[str, Any] = {}
        for t in reversed(range(len(some))):
            if program.rule.ends_block(t):
                after = {}
            given = self._given(t, states, after, p)
            for name, series in heard.items():
                given[name] = series[t]
            for _, signal, head in program.from_recurrence:
                if head in after:
                    again = after[head] @ p["R"]
                    given[signal] = heard[signal][t] + again
            results = step_back(**given)
            after = {}
            for name, value in zip(program.backward.results, results, strict=True):
                after[name] = zero + value
            for name, series in found.items():
                series[t] = after[name]
            for constant, name in program.gradients.items():
                sums[constant] = sums[constant] + after[name]
        start = found[self.wanted[0]]
        return {"b": start.sum(axis=0), **sums}

    def _given(
        self, t: int, states: Arrays, after: dict[str, Any], p: Arrays
    ) -> dict[str, Any]:
        """Return all that a step back reads but signals: constants, states, and later adjoints."""
        program = self.program
        names = program.names
        some = states[self.states[0]]
        zero = np.zeros_like(some[0])
        last_step = len(some) - 1
        constants = constants_of(program, p, some.dtype)
        given: dict[str, Any] = dict(
            zip(program.lines.constants, constants, strict=True)
        )
        for one in program.states_read:
            step = min(t + one.step, last_step)
            given[names[one]] = zero
            if step >= 0:
                given[names[one]] = states[one.of][step]
        for one in program.next_adjoints:
            this_step = names[replace(one, step=0)]
            given[names[one]] = after.get(this_step, zero)
        return given


def as_shown(steps: ArraySteps) -> ShownSteps:
    """Return a layer's steps by the text of its program."""
    return ShownSteps(steps.program, steps.wanted)


def on_arrays(steps: ArraySteps) -> ArraySteps:
    """Return a layer's steps as NumPy runs them."""
    return steps


def as_loops(steps: ArraySteps) -> CompiledSteps:
    """Return a layer's steps as loops that Python runs."""
    return CompiledSteps(steps.program, steps.wanted, by_python=True)


def as_compiled(steps: ArraySteps) -> CompiledSteps:
    """Return a layer's steps as compiled loops."""
    return CompiledSteps(steps.program, steps.wanted)


Form = Callable[[Table, Rule, Any, Array, Array], tuple[list[Arrays], list[Any]]]
"""Returns states and gradients of a network under a rule, from parameters, inputs, direct term."""


def run(
    kind: Callable[[ArraySteps], Any],
    net: Table,
    rule: Rule,
    params: Any,
    inputs: Array,
    direct: Array,
) -> tuple[list[Arrays], list[Any]]:
    """Return the states of every layer and the gradients, by the steps of one form."""
    program = Program(net, rule, "numpy")
    layers = [None, *(kind(steps) for steps in program.layers[1:])]
    passes = replace(program.passes(params), layers=layers)
    states = passes.forward(flat(inputs))
    direct_of = {net.loss.state: flat(direct)}
    return states, passes.gradients(states, direct_of)


FORMS: dict[str, Form] = {
    "as shown": partial(run, as_shown),
    "on arrays": partial(run, on_arrays),
    "in loops": partial(run, as_loops),
}
"""The forms that are quick to make."""
COMPILED: Form = partial(run, as_compiled)
"""Compiled loops, which take seconds."""
IN_PYTORCH: dict[str, Form] = {}
"""The form of :mod:`stbp_edu.torch`, which puts it here when it is imported."""
