"""A layer's program in loops over samples, steps and neurons: source that is compiled.

The functions of a step are those that are shown, on one neuron's numbers. They differ in two ways:
numbers have the dtype of the arrays, ``_F(1)``, and what only constants decide, or a spike with
them, is computed once, before the loops. So the reader's names meet no name of the loops, which
begin theirs with a letter for each kind of array: A a state, E an adjoint, S a signal, G a sum.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.layer_program import LayerProgram
from stbp_edu.arrows.lines.step_functions import StepFunction
from stbp_edu.engine.computed_once import ComputedOnce, one_of_two

STYLE = {**ex.PYTHON, "choose": ("({2} if {0} > 0 else {1})", 5, (1, 1, 1))}
OWN_FUNCTIONS = ("abs", "erf", "exp", "log", "sqrt", "tanh", "where")
"""What a curve calls in the loops without ``np.``."""
INDENT = "    "
Lines = list[str]


@dataclass(frozen=True)
class LoopSource:
    """The source of a layer's loops.

    Attributes:
        program: the layer's program.
        wanted: the adjoints to keep, that of what the parameters enter first.
        twin: whether the smooth twin H takes the place of the spike.
    """

    program: LayerProgram
    wanted: tuple[str, ...]
    twin: bool = False

    @cached_property
    def text(self) -> str:
        """The curves, the functions of a step, and the loops around them."""
        parts = [*self._curves(), self._forward(), self._backward()]
        parts += [step.source(written) for step in self._steps if step.lines]
        return "\n\n\n".join(f"@jit\n{part}" for part in parts) + "\n"

    def _curves(self) -> Lines:
        """Return the spike and h of a number."""
        curve: Any = self.program.neuron.surrogate
        v, library = ex.Name("v"), FormulaLibrary()
        spike = curve.twin(v, library) if self.twin else v >= 0
        curves = {"spike": spike, "h": curve.h(v, library)}
        return [
            f"def {name}(v):\n    return {written(tree)}"
            for name, tree in curves.items()
        ]

    @cached_property
    def _once(self) -> dict[str, ComputedOnce]:
        """What constants decide in each direction."""
        each = self.program.neuron.each
        return {
            name: ComputedOnce(self.program, one_of_two, self.twin, each)
            for name in ("forward", "backward")
        }

    @cached_property
    def _steps(self) -> list[StepFunction]:
        """The functions of a step, and of what is computed once, in each direction."""
        found = []
        for function in self.program.functions:
            once = self._once[function.name]
            lines = [once.line(line) for line in function.lines]
            shared = [*self._shared]
            own = once.function(shared)
            found.append(replace(own, name=f"once_{function.name}"))
            found.append(
                replace(
                    function,
                    name=f"step_{function.name}",
                    arguments=[*function.arguments, *once.names.values()],
                    lines=lines,
                    says="",
                )
            )
        return found

    @property
    def _shared(self) -> list[str]:
        """The constants that all neurons share."""
        each = self.program.neuron.each
        return [name for name in self.program.lines.constants if name not in each]

    def _before(self, direction: str) -> Lines:
        """Return the lines before the loops."""
        first = self.program.neuron.order[0]
        lines = [f"steps, _, size = A_{first}.shape", "zero = np.zeros(size, _F)"]
        _ = self._steps  # which says what is computed once
        if names := [*self._once[direction].names.values()]:
            given = ", ".join(f"c_{name}" for name in self._shared)
            target = f"{names[0]}," if len(names) == 1 else ", ".join(names)
            lines.append(f"{target} = once_{direction}({given})")
        return lines

    def _known(self, direction: str) -> Lines:
        """Return the last arguments of a step: constants, and what is computed once."""
        each = self.program.neuron.each
        found = [
            f"each_{name}[neuron]" if name in each else f"c_{name}"
            for name in self.program.lines.constants
        ]
        return [*found, *self._once[direction].names.values()]

    def _forward(self) -> str:
        """Return the loop forward."""
        program = self.program
        lines, states = [*program.lines.lines], program.neuron.order
        drive, last = f"now_{states[0]}", f"last_{program.neuron.output}"
        before = self._before("forward")
        if self._recurrent:
            before.append("index = np.empty(size + 1, np.int32)")
        rows = [f"now_{s} = A_{s}[step, sample]" for s in states]
        rows += [f"last_{s} = {_row(s, -1)}" for s in lines]
        if self._recurrent and program.lines.spike and not self.twin:
            rows.append(f"add_rows(R, index, spikes_in({last}, index), {drive})")
        elif self._recurrent:
            rows.append(f"add_scaled_rows({last}, R, {drive})")
        given = [*(f"last_{s}[neuron]" for s in lines), "x", *self._known("forward")]
        places = [f"now_{s}[neuron]" for s in lines]
        of_neuron = [
            f"x = {drive}[neuron] + b[neuron]",
            *_called("step_forward", places, given),
        ]
        if "x" in states:
            of_neuron.append("now_x[neuron] = x")
        return _loop("forward", ["b", *self._arrays], before, "steps", rows, of_neuron)

    def _backward(self) -> str:
        """Return the loop backward; the first signal is in the row of the first adjoint to keep."""
        program, names = self.program, self.program.names
        signals, first = [*program.signals], f"now_E_{self.wanted[0]}"
        at = {signal: f"now_S_{signal}" for signal in signals}
        at.update(dict.fromkeys(signals[:1], first))
        passed = [names[replace(one, step=0)] for one in program.next_adjoints]
        again = {signal: head for _, signal, head in program.from_recurrence}
        later = [*dict.fromkeys([*passed, *again.values()])]
        learned = program.gradients

        last = "step == steps - 1"
        if program.rule.block:
            last += f" or (step + 1) % {program.rule.block} == 0"
        rows = [f"if {last}:  # nothing comes back from later steps"]
        rows += [f"{INDENT}next_{d}[:] = 0" for d in later] or [f"{INDENT}pass"]
        rows += [
            f"at_{names[one]} = {_row(one.of, one.step)}" for one in program.states_read
        ]
        rows += [f"now_E_{d} = E_{d}[step, sample]" for d in self.wanted]
        rows += [f"now_S_{s} = S_{s}[step, sample]" for s in signals[1:]]
        rows += [
            f"add_scaled_rows(next_{head}, R, {at[signal]})"
            for signal, head in again.items()
        ]

        given = [f"at_{names[one]}[neuron]" for one in program.states_read]
        given += [f"{at[signal]}[neuron]" for signal in sorted(signals)]
        given += [f"next_{d}[neuron]" for d in passed]
        of_neuron = _called(
            "step_backward",
            program.backward.results,
            [*given, *self._known("backward")],
        )
        kept = [*dict.fromkeys([*self.wanted, *later])]
        of_neuron += [f"{d} = settled({d})" for d in kept]
        of_neuron += [f"now_E_{d}[neuron] = {d}" for d in self.wanted]
        of_neuron += [f"next_{d}[neuron] = {d}" for d in later]
        of_neuron.append(f"G_b[sample, neuron] += {program.start}")
        of_neuron += [f"G_{c}[sample, neuron] += {g}" for c, g in learned.items()]

        before = self._before("backward")
        before += [f"next_{d} = np.zeros(size, _F)" for d in later]
        own = [f"S_{signal}" for signal in signals[1:]]
        own += [f"E_{d}" for d in self.wanted] + ["G_b"] + [f"G_{c}" for c in learned]
        steps = "steps - 1, -1, -1"
        return _loop("backward", [*self._arrays, *own], before, steps, rows, of_neuron)

    @property
    def _recurrent(self) -> bool:
        """Whether the layer has recurrent weights."""
        return self.program.net.layers[self.program.n].recurrent is not None

    @property
    def _arrays(self) -> list[str]:
        """The arguments that both loops take: recurrent weights, constants and states."""
        each, found = self.program.neuron.each, ["R"] if self._recurrent else []
        found += [
            f"each_{name}" if name in each else f"c_{name}"
            for name in self.program.lines.constants
        ]
        return found + [f"A_{s}" for s in self.program.neuron.order]


def _row(state: str, step: int) -> str:
    """Return where the values of a state are, at this step or next to it."""
    if step < 0:
        return f"A_{state}[step - 1, sample] if step > 0 else zero"
    if step > 0:
        return f"A_{state}[min(step + 1, steps - 1), sample]"
    return f"A_{state}[step, sample]"


def _called(name: str, targets: Sequence[str], given: Lines) -> Lines:
    """Return the call of a function whose results go to some places."""
    left = f"{targets[0]}," if len(targets) == 1 else ", ".join(targets)
    line = f"{left} = {name}({', '.join(given)})"
    if len(line) <= 80:
        return [line]
    inside = textwrap.wrap(", ".join(given), 72, break_long_words=False)
    return [f"{left} = {name}(", *(INDENT + part for part in inside), ")"]


def _loop(
    name: str,
    arguments: list[str],
    before: Lines,
    steps: str,
    rows: Lines,
    of_neuron: Lines,
) -> str:
    """Return a loop, from the lines before it, those of a step, and those for a neuron."""
    head = f"def {name}({', '.join(['first', 'last', *arguments])}):"
    wrapped = textwrap.wrap(head, 96, subsequent_indent=" " * (len(name) + 5))
    body = [INDENT + line for line in [*before, "for sample in range(first, last):"]]
    body.append(f"{2 * INDENT}for step in range({steps}):")
    body += [3 * INDENT + line for line in [*rows, "for neuron in range(size):"]]
    body += [4 * INDENT + line for line in of_neuron]
    return "\n".join([*wrapped, *body])


def written(tree: ex.Expression) -> str:
    """Return an expression as source, its numbers in the dtype of the arrays."""
    return ex.python(_typed(ex.written_out(tree)), style=STYLE)


def _typed(tree: ex.Expression) -> ex.Expression:
    """Return an expression with ``_F(1)`` for 1, except in exponents."""
    match tree:
        case ex.Number(value):
            return ex.Name(f"_F({value})")
        case ex.Call("**", (a, ex.Number(int()) as power)):
            return ex.Call("**", (_typed(a), power))
        case ex.Call(op, args):
            return ex.Call(op, tuple(map(_typed, args)))
    return tree


class FormulaLibrary:
    """The part of NumPy that curves use, for expressions."""

    def __getattr__(self, name: str) -> Callable[..., ex.Call]:
        """Return a writer of calls of this function: one of the loops' or NumPy's."""
        return partial(ex.call, name if name in OWN_FUNCTIONS else f"np.{name}")

    @staticmethod
    def clip(v: ex.Expression, low: float | None, high: float | None) -> ex.Expression:
        """Return a value within bounds."""
        if low is not None:
            v = ex.call("max", v, low)
        if high is not None:
            v = ex.call("min", v, high)
        return v

    @staticmethod
    def ones_like(_: ex.Expression) -> float:
        """Return 1."""
        return 1.0
