"""The derived neuron on whole arrays: source of a step forward, and of the factors of a step back.

A step back is linear: each adjoint is a sum of what comes from outside and of the adjoints of the
next step, each times a factor in which states alone stand. So the factors of many steps are
computed at once, and step by step there is one product and one sum for each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stbp_edu.arrows.formula_text import added
from stbp_edu.arrows.lines.expressions import (
    ONE,
    ZERO,
    Call,
    Expression,
    Name,
    Number,
    evaluate,
    names_in,
    ops_in,
    python,
    replaced,
    written_out,
)
from stbp_edu.arrows.lines.program import StepBack
from stbp_edu.arrows.lines.slopes import tidy

SLOW = {"exp", "log", "tanh", "sqrt", "/", "**"}
"""Operations that are worth computing once."""
INTO = {"+": "_add", "-": "_subtract", "*": "_multiply", "/": "_divide"}
"""Functions of an array library that write the result of an operation to an array."""
Move = tuple[str, str]
"""What is summed up, and what it hands on: an adjoint of the next step, or a signal."""


@dataclass(frozen=True)
class ArraySource:
    """The source of a layer's steps.

    Attributes:
        back: the step back, which knows network, layer and rule.
        kept: the adjoints to keep.
        outside: by adjoint, the name of what comes to it from outside.
        twin: whether outputs may be other numbers than 0 and 1.
    """

    back: StepBack
    kept: Sequence[str]
    outside: Mapping[str, str]
    twin: bool = False

    @cached_property
    def terms(self) -> dict[str, list[tuple[Expression, str]]]:
        """By adjoint and gradient, the factors and adjoints in its sum; no signals."""
        sums = ((row.name, map(_parts, row.terms)) for row in self.back.rows)
        return {name: [part for part in parts if part[1][:6] != "signal"] for name, parts in sums}

    @cached_property
    def learned(self) -> list[str]:
        """What the neuron learns, as the gradients are called."""
        return [f"g_{name}" for name in self.back.neuron.learned]

    @cached_property
    def nodes(self) -> list[str]:
        """The adjoints of each step: those to keep, and those that one of them needs."""
        again = (adjoint for _, adjoint in self.again)
        found = [*self.kept, *again, *(name for g in self.learned for _, name in self.terms[g])]
        for name in found:  # grows while it is read
            found += [after for after in self._after(name) if after not in found]
        return [name for name in self.terms if name in found]

    @cached_property
    def again(self) -> list[Move]:
        """The signals that the layer's own next step adds to, and the adjoint there."""
        back, found = self.back, dict[Move, None]()
        for state, q in back.nodes:
            moves = back.signals.get(back.signal(state, q), [])
            heads = (back.name(back.neuron.input, to) for arrow, to in moves if arrow.step)
            found |= {(self.outside[back.name(state, q)], head): None for head in heads}
        return [*found]

    def _after(self, name: str) -> Iterator[str]:
        """Yield the adjoints of the next step that one needs."""
        for _, head in self.terms[name]:
            later = head.endswith("_next")
            yield from [head.removesuffix("_next")] if later else self._after(head)

    @cached_property
    def _written(self) -> tuple[dict[Move, str], dict[str, str], dict[str, str]]:
        """The name of each move's factor, and source by name: of factors, and of constants."""
        sums: dict[str, dict[str, str]] = {}
        lines: dict[str, str] = {}
        constants: dict[str, str] = {}
        for name, terms in self.terms.items():
            by: dict[str, list[str]] = {}
            own = name in self.outside
            for factor, head in [*terms, *([(ONE, self.outside[name])] if own else [])]:
                text = self._text(factor, constants)
                if factor != ONE and not text.isidentifier():
                    text = _called("_f", text, lines)
                if head in sums and name not in self.learned:
                    for of, one in sums[head].items():
                        by.setdefault(of, []).append(_product(text, one))
                else:
                    by.setdefault(head, []).append(text)
            sums[name] = {
                of: texts[0]
                if len(texts) == 1 and (texts[0] == "1" or texts[0].isidentifier())
                else _called("_f", added(texts), lines)
                for of, texts in by.items()
            }
        wanted = [*self.nodes, *self.learned]
        return {(k, of): f for k in wanted for of, f in sums[k].items()}, lines, constants

    @cached_property
    def moves(self) -> list[Move]:
        """The moves whose factors the source returns."""
        return [*self._written[0]]

    @cached_property
    def text(self) -> str:
        """Functions of constants that hold no state, of a step forward, and of the factors."""
        own, states = [*self.back.lines.constants], [*self.back.lines.lines]
        factors, lines, constants = self._written
        forward = {s: self._forward(s, constants) for s in states}
        given = [*own, *constants]
        places = [f"_to_{s}" for s in states]
        return "\n\n\n".join(
            [
                _function("constants", own, constants, [*constants]),
                _function("forward", [*states, "x", *given, *places], forward, states),
                _function("factors", [*self.read, *given], lines, [*factors.values()]),
            ]
        )

    @cached_property
    def read(self) -> list[str]:
        """The states that the factors read; ``_last`` and ``_next`` mark those around a step."""
        return [k for k in self.back.arguments if not k.startswith(("signal", "d_"))]

    def _forward(self, state: str, constants: dict[str, str]) -> str:
        """Return the source of a state's line, which writes to an array."""
        line, values = written_out(self.back.lines.lines[state]), tuple[Expression, ...]()
        match line:
            case Call("spike", (Call("-", (a, b)),)) if not self.twin:
                into, values = "_reached", (a, b)
            case Call(str() as op, (a, b)) if op in INTO:
                into, values = INTO[op], (a, b)
            case _:
                into, values = "_written", (line,)
        return f"{into}({', '.join(self._text(v, constants) for v in values)}, _to_{state})"

    def _text(self, tree: Expression, constants: dict[str, str]) -> str:
        """Return an expression as source, with names for what is computed once."""
        return python(self._hoisted(written_out(tree), constants), lambda name: name.name)

    def _hoisted(self, tree: Expression, constants: dict[str, str]) -> Expression:
        """Return an expression in which what holds no state, or a spike alone, is computed once.

        A spike is 0 or 1, so that a straight line can take the place of a function of it.
        """
        if not isinstance(tree, Call):
            return tree
        spike = None if self.twin else self.back.lines.spike
        names = {n.name: n for n in names_in(tree)}
        states = {n for n in names.values() if n.name not in self.back.lines.constants}
        spikes = {f"{spike}{after}" for after in ("", "_last", "_next")} if spike else set()
        curved = len(states) > 1 or {n.name for n in states} - spikes
        if not ops_in(tree) & SLOW or curved or not all(map(self._is_finite, ends(tree, states))):
            op = "_at_least" if tree.op == "at_least" else tree.op
            return Call(op, tuple(self._hoisted(arg, constants) for arg in tree.args))
        if not states:
            return Name(_called("_k", python(tree, lambda name: name.name), constants))
        (state,), (low, high) = states, ends(tree, states)
        at_0 = self._hoisted(low, constants)
        step = tidy(Call("-", (high, low)))
        return Call("+", (at_0, Call("*", (self._hoisted(step, constants), state))))

    def _is_finite(self, tree: Expression) -> bool:
        """Return whether an expression of constants is finite, as those are given."""
        known, own = self.back.lines.constants, self.back.neuron.surrogate
        functions = {"h": own.derivative, "spike": own.antiderivative}
        with np.errstate(all="ignore"):
            value = evaluate(tree, lambda name: np.float64(known[name.name]), functions)
        return bool(np.isfinite(value))


