"""A neuron's program on tensors: its step forward, and its step back as sums of known factors.

The program is the one that :func:`stbp_edu.derive` prints. A step back is linear in the adjoints:
each is a sum of terms, a factor times an adjoint. The factors read states and constants alone, so
that those of many steps are computed at once, and step by step only the sums are left.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import torch
from torch import Tensor

from stbp_edu import checks
from stbp_edu.arrows.lines.expressions import (
    Call,
    Expression,
    Name,
    Number,
    evaluate,
    names_in,
    ops_in,
    python,
    size,
    written_out,
)
from stbp_edu.arrows.lines.program import Row, StepBack, steps_back
from stbp_edu.arrows.models import network
from stbp_edu.arrows.neurons import hard_reset, soft_reset
from stbp_edu.arrows.readouts import Loss
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import LOSS, Arrow, Neuron
from stbp_edu.derived import Derived
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import SURROGATES, Curve, Surrogate

AnyNeuron = LIF | Derived | Neuron
Function = Callable[..., Any]


def as_neuron(value: object) -> Neuron:
    """Return a neuron with forward lines, from any that the package knows.

    Raises:
        TypeError: if it is none.
    """
    if isinstance(value, LIF):
        return (soft_reset if value.gate == "soft" else hard_reset)(value)
    neuron = value.neuron if isinstance(value, Derived) else value
    if not isinstance(neuron, Neuron) or neuron.lines is None:
        raise TypeError(
            f"neuron must be an LIF or come from stbp_edu.derive, got {checks.brief(value)}; "
            "pass for example derive('u = tau * u + x', tau=0.5)"
        )
    return neuron


class Term(NamedTuple):
    """A term of a sum: sign · factor · adjoint, the adjoint of this step or of the ``later`` one.

    ``factor`` is the place of the factor, or None for 1.
    """

    sign: int
    factor: int | None
    adjoint: str
    later: bool


class Line(NamedTuple):
    """The adjoint of a node (state, state of the rule), and the name of the signal that it gets."""

    name: str
    node: tuple[str, str]
    signal: str
    terms: tuple[Term, ...]

    @property
    def state(self) -> str:
        """The state of the neuron."""
        return self.node[0]

    @property
    def q(self) -> str:
        """The state of the rule."""
        return self.node[1]


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of a neuron under a rule.

    Attributes:
        back: the derived step back, which knows neuron and rule.
        forward: a step, with the spike and with its smooth twin.
        factors: from states and what is learned to all factors of a step back, likewise.
        reads: the states that the factors read; ``_last`` and ``_next`` mark those of other steps.
        lines: the adjoints, in the order in which they follow.
        gradients: what a step adds to the gradient of each learned constant.
    """

    back: StepBack
    forward: list[Function]
    factors: list[Function]
    reads: list[str]
    lines: list[Line]
    gradients: dict[str, tuple[Term, ...]]

    @property
    def neuron(self) -> Neuron:
        """The neuron."""
        return self.back.neuron

    @property
    def states(self) -> list[str]:
        """The states that have a line."""
        return [*self.back.lines.lines]

    @property
    def start(self) -> str:
        """The adjoint that weights and biases get."""
        return self.back.name(self.neuron.input, self.back.rule.start)

    @property
    def signals(self) -> dict[str, str]:
        """The signals that come to the output, by the states of the rule that get them."""
        output = (line for line in self.lines if line.state == self.neuron.output)
        return {line.q: line.signal for line in output if line.signal}

    @property
    def copied(self) -> tuple[str, ...]:
        """The states of the rule for which the output is copied: where signals differ."""
        return tuple(self.signals) if len({*self.signals.values()}) > 1 else ()

    def behind(self, q: str, kind: str) -> str | None:
        """Return the adjoint of the input behind weights, from q, or None where they are cut."""
        to = self.back.rule.move(q, Arrow(kind, "o", LOSS, step=int(kind == "recur")))
        return None if to is None else self.back.name(self.neuron.input, to)

    def reads_out(self, q: str) -> bool:
        """Return whether the arrow to a loss is kept from q."""
        return self.back.rule.move(q, Arrow("readout", "o", LOSS)) is not None


