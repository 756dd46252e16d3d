"""The derived neuron inside loops over samples, steps and spikes: source that can be read.

Surrogates become source by their own formulas, called with a name in place of a number.
The lines of a step are those of :meth:`StepBack.source`, with three changes: numbers have the dtype
of the arrays, ``F(1)``; what holds no state, or a spike alone, is computed before the loops; and
states are read from arrays.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any

from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.slopes import tidy
from stbp_edu.engine.array_source import WRITTEN, ArraySource, Hoisted

STYLE = {**ex.PYTHON, "at_least": ("reached({}, {})", 5, (0, 0))}
TAKEN = re.compile(
    "first|last|below|zero|index|steps?|size|sample|neuron|np|jit|F|reached|settled|erf|len|range"
    r"|min|max|spikes_in|add_rows|add_scaled_rows|forward|backward|k\d+"
    "|(now|last|next|at|each|A|E|G|S)_.*"
)
"""What the loops call something of their own."""
OWN_FUNCTIONS = ("abs", "erf", "exp", "log", "sqrt", "tanh", "where")
"""What a curve calls in the loops without ``np.``."""


class LoopSource(ArraySource):
    """The source of a layer's steps as loops."""

    @cached_property
    def text(self) -> str:
        """The curves and both loops."""
        curve: Any = self.back.neuron.surrogate
        v, xp = ex.Name("v"), Library()
        curves = {
            "spike": curve.twin(v, xp) if self.twin else v >= 0,
            "h": curve.h(v, xp),
        }
        written = (
            f"@jit\ndef {name}(v):\n    return {ex.python(_typed(tree), style=STYLE)}"
            for name, tree in curves.items()
        )
        return "\n\n\n".join([*written, self._forward(), self._backward()]) + "\n"

    def _forward(self) -> str:
        """Return the loop forward."""
        lines, states = self.back.lines.lines, self.back.neuron.order
        hoisted = _Hoisted(self.back, self.twin, self.back.neuron.each)
        drive, last = f"now_{states[0]}", f"last_{self.back.neuron.output}"
        again = f"add_scaled_rows({last}, R, {drive})"
        if self.back.lines.spike and not self.twin:
            again = f"add_rows(R, index, spikes_in({last}, index), {drive})"
        rows = [
            *(f"now_{s} = A_{s}[step, sample]" for s in states),
            *(
                f"last_{s} = A_{s}[step - 1, sample] if step > 0 else zero"
                for s in lines
            ),
            "if len(W) > 0:  # else this array holds the weighted input",
            f"    {drive}[:] = 0",
            f"    add_rows(W, index, spikes_in(below[step, sample], index), {drive})",
            *[again] * self._recurrent,
        ]
        of_neuron = [
            f"x = {drive}[neuron] + b[neuron]",
            *(f"{_free(s)} = last_{s}[neuron]" for s in lines),
            *(f"{_free(s)} = {hoisted.text(line)}" for s, line in lines.items()),
            *(f"now_{s}[neuron] = {_free(s)}" for s in states),
        ]
        once = [
            *hoisted.lines,
            "index = np.empty(max(size, below.shape[2]) + 1, np.int32)",
        ]
        arguments = ["below", "W", "b", *self._given]
        return self._loop("forward", arguments, once, "steps", rows, of_neuron)

    def _backward(self) -> str:
        """Return the loop backward; the first signal is in the row of the first adjoint to keep."""
        back, signals = self.back, [*self.back.signals]
        hoisted = _Hoisted(back, self.twin, back.neuron.each)
        at = {signal: f"now_{signal}" for signal in signals}
        at |= dict.fromkeys(signals[:1], f"now_E_{self.wanted[0]}")
        updates = [row.source(hoisted.text, "F(0)") for row in back.rows]
        again = {signal: head for _, signal, head in back.again}
        read = (d.removesuffix("_next") for d in back.later)
        later = [*dict.fromkeys([*read, *again.values()])]
        kept = [f"E_{name}" for name in self.wanted]
        learned = [row.name[2:] for row in back.rows if row.name.startswith("g_")]
        cut = f" or (step + 1) % {back.rule.block} == 0" if back.rule.block else ""
        rows = [
            f"if step == steps - 1{cut}:  # nothing comes back from later steps",
            *([f"    next_{d}[:] = 0" for d in later] or ["    pass"]),
            *(f"at_{a} = {_place(a)}" for a in back.reads),
            *(f"now_{a} = {a}[step, sample]" for a in kept),
            *(f"now_{a} = S_{a}[step, sample]" for a in signals[1:]),
            *(
                f"add_scaled_rows(next_{d}, R, {at[signal]})"
                for signal, d in again.items()
            ),
        ]
        of_neuron = [
            *(f"{_free(a)} = at_{a}[neuron]" for a in back.reads),
            *(f"{d} = next_{d.removesuffix('_next')}[neuron]" for d in back.later),
            *(f"{name} = {row}[neuron]" for name, row in at.items()),
            *self._held(hoisted),
            *updates,
            *(f"{d} = settled({d})" for d in dict.fromkeys([*self.wanted, *later])),
            *(f"now_{a}[neuron] = {a[2:]}" for a in kept),
            *(f"next_{d}[neuron] = {d}" for d in later),
            f"G_b[sample, neuron] += {back.start}",
            *(f"G_{name}[sample, neuron] += g_{name}" for name in learned),
        ]
        once = [*hoisted.lines, *(f"next_{d} = np.zeros(size, F)" for d in later)]
        own = [
            *(f"S_{name}" for name in signals[1:]),
            *kept,
            "G_b",
            *(f"G_{k}" for k in learned),
        ]
        steps = "steps - 1, -1, -1"
        return self._loop(
            "backward", [*self._given, *own], once, steps, rows, of_neuron
        )

    def _loop(
        self,
        name: str,
        arguments: list[str],
        once: list[str],
        steps: str,
        rows: list[str],
        of_neuron: list[str],
    ) -> str:
        """Return a loop, from what is done once, with the rows of a step, and for a neuron."""
        head = f"def {name}({', '.join(['first', 'last', *arguments])}):"
        each = [f"{_free(c)} = each_{c}[neuron]" for c in self.back.neuron.each]
        depths = (
            (1, [f"steps, _, size = A_{self.back.neuron.order[0]}.shape"]),
            (
                1,
                [
                    "zero = np.zeros(size, F)",
                    *once,
                    "for sample in range(first, last):",
                ],
            ),
            (2, [f"for step in range({steps}):"]),
            (3, [*rows, "for neuron in range(size):"]),
            (4, [*each, *of_neuron]),
        )
        body = ("    " * depth + line for depth, lines in depths for line in lines)
        wrapped = textwrap.wrap(head, 96, subsequent_indent=" " * (len(name) + 5))
        return "\n".join(["@jit", *wrapped, *body])

    @property
    def _recurrent(self) -> bool:
        """Whether the layer has recurrent weights."""
        return self.back.net.layers[self.back.n].recurrent is not None

    @property
    def _given(self) -> list[str]:
        """The arguments that both loops take: parameters and states."""
        each, states = self.back.neuron.each, self.back.neuron.order
        own = [
            f"each_{c}" if c in each else _free(c) for c in self.back.lines.constants
        ]
        return ["R"] * self._recurrent + own + [f"A_{s}" for s in states]

    def _held(self, hoisted: _Hoisted) -> Iterator[str]:
        """Yield the lines that hold the gain of each adjoint from step to step within a limit."""
        if (limit := self.back.rule.gain_limit) is None:
            return
        sums = {row.name: row.terms for row in self.back.rows}

        def gain(name: str, later: str) -> ex.Expression:
            """Return the factor with which an adjoint of the next step comes back to another."""
            total: ex.Expression = ex.ONE if name == later else ex.ZERO
            for factor, head in sums.get(name, ()):
                total += factor * gain(head, later)
            return total

        for name in self.back.later:
            own = hoisted.text(tidy(gain(name.removesuffix("_next"), name)))
            yield f"{name} *= F({limit}) / max(abs({own}), F({limit}))  # gain-limit"


