"""The derived neuron on whole arrays: source of a step forward, and of the factors of a step back.

A step back is linear: each adjoint is a sum of what comes from outside and of the adjoints of the
next step, each times a factor in which states alone stand. So the factors of many steps are
computed at once, and step by step there is one product and one sum for each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.forward_lines import reachable
from stbp_edu.arrows.lines.program import SHIFTED, StepBack, added
from stbp_edu.arrows.lines.slopes import tidy

WRITTEN = "written"
"""Marks a name that is a piece of source already."""
SLOW = {"exp", "log", "tanh", "sqrt", "/", "**"}
"""Operations that are worth computing once."""
STYLE = {**ex.PYTHON, "at_least": ("_at_least({}, {})", 5, (0, 0))}
Move = tuple[str, str]
"""What is summed up, and what it hands on: an adjoint of the next step, or a signal."""


@dataclass(frozen=True)
class ArraySource:
    """The source of a layer's steps.

    Attributes:
        back: the step back, which knows network, layer and rule.
        wanted: the adjoints to keep, that of what the parameters enter first.
        twin: whether the smooth twin H stands in place of the spike, or outputs may be any numbers.
    """

    back: StepBack
    wanted: tuple[str, ...]
    twin: bool = False

    @cached_property
    def outside(self) -> Mapping[str, str]:
        """By adjoint, the name of what comes to it from outside."""
        signals = {
            self.back.name(*node): self.back.signal(*node) for node in self.back.nodes
        }
        return {name: signal for name, signal in signals.items() if signal}

    @cached_property
    def nodes(self) -> list[str]:
        """The adjoints of each step: those to keep, and those that one of them needs."""
        sums = self._sums[0]
        again = (adjoint for _, adjoint in self.again)
        learned = (head for name in sums if name[:2] == "g_" for head in sums[name])
        found = reachable(
            [*self.wanted, *again, *learned],
            lambda name: (
                k.removesuffix("_next") for k in sums[name] if k.endswith("_next")
            ),
        )
        return [name for name in sums if name in found]

    @cached_property
    def again(self) -> list[Move]:
        """The signals that the layer's own next step adds to, and the adjoint there."""
        return [(self.outside[adjoint], head) for adjoint, _, head in self.back.again]

    @cached_property
    def hoisted(self) -> Hoisted:
        """What writes expressions, and knows what it has computed once."""
        return Hoisted(self.back, self.twin)

    @cached_property
    def _sums(self) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
        """By adjoint and gradient, what it is a sum of and their factors; by source their names.

        What stands in the sum of an adjoint is of the next step, or comes from outside.
        """
        sums: dict[str, dict[str, str]] = {}
        names: dict[str, str] = {}

        def named(text: str) -> str:
            """Return the name of a factor; one that is a name has its own."""
            plain = text == "1" or text.isidentifier()
            return text if plain else names.setdefault(text, f"_f{len(names)}")

        for name, terms, _ in self.back.rows:
            inside = [term for term in terms if not term[1].startswith("signal")]
            outside = [(ex.ONE, self.outside[name])] if name in self.outside else []
            by: dict[str, list[str]] = {}
            for factor, head in [*inside, *outside]:
                text = named(self.hoisted.text(factor))
                passed = (
                    sums[head] if head in sums and name[:2] != "g_" else {head: "1"}
                )
                for of, one in passed.items():
                    by.setdefault(of, []).append(_product(text, one))
            sums[name] = {of: named(added(texts)) for of, texts in by.items()}
        return sums, names

    @cached_property
    def text(self) -> str:
        """Functions of constants that hold no state, of a step forward, and of the factors."""
        own, states = [*self.back.lines.constants], [*self.back.lines.lines]
        sums, names = self._sums
        forward = {self._line(state): state for state in states}
        once = self.hoisted.names
        given = [*own, *once.values()]
        arguments = [*states, "x", *given, *(f"_to_{s}" for s in states)]
        kept = (name for name in sums if name in self.nodes or name[:2] == "g_")
        by_move = (
            f"{(name, of)}: {f}" for name in kept for of, f in sums[name].items()
        )
        return "\n\n\n".join(
            [
                _function("constants", own, once, f"[{', '.join(once.values())}]"),
                _function("forward", arguments, forward, f"[{', '.join(states)}]"),
                _function(
                    "factors",
                    [*self.back.reads, *given],
                    names,
                    f"{{{', '.join(by_move)}}}",
                ),
            ]
        )

    def _line(self, state: str) -> str:
        """Return the source of a state's line, which writes to an array."""
        match line := ex.written_out(self.back.lines.lines[state]):
            case ex.Call("spike", (ex.Call("-", (a, b)),)) if not self.twin:
                line = a >= b
        return f"_written({self.hoisted.text(line)}, _to_{state})"