def steps_of(neuron: Neuron, rule: Rule, recurrent: bool, others: Sequence[Neuron] = ()) -> Steps:
    """Return the steps of a neuron under a rule.

    Args:
        neuron: the neuron.
        rule: the rule.
        recurrent: whether it has recurrent weights.
        others: the other neurons of its network, which may keep apart what this one does not.

    Raises:
        ValueError: if the rule does not know the arrows, or keeps no path.
    """
    neurons = [*others, neuron, neuron, *others, neuron]
    sizes = "-".join(["1", *["1R" if recurrent else "1"] * len(neurons)])
    read = dict.fromkeys([neuron.output, neuron.lines.potential])
    nets = [network(sizes, neurons, Loss(f"of {state}", state)) for state in read]
    net = next((net for net in nets if rule.keeps(net)), nets[0])
    back = steps_back(net, rule)[len(others) + 2]
    factors: dict[Expression, int] = {}
    terms = {row.name: tuple(_terms(row, factors)) for row in back.rows}
    signals = {row.name: name for row in back.rows if (name := _signal(row))}
    names = {back.name(*node): node for node in back.nodes}
    inside = {name.name for factor in factors for name in names_in(factor) if name.when}
    reads = [name for name in back.arguments if name in inside]
    return Steps(
        back,
        [_forward(neuron, twin) for twin in (False, True)],
        [_factors(neuron, twin, reads, [*factors]) for twin in (False, True)],
        reads,
        [Line(k, names[k], signals.get(k, ""), terms[k]) for k in terms if k in names],
        {k[2:]: found for k, found in terms.items() if k not in names},
    )


def _terms(row: Row, factors: dict[Expression, int]) -> Iterator[Term]:
    """Yield the terms of an adjoint, and keep their factors; a signal is none of them."""
    for tree in row.terms:
        sign, place = 1, None
        if isinstance(tree, Call) and tree.op == "neg":
            sign, (tree,) = -1, tree.args
        if isinstance(tree, Call):
            factor, tree = tree.args
            if isinstance(factor, Call) and factor.op == "neg":
                sign, (factor,) = -1, factor.args
            place = factors.setdefault(factor, len(factors))
        name = checks.instance("adjoint", tree, Name).name
        if not name.startswith("signal"):
            yield Term(sign, place, name.removesuffix("_next"), name.endswith("_next"))


def _signal(row: Row) -> str:
    """Return the signal among the terms of an adjoint, or ""."""
    names = [tree.name for tree in row.terms if isinstance(tree, Name)]
    return next((name for name in names if name.startswith("signal")), "")


def _forward(neuron: Neuron, twin: bool) -> Function:
    """Return a step forward: (states of the last step, x, what is learned) to the states."""
    folds, lines = _Folds(neuron, twin), neuron.lines.lines
    body = [f"{state} = {_text(folds.of(line))}" for state, line in lines.items()]
    return _function([*lines, "x", *neuron.learned], body, [*lines], {"spike": folds.spike})


def _factors(
    neuron: Neuron, twin: bool, reads: Sequence[str], factors: Sequence[Expression]
) -> Function:
    """Return the function of all factors."""
    folds = _Folds(neuron, twin)
    results = [_text(folds.of(factor)) for factor in factors]
    body = [f"{name} = {_text(curve)}" for curve, name in folds.curves.items()]
    h = {"h": lambda v: derivative(neuron.surrogate, v)}
    return _function([*reads, *neuron.learned], body, results, h)


def _function(
    arguments: Sequence[str], body: Sequence[str], results: Sequence[str], more: dict[str, Function]
) -> Function:
    """Return a function of tensors; ``more``: what ``spike`` or ``h`` is."""
    lines = [*body, f"return ({''.join(f'{result}, ' for result in results)})"]
    source = "\n    ".join([f"def step({', '.join(arguments)}):", *lines])
    space: dict[str, Any] = {**FUNCTIONS, **more}
    exec(compile(source, "<derived>", "exec"), space)
    return space["step"]