def _place(argument: str) -> str:
    """Return where the values of a state stand that a step back reads."""
    state, _, when = argument.rpartition("_")
    if when == "last":
        return f"A_{state}[step - 1, sample] if step > 0 else zero"
    if when == "next":
        return f"A_{state}[min(step + 1, steps - 1), sample]"
    return f"A_{argument}[step, sample]"


def _free(name: str) -> str:
    """Return a name of the reader's that means nothing else in the loops."""
    return f"{name}_" if TAKEN.fullmatch(name) else name


class _Hoisted(Hoisted):
    """There are two values of a function of a spike, of which one is chosen."""

    letter = "k"

    def written(self, tree: ex.Expression) -> str:
        """Return an expression, its numbers in the dtype of the arrays."""
        name = lambda n: n.name if n.when == WRITTEN else _free(n.name)  # noqa: E731
        return ex.python(_typed(tree), name, STYLE)

    def of_spike(
        self, spike: ex.Name, low: ex.Expression, high: ex.Expression
    ) -> ex.Expression:
        """Return the choice."""
        at_0, at_1 = self.named(low), self.named(high)
        return ex.Name(
            f"({at_1.name} if {_free(spike.name)} > 0 else {at_0.name})", WRITTEN
        )


def _typed(tree: ex.Expression) -> ex.Expression:
    """Return an expression with ``F(1)`` for 1, but in exponents."""
    match tree:
        case ex.Number(value):
            return ex.Name(f"F({value})", WRITTEN)
        case ex.Call("**", (a, ex.Number(int()) as power)):
            return ex.Call("**", (_typed(a), power))
        case ex.Call(op, args):
            return ex.Call(op, tuple(map(_typed, args)))
    return tree


class Library:
    """The part of NumPy that curves use, for expressions."""

    def __getattr__(self, name: str) -> Callable[..., ex.Call]:
        """Return what makes a call of the function of this name: one of the loops' or NumPy's."""
        return partial(ex.call, name if name in OWN_FUNCTIONS else f"np.{name}")

    @staticmethod
    def clip(v: ex.Expression, low: float | None, high: float | None) -> ex.Expression:
        """Return a value within bounds."""
        v = v if low is None else ex.call("max", v, low)
        return v if high is None else ex.call("min", v, high)

    @staticmethod
    def ones_like(_: ex.Expression) -> float:
        """Return 1."""
        return 1.0
