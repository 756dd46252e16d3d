"""A layer's program in loops over samples, steps and neurons: source that is compiled.

The functions of a step are those that are shown, on one neuron's numbers. They differ in two ways:
numbers have the dtype of the arrays, ``_F(1)``, and what only constants decide, or a spike with
them, is computed once, before the loops. So the reader's names meet no name of the loops, which
begin theirs with a letter for each kind of array: A a state, E an adjoint, S a signal, G a sum.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.arrows.step.step_functions import StepFunction
from stbp_edu.engine import trees as ex
from stbp_edu.engine.array_program import passed_on
from stbp_edu.engine.computed_once import ComputedOnce

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
        steps = [step.source(_of_lines) for step in self._steps if step.lines]
        parts = [*self._curves(), self._forward(), self._backward(), *steps]
        compiled = [f"@jit\n{part}" for part in parts]
        return "\n\n\n".join(compiled) + "\n"

    def _curves(self) -> Lines:
        """Return the spike and h of a number."""
        curve: Any = self.program.neuron.surrogate
        v = ex.Name("v")
        library = FormulaLibrary()
        spike = curve.twin(v, library) if self.twin else v >= 0
        h = curve.h(v, library)
        return [
            f"def spike(v):\n    return {written(spike)}",
            f"def h(v):\n    return settled({written(h)})",
        ]

    @cached_property
    def _once(self) -> dict[str, ComputedOnce]:
        """What constants decide in each direction."""
        program = self.program
        given = program, not self.twin, program.neuron.each
        return {"forward": ComputedOnce(*given), "backward": ComputedOnce(*given)}

    @cached_property
    def _steps(self) -> list[StepFunction]:
        """The functions of a step, and of what is computed once, in each direction."""
        found = []
        for function in self.program.functions:
            direction = function.name
            once = self._once[direction]
            lines = [once.line(line) for line in function.lines]
            arguments = [*function.arguments, *once.names.values()]
            own = once.function(self._shared)
            step = StepFunction(
                name=f"step_{direction}",
                arguments=arguments,
                lines=lines,
                results=function.results,
            )
            found += [replace(own, name=f"once_{direction}"), step]
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
        names = [*self._once[direction].names.values()]
        if names:
            given = ", ".join(f"c_{name}" for name in self._shared)
            lines.append(f"{_targets(names)} = once_{direction}({given})")
        return lines

    def _known(self, direction: str) -> Lines:
        """Return the last arguments of a step: constants, and what is computed once."""
        found = []
        for name in self._constants:
            if name.startswith("each_"):
                name += "[neuron]"
            found.append(name)
        return [*found, *self._once[direction].names.values()]

    def _forward(self) -> str:
        """Return the loop forward."""
        program = self.program
        lines, states = [*program.lines.lines], program.neuron.order
        drive = f"now_{states[0]}"
        before = self._before("forward")
        rows = [f"now_{s} = A_{s}[step, sample]" for s in states]
        rows += [f"last_{s} = {_row(s, -1)}" for s in lines]
        if self._recurrent:
            before.append("index = np.empty(size + 1, np.int32)")
            last = f"last_{program.neuron.output}"
            if program.lines.spike and not self.twin:
                rows.append(f"add_rows(R, index, spikes_in({last}, index), {drive})")
            else:
                rows.append(f"add_scaled_rows({last}, R, {drive})")
        of_neuron = [f"x = {drive}[neuron] + b[neuron]"]
        given = [f"last_{s}[neuron]" for s in lines]
        given += ["x", *self._known("forward")]
        places = [f"now_{s}[neuron]" for s in lines]
        of_neuron += _called("step_forward", places, given)
        if "x" in states:
            of_neuron.append("now_x[neuron] = x")
        return _loop(
            name="forward",
            arguments=["b", *self._arrays],
            before=before,
            steps="steps",
            rows=rows,
            of_neuron=of_neuron,
        )

    def _backward(self) -> str:
        """Return the loop backward; the first signal is in the row of the first adjoint to keep."""
        before = self._before("backward")
        before += [f"next_{d} = np.zeros(size, _F)" for d in self._later]
        others = [*self.program.signals][1:]
        arguments = [*self._arrays, *(f"S_{signal}" for signal in others)]
        arguments += [f"E_{d}" for d in self.wanted]
        arguments.append("G_b")
        arguments += [f"G_{constant}" for constant in self.program.gradients]
        return _loop(
            name="backward",
            arguments=arguments,
            before=before,
            steps="steps - 1, -1, -1",
            rows=self._rows_back(),
            of_neuron=self._neuron_back(),
        )

    def _rows_back(self) -> Lines:
        """Return the lines of a step back that are for all neurons at once."""
        program = self.program
        names = program.names
        last = "step == steps - 1"
        if program.rule.block:
            last += f" or (step + 1) % {program.rule.block} == 0"
        cut = [f"{INDENT}next_{d}[:] = 0" for d in self._later]
        if not cut:
            cut = [f"{INDENT}pass"]
        rows = [f"if {last}:  # nothing comes back from later steps", *cut]
        read = program.states_read
        rows += [f"at_{names[one]} = {_row(one.of, one.step)}" for one in read]
        others = [*program.signals][1:]
        rows += [f"now_E_{d} = E_{d}[step, sample]" for d in self.wanted]
        rows += [f"now_S_{s} = S_{s}[step, sample]" for s in others]
        for signal, head in self._again.items():
            row = self._row_of(signal)
            rows.append(f"add_scaled_rows(next_{head}, R, {row})")
        return rows

    def _neuron_back(self) -> Lines:
        """Return the lines of a step back for one neuron."""
        program = self.program
        names = program.names
        given = [f"at_{names[one]}[neuron]" for one in program.states_read]
        given += [f"{self._row_of(s)}[neuron]" for s in sorted(program.signals)]
        given += [f"next_{d}[neuron]" for d in passed_on(program)]
        given += self._known("backward")
        lines = _called("step_backward", program.backward.results, given)
        kept = dict.fromkeys([*self.wanted, *self._later])
        lines += [f"{d} = settled({d})" for d in kept]
        lines += [f"now_E_{d}[neuron] = {d}" for d in self.wanted]
        lines += [f"next_{d}[neuron] = {d}" for d in self._later]
        lines.append(f"G_b[sample, neuron] += {program.start}")
        for constant, g in program.gradients.items():
            lines.append(f"G_{constant}[sample, neuron] += {g}")
        return lines

    def _row_of(self, signal: str) -> str:
        """Return the row in which a signal is."""
        first = next(iter(self.program.signals))
        if signal == first:
            return f"now_E_{self.wanted[0]}"
        return f"now_S_{signal}"

    @cached_property
    def _again(self) -> dict[str, str]:
        """By signal to which recurrent weights add, the adjoint that they multiply."""
        return {signal: head for _, signal, head in self.program.from_recurrence}

    @cached_property
    def _later(self) -> list[str]:
        """The adjoints that the step before reads."""
        every = [*passed_on(self.program), *self._again.values()]
        return [*dict.fromkeys(every)]

    @property
    def _recurrent(self) -> bool:
        """Whether the layer has recurrent weights."""
        layer = self.program.net.layers[self.program.n]
        return layer.recurrent is not None

    @property
    def _arrays(self) -> list[str]:
        """The arguments that both loops take: recurrent weights, constants and states."""
        found = []
        if self._recurrent:
            found.append("R")
        found += self._constants
        return found + [f"A_{s}" for s in self.program.neuron.order]

    @property
    def _constants(self) -> list[str]:
        """The names of the constants in the loops: those of each neuron are arrays."""
        each = self.program.neuron.each
        names = []
        for constant in self.program.lines.constants:
            kind = "each" if constant in each else "c"
            names.append(f"{kind}_{constant}")
        return names


def _row(state: str, step: int) -> str:
    """Return where the values of a state are, at this step or next to it."""
    if step < 0:
        return f"A_{state}[step - 1, sample] if step > 0 else zero"
    if step > 0:
        return f"A_{state}[min(step + 1, steps - 1), sample]"
    return f"A_{state}[step, sample]"


def _called(name: str, targets: Sequence[str], given: Lines) -> Lines:
    """Return the call of a function whose results go to some places."""
    left = _targets(targets)
    whole = ", ".join(given)
    line = f"{left} = {name}({whole})"
    if len(line) <= 80:
        return [line]
    inside = textwrap.wrap(whole, 72, break_long_words=False)
    return [f"{left} = {name}(", *(INDENT + part for part in inside), ")"]


def _targets(names: Sequence[str]) -> str:
    """Return the left side of an assignment of a tuple."""
    if len(names) == 1:
        return f"{names[0]},"
    return ", ".join(names)


def _loop(
    name: str,
    arguments: list[str],
    before: Lines,
    steps: str,
    rows: Lines,
    of_neuron: Lines,
) -> str:
    """Return a loop, from the lines before it, those of a step, and those for a neuron."""
    whole = ", ".join(["first", "last", *arguments])
    under = " " * len(f"def {name}(")
    head = textwrap.wrap(f"def {name}({whole}):", 96, subsequent_indent=under)
    of_sample = [f"for step in range({steps}):", *_indented(rows)]
    of_sample += _indented(["for neuron in range(size):", *_indented(of_neuron)])
    body = [*before, "for sample in range(first, last):", *_indented(of_sample)]
    return "\n".join([*head, *_indented(body)])


def _indented(lines: Lines) -> Lines:
    """Return lines as those of a block."""
    return [INDENT + line for line in lines]


def _of_lines(tree: ast.expr) -> str:
    """Return an expression of the lines as source."""
    return written(ex.tree_of(tree))


def written(tree: ex.Expression) -> str:
    """Return an expression as source, its numbers in the dtype of the arrays."""
    in_full = ex.written_out(tree)
    return ex.python(_typed(in_full), style=STYLE)


def _typed(tree: ex.Expression) -> ex.Expression:
    """Return an expression with ``_F(1)`` for 1, except in exponents."""
    match tree:
        case ex.Number(value):
            return ex.Name(f"_F({value})")
        case ex.Call("**", (a, ex.Number(int()) as power)):
            return ex.Call("**", (_typed(a), power))
        case ex.Call(op, args):
            typed = [_typed(arg) for arg in args]
            return ex.Call(op, tuple(typed))
    return tree


class FormulaLibrary:
    """The part of NumPy that curves use, for expressions."""

    def __getattr__(self, name: str) -> Callable[..., ex.Call]:
        """Return a writer of calls of this function: one of the loops' or NumPy's."""
        if name not in OWN_FUNCTIONS:
            name = f"np.{name}"
        return partial(ex.call, name)

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