def ends(tree: Expression, states: Collection[Name]) -> list[Expression]:
    """Return an expression where the spikes that stand in it are 0, and where they are 1."""
    values = (dict.fromkeys(states, value) for value in (ZERO, ONE))
    return [tidy(replaced(tree, by)) for by in values]


def _parts(term: Expression) -> tuple[Expression, str]:
    """Return a term as a factor and the name of an adjoint or a signal."""
    match term:
        case Name(name):
            return ONE, name
        case Call("neg", (Name(name),)):
            return Number(-1), name
        case Call("*", (factor, Name(name))):
            return factor, name
    raise AssertionError(term)


def _product(a: str, b: str) -> str:
    """Return the source of a product, in which a factor of 1 is left out."""
    return b if a == "1" else a if b == "1" else f"{a} * {b}"


def _called(letter: str, text: str, known: dict[str, str]) -> str:
    """Return the name of a piece of source, which is computed once."""
    names = {source: name for name, source in known.items()}
    name = names.get(text, f"{letter}{len(known)}")
    known[name] = text
    return name


def _function(
    name: str, arguments: Sequence[str], body: Mapping[str, str], results: Sequence[str]
) -> str:
    """Return the source of a function, a line for each name and its value."""
    lines = [f"{k} = {text}" for k, text in body.items()]
    lines.append(f"return [{', '.join(results)}]")
    return "\n    ".join([f"def {name}({', '.join(arguments)}):", *lines])
