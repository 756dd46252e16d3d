"""The derived neuron inside loops over samples, steps and spikes: source that can be read.

Surrogates become source by their own formulas, called with what writes instead of computing.
The lines of a step are those of :meth:`StepBack.source`, with three changes: numbers have the dtype
of the arrays, ``F(1)``; what holds no state, or a spike alone, is computed before the loops; and
states are read from arrays.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stbp_edu.arrows.lines.expressions import (
    ONE,
    PYTHON,
    ZERO,
    Call,
    Expression,
    Name,
    Number,
    python,
)
from stbp_edu.arrows.lines.program import StepBack
from stbp_edu.arrows.lines.slopes import tidy
from stbp_edu.arrows.rules import gain_groups
from stbp_edu.engine.array_source import Hoisted

STYLE = {**PYTHON, "at_least": ("reached({}, {})", 5, (0, 0))}
WRITTEN = "written"
"""Marks a name that is a piece of source already."""
TAKEN = re.compile(
    "first|last|below|zero|index|steps?|size|sample|neuron|np|jit|F|reached|settled|erf|len|range"
    r"|min|max|spikes_in|add_rows|add_scaled_rows|forward|backward|k\d+"
    "|(now|last|next|at|each|A|E|G|S)_.*"
)
"""What the loops call something of their own."""


@dataclass
class LoopSource:
    """The source of one layer's loops.

    Attributes:
        back: the step back, which knows network, layer and rule.
        wanted: the adjoints that are kept for every step.
        twin: whether the smooth twin H stands in place of the spike.
    """

    back: StepBack
    wanted: Sequence[str]
    twin: bool = False

    def __post_init__(self) -> None:
        """Find the states and the constants; of the latter, some have a value for each neuron."""
        neuron = self.back.neuron
        self.states, self.constants = list(neuron.order), list(self.back.lines.constants)
        self.each = list(neuron.each)
        self.recurrent = self.back.net.layers[self.back.n].recurrent is not None
        self.signals = list(self.back.signals)

    @cached_property
    def text(self) -> str:
        """The curves and both loops."""
        curves = curve_source(self.back.neuron.surrogate, self.twin)
        return "\n".join([*curves, *self._forward(), *("", ""), *self._backward(), ""])

    @property
    def given(self) -> list[str]:
        """The arguments that both loops take: parameters and states."""
        own = [f"each_{c}" if c in self.each else _free(c) for c in self.constants]
        return ["R"] * self.recurrent + own + [f"A_{s}" for s in self.states]

    def _forward(self) -> list[str]:
        """Return the loop forward."""
        lines, hoisted = self.back.lines.lines, self._hoisted()
        drive, output = f"now_{self.states[0]}", f"last_{self.back.neuron.output}"
        lasts = (f"last_{s} = A_{s}[step - 1, sample] if step > 0 else zero" for s in lines)
        updates = [f"{_free(state)} = {hoisted.text(line)}" for state, line in lines.items()]
        again = [f"add_scaled_rows({output}, R, {drive})"]
        if self.back.lines.spike and not self.twin:
            again = [f"add_rows(R, index, spikes_in({output}, index), {drive})"]
        return [
            *_head("forward", ["first", "last", "below", "W", "b", *self.given]),
            *self._top(hoisted),
            "    index = np.empty(max(size, below.shape[2]) + 1, np.int32)",
            "    for sample in range(first, last):",
            "        for step in range(steps):",
            *_indented(3, (f"now_{s} = A_{s}[step, sample]" for s in self.states)),
            *_indented(3, lasts),
            "            if len(W) > 0:  # else this array holds the weighted input",
            f"                {drive}[:] = 0",
            f"                add_rows(W, index, spikes_in(below[step, sample], index), {drive})",
            *_indented(3, again if self.recurrent else []),
            "            for neuron in range(size):",
            *_indented(4, (f"{_free(c)} = each_{c}[neuron]" for c in self.each)),
            f"                x = {drive}[neuron] + b[neuron]",
            *_indented(4, (f"{_free(s)} = last_{s}[neuron]" for s in lines)),
            *_indented(4, updates),
            *_indented(4, (f"now_{s}[neuron] = {_free(s)}" for s in self.states)),
        ]

    def _backward(self) -> list[str]:
        """Return the loop backward."""
        back, hoisted = self.back, self._hoisted()
        updates = [row.source(hoisted.text, "F(0)") for row in back.rows]
        read = [a for a in back.arguments if a.startswith("d_")]
        again = {signal: head for _, signal, head in back.again}
        later = [*dict.fromkeys([*(a.removesuffix("_next") for a in read), *again.values()])]
        states = [a for a in back.arguments if a not in (*read, *self.signals)]
        kept = [f"E_{name}" for name in self.wanted]
        learned = [row.name[2:] for row in back.rows if row.name.startswith("g_")]
        cut = f" or (step + 1) % {back.rule.block} == 0" if back.rule.block else ""
        given = ["first", "last", *self.given, *(f"S_{name}" for name in self.signals[1:])]
        return [
            *_head("backward", [*given, *kept, "G_b", *(f"G_{name}" for name in learned)]),
            *self._top(hoisted),
            *_indented(1, (f"next_{d} = np.zeros(size, F)" for d in later)),
            "    for sample in range(first, last):",
            "        for step in range(steps - 1, -1, -1):",
            f"            if step == steps - 1{cut}:  # nothing comes back from later steps",
            *_indented(4, [f"next_{d}[:] = 0" for d in later] or ["pass"]),
            *_indented(3, (f"at_{a} = {_place(a)}" for a in states)),
            *_indented(3, (f"now_{a} = {a}[step, sample]" for a in kept)),
            *_indented(3, (f"now_{a} = S_{a}[step, sample]" for a in self.signals[1:])),
            *_indented(
                3, (f"add_scaled_rows(next_{d}, R, {self._row(k)})" for k, d in again.items())
            ),
            "            for neuron in range(size):",
            *_indented(4, (f"{_free(c)} = each_{c}[neuron]" for c in self.each)),
            *_indented(4, (f"{_free(a)} = at_{a}[neuron]" for a in states)),
            *_indented(4, (f"{d} = next_{d.removesuffix('_next')}[neuron]" for d in read)),
            *_indented(4, (f"{name} = {self._row(name)}[neuron]" for name in self.signals)),
            *_indented(4, self._held(read, hoisted)),
            *_indented(4, updates),
            *_indented(4, (f"{d} = settled({d})" for d in dict.fromkeys([*self.wanted, *later]))),
            *_indented(4, (f"now_{a}[neuron] = {a[2:]}" for a in kept)),
            *_indented(4, (f"next_{d}[neuron] = {d}" for d in later)),
            f"                G_b[sample, neuron] += {back.start}",
            *_indented(4, (f"G_{name}[sample, neuron] += g_{name}" for name in learned)),
        ]

    def _hoisted(self) -> _Hoisted:
        """Return what writes expressions, and knows what it has computed once."""
        return _Hoisted(self.back, _text, "k", each=self.each, twin=self.twin)

    def _top(self, hoisted: _Hoisted) -> list[str]:
        """Return what is computed before the loops."""
        return [
            f"    steps, _, size = A_{self.states[0]}.shape",
            "    zero = np.zeros(size, F)",
            *_indented(1, (f"{name} = {text}" for text, name in hoisted.names.items())),
        ]

    def _row(self, signal: str) -> str:
        """Return where a signal comes: the first in the row of the adjoint that takes its place."""
        first = signal == self.signals[0]
        return f"now_E_{self.wanted[0]}" if first else f"now_{signal}"

    def _held(self, later: list[str], hoisted: _Hoisted) -> Iterator[str]:
        """Yield the lines that hold the gain of each adjoint from step to step within a limit."""
        if (limit := self.back.rule.gain_limit) is None:
            return
        sums = {row.name: row.terms for row in self.back.rows}

        def gain(name: str, later: str) -> Expression:
            """Return the factor with which an adjoint of the next step comes back to another."""
            total: Expression = ONE if name == later else ZERO
            for factor, head in sums.get(name, ()):
                total = Call("+", (total, Call("*", (factor, gain(head, later)))))
            return total

        for name in later:
            own = hoisted.text(tidy(gain(name.removesuffix("_next"), name)))
            yield f"{name} *= F({limit}) / max(abs({own}), F({limit}))  # gain-limit"


def _head(name: str, arguments: Sequence[str]) -> list[str]:
    """Return the first lines of a function."""
    head = f"def {name}({', '.join(arguments)}):"
    return ["@jit", *textwrap.wrap(head, 96, subsequent_indent=" " * (len(name) + 5))]


def _indented(depth: int, lines: Iterable[str]) -> list[str]:
    """Return lines at some depth."""
    return ["    " * depth + line for line in lines]


def holds_alone(back: StepBack) -> bool:
    """Return whether a gain limit holds each adjoint of a neuron for itself, or there is none."""
    limited = back.rule.gain_limit is not None
    return not limited or all(len(g) == 1 for g in gain_groups(back.net, back.n, back.rule))


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

    def of_spike(self, spike: Name, low: Expression, high: Expression) -> Expression:
        """Return the choice."""
        at_0, at_1 = self.named(low), self.named(high)
        return Name(f"({at_1.name} if {_free(spike.name)} > 0 else {at_0.name})", WRITTEN)

    def named(self, tree: Expression) -> Name:
        """Return the name of an expression of constants, which is written already."""
        return Name(super().named(tree).name, WRITTEN)

    def may_be_first(self, tree: Expression) -> bool:
        """Return that any may: what is not chosen is not used."""
        return True


def _text(tree: Expression) -> str:
    """Return an expression as source, its numbers in the dtype of the arrays."""
    return python(
        _typed(tree), lambda n: n.name if n.when == WRITTEN else _free(n.name), style=STYLE
    )


def _typed(tree: Expression) -> Expression:
    """Return an expression with ``F(1)`` for 1, but in exponents."""
    match tree:
        case Number(value):
            return Name(f"F({value})", WRITTEN)
        case Call("**", (a, Number(int()) as power)):
            return Call("**", (_typed(a), power))
        case Call(op, args):
            return Call(op, tuple(map(_typed, args)))
    return tree


def _writes(form: str) -> Any:
    """Return a method that writes an operation on what it is called with."""
    return lambda *values: Source(form.format(*map(_as_source, values)))


class Source(str):
    """Text that stands for a number: what is done to it is written down."""

    __slots__ = ()

    __add__, __radd__ = _writes("({0} + {1})"), _writes("({1} + {0})")
    __sub__, __rsub__ = _writes("({0} - {1})"), _writes("({1} - {0})")
    __mul__, __rmul__ = _writes("({0} * {1})"), _writes("({1} * {0})")
    __truediv__, __rtruediv__ = _writes("({0} / {1})"), _writes("({1} / {0})")
    __neg__ = _writes("(-{0})")
    __lt__, __ge__ = _writes("(F(1) - reached({0}, {1}))"), _writes("reached({0}, {1})")

    def __pow__(self, power: int) -> Source:
        return Source(f"({self} ** {power})")


class Writer:
    """The part of NumPy that curves use; it writes instead of computing."""

    def __getattr__(self, name: str) -> Any:
        """Return a function that writes a call of the one of this name."""
        return lambda *args: Source(f"{name}({', '.join(map(_as_source, args))})")

    @staticmethod
    def clip(v: Source, low: float | None, high: float | None) -> Source:
        """Write bounds."""
        v = v if low is None else Source(f"maximum({v}, {_as_source(low)})")
        return v if high is None else Source(f"minimum({v}, {_as_source(high)})")

    @staticmethod
    def ones_like(_: Source) -> float:
        """Return 1."""
        return 1.0


def _as_source(value: Any) -> str:
    """Return a number as source, in the dtype of the arrays."""
    return value if isinstance(value, Source) else f"F({value!r})"


def curve_source(surrogate: Any, twin: bool) -> list[str]:
    """Return h, and the spike or its twin H, as source."""
    v, writer = Source("v"), Writer()
    spike = surrogate.twin(v, writer) if twin else "reached(v, F(0))"
    return [
        "@jit",
        "def spike(v):",
        f"    return {spike}",
        "",
        "",
        "@jit",
        "def h(v):",
        f"    return {surrogate.h(v, writer)}",
        "",
        "",
    ]