class Hoisted:
    """How the expressions of a layer are written: what constants alone decide, once.

    A spike is 0 or 1: a straight line takes the place of a function of it.

    Attributes:
        names: by source, the names of what is computed once.
    """

    letter = "_k"

    def __init__(self, back: StepBack, twin: bool, each: Collection[str] = ()) -> None:
        """Begin with nothing; constants in ``each`` have a value for each neuron."""
        spike = None if twin else back.lines.spike
        self.spikes = (
            {f"{spike}{after}" for after in SHIFTED.values()} if spike else set()
        )
        self.back, self.shared = back, back.lines.constants.keys() - {*each}
        self.names: dict[str, str] = {}

    def written(self, tree: ex.Expression) -> str:
        """Return an expression as it stands in the source."""
        return ex.python(tree, style=STYLE)

    def text(self, tree: ex.Expression) -> str:
        """Return an expression as source, with what is computed once by its name."""
        return self.written(self.tree(ex.written_out(tree)))

    def tree(self, tree: ex.Expression) -> ex.Expression:
        """Return an expression with what is computed once by its name."""
        if not isinstance(tree, ex.Call):
            return tree
        states = {name for name in ex.names_in(tree) if name.name not in self.shared}
        if ex.ops_in(tree) & SLOW:
            if not states:
                return self.named(tree)
            if len(states) == 1 and {state.name for state in states} <= self.spikes:
                ends = (
                    ex.replaced(tree, dict.fromkeys(states, k))
                    for k in (ex.ZERO, ex.ONE)
                )
                if found := self.of_spike(*states, *map(tidy, ends)):
                    return found
        return ex.Call(tree.op, tuple(map(self.tree, tree.args)))

    def named(self, tree: ex.Expression) -> ex.Name:
        """Return the name of an expression of constants."""
        name = self.names.setdefault(
            self.written(tree), f"{self.letter}{len(self.names)}"
        )
        return ex.Name(name, WRITTEN)

    @property
    def lines(self) -> list[str]:
        """What is computed once, as source."""
        return [f"{name} = {text}" for text, name in self.names.items()]

    def of_spike(
        self, spike: ex.Name, low: ex.Expression, high: ex.Expression
    ) -> ex.Expression | None:
        """Return the line through both ends, if they are finite where constants are as given."""
        known, own = self.back.lines.constants, self.back.neuron.surrogate
        functions = {"h": own.derivative, "spike": own.antiderivative}
        value = {ex.Name(name): np.float64(number) for name, number in known.items()}
        with np.errstate(all="ignore"):
            ends = [
                ex.evaluate(end, value.__getitem__, functions) for end in (low, high)
            ]
        if not np.isfinite(ends).all():
            return None
        return self.tree(low) + self.tree(tidy(high - low)) * spike


def _product(a: str, b: str) -> str:
    """Return the source of a product, in which a factor of 1 is left out."""
    return b if a == "1" else a if b == "1" else f"{a} * {b}"


def _function(
    name: str, arguments: Sequence[str], body: Mapping[str, str], result: str
) -> str:
    """Return the source of a function, a line for each value and its name."""
    lines = (f"{k} = {text}" for text, k in body.items())
    return "\n    ".join(
        [f"def {name}({', '.join(arguments)}):", *lines, f"return {result}"]
    )