class _Folds:
    """Expressions in which whatever depends on fixed constants alone is a number.

    What depends on a spike, too, such as τ e^(-o/τ), is the straight line through its values at 0
    and 1, but for the smooth ``twin``.

    Attributes:
        curves: each h(v) in the expressions, and the name that stands in its place.
    """

    def __init__(self, neuron: Neuron, twin: bool) -> None:
        """Begin with the constants of a neuron that are not learned."""
        lines = neuron.lines
        self.fixed = {k: v for k, v in lines.constants.items() if k not in neuron.learned}
        self.spikes = () if twin else tuple(f"{lines.spike}{w}" for w in ("", "_last", "_next"))
        self.spike = heaviside
        if twin:
            self.spike = lambda v: antiderivative(neuron.surrogate, v)
        self.curves: dict[Expression, str] = {}

    def of(self, tree: Expression) -> Expression:
        """Return an expression with numbers and lines in it."""
        return self._of(written_out(tree))

    def _of(self, tree: Expression) -> Expression:
        """Return an expression that calls no function of the reader's, likewise."""
        if not isinstance(tree, Call):
            if isinstance(tree, Name) and not tree.when and tree.name in self.fixed:
                return Number(self.fixed[tree.name])
            return tree
        if line := self._line(tree):
            return line
        found = Call(RENAMED.get(tree.op, tree.op), tuple(map(self._of, tree.args)))
        if tree.op != "h":
            return found
        return Name(self.curves.setdefault(found, f"_h{len(self.curves)}"), "now")

    def _line(self, tree: Call) -> Expression | None:
        """Return a number or a straight line in place of an expression, where there is one."""
        names = {name for name in names_in(tree) if name.when or name.name not in self.fixed}
        short = size(tree) < 4 and names  # such as 1 - o
        if short or len(names) > 1 or ops_in(tree) & {"spike", "h"}:
            return None
        if any(name.name not in self.spikes for name in names):
            return None
        off, on = (self._value(tree, o) for o in (0.0, 1.0))
        if not np.isfinite([off, on]).all():
            return None
        if off == on:
            return Number(off)
        slope = Call("*", (Number(on - off), names.pop()))
        return Call("+", (slope, Number(off))) if off else slope

    def _value(self, tree: Expression, o: float) -> float:
        """Return the value of an expression of the spike o."""

        def value(name: Name) -> float:
            """Return the value of a name."""
            return o if name.when else self.fixed[name.name]

        with np.errstate(all="ignore"):
            return float(evaluate(tree, value, {}))


def _text(tree: Expression) -> str:
    """Return an expression as Python."""
    return python(tree, lambda name: name.name)


def heaviside(v: Tensor) -> Tensor:
    """Return the spike."""
    return torch.ge(v, 0, out=torch.empty_like(v))  # at once a number


def derivative(surrogate: Surrogate, v: Tensor) -> Any:
    """Return h(v); a surrogate of your own has its method called with the tensor."""
    return surrogate.h(v, torch) if known(surrogate) else surrogate.derivative(v)


def antiderivative(surrogate: Surrogate, v: Tensor) -> Any:
    """Return H(v), as :func:`derivative` returns h(v)."""
    return surrogate.twin(v, torch) if known(surrogate) else surrogate.antiderivative(v)


def known(surrogate: Surrogate) -> TypeGuard[Curve]:
    """Return whether a surrogate is one of the package; a subclass may have other formulas."""
    return type(surrogate) in SURROGATES.values()


def _on_tensors(operation: Function) -> Function:
    """Return an operation on two tensors as one on tensors or numbers."""

    def call(*given: Any) -> Tensor:
        """Return the result; a number leaves the dtype of a tensor as it is."""
        tensors = (
            v if isinstance(v, Tensor) else torch.tensor(v, dtype=torch.float64) for v in given
        )
        result: Tensor = operation(*tensors)
        return result

    return call


def _at_least(a: Tensor, b: Tensor) -> Tensor:
    """Return 1 where a >= b, else 0: tensors do not add up truth values, as NumPy does."""
    return (a >= b).to(torch.result_type(a, b))


RENAMED: Mapping[Any, str] = {"at_least": "_at_least"}
FUNCTIONS: dict[str, Function] = {
    **{name: getattr(torch, name) for name in ("exp", "log", "tanh", "sqrt")},
    "minimum": _on_tensors(lambda a, b: torch.where(b >= a, a, b)),
    "maximum": _on_tensors(lambda a, b: torch.where(a >= b, a, b)),
    "_at_least": _on_tensors(_at_least),
}
"""What the source of a step calls."""
