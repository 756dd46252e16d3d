"""A neuron's derived program on tensors: one step forward, and one step back under a rule."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import torch
from torch import Tensor

from stbp_edu import checks
from stbp_edu.arrows.formula_text import added
from stbp_edu.arrows.lines.expressions import Call, Expression, names_in, python, written_out
from stbp_edu.arrows.lines.program import StepBack, steps_back
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


@dataclass(frozen=True)
class Node:
    """An adjoint: its name, the states of neuron and rule that it belongs to, and its signal.

    ``after`` are the adjoints of this step and of the next one, ``..._next``, in its sum.
    """

    name: str
    state: str
    q: str
    signal: str
    after: frozenset[str]


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of a neuron under a rule.

    Attributes:
        back: the derived step back, which knows both.
        forward: a step, with the spike and with its smooth twin: the states of the last step, x
            and the constants, to the states.
        backward: a step back: states, what comes to each adjoint from outside, adjoints of the
            next step and constants, to ``back.results``.
        nodes: the adjoints, in the order in which they follow.
    """

    back: StepBack
    forward: tuple[Function, Function]
    backward: Function
    nodes: tuple[Node, ...]

    @property
    def neuron(self) -> Neuron:
        """The neuron."""
        return self.back.neuron

    @property
    def reads(self) -> list[str]:
        """The states that a step back reads; ``_last`` and ``_next`` mark those around it."""
        return [k for k in self.back.arguments if not k.startswith(("signal", "d_"))]

    @property
    def later(self) -> list[str]:
        """The adjoints of the next step that a step back reads."""
        found = [k for k in self.back.arguments if k.startswith("d_")]
        return [k.removesuffix("_next") for k in found]

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
        output = (node for node in self.nodes if node.state == self.neuron.output)
        return {node.q: node.signal for node in output if node.signal}

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
    nodes = tuple(_nodes(back))
    fires = (heaviside, lambda v: antiderivative(neuron.surrogate, v))
    binary, twin = (_forward(back, fire) for fire in fires)
    return Steps(back, (binary, twin), _backward(back, nodes), nodes)


def _nodes(back: StepBack) -> Iterator[Node]:
    """Yield the adjoints."""
    names = {back.name(*node): node for node in back.nodes}
    for name, terms, _ in back.rows:
        if name in names:
            read = {one.name for term in terms for one in names_in(term)}
            signal = "".join(one for one in read if one.startswith("signal"))
            yield Node(name, *names[name], signal, frozenset(k for k in read if k[:2] == "d_"))


def _forward(back: StepBack, fire: Function) -> Function:
    """Return a step forward."""
    lines = back.lines
    body = [f"{state} = {_text(line)}" for state, line in lines.lines.items()]
    return _function([*lines.lines, "x", *lines.constants], body, [*lines.lines], {"spike": fire})


def _backward(back: StepBack, nodes: Sequence[Node]) -> Function:
    """Return a step back, in which something from outside may come to every adjoint."""
    signals = {node.name: f"signal_{node.name}" for node in nodes}
    body = []
    for name, terms, _ in back.rows:
        texts = [text for text in map(_text, terms) if not text.startswith("signal")]
        total = added(texts) or "0.0"
        body.append(
            f"{name} = " + (f"_and({signals[name]}, {total})" if name in signals else total)
        )
    states = [k for k in back.arguments if not k.startswith(("signal", "d_"))]
    later = [k for k in back.arguments if k.startswith("d_")]
    given = [*states, *signals.values(), *later, *back.lines.constants]
    h = {"h": lambda v: derivative(back.neuron.surrogate, v)}
    return _function(given, body, back.results, h)


def _function(
    arguments: Sequence[str], body: Sequence[str], results: Sequence[str], more: dict[str, Function]
) -> Function:
    """Return a function of tensors; ``more``: what ``spike`` or ``h`` is."""
    lines = [*body, f"return [{', '.join(results)}]"]
    source = "\n    ".join([f"def step({', '.join(arguments)}):", *lines])
    space: dict[str, Any] = {**FUNCTIONS, **more}
    exec(compile(source, "<derived>", "exec"), space)
    return space["step"]


def _text(tree: Expression) -> str:
    """Return an expression as Python; a comparison is a call, since tensors add no truth values."""

    def called(tree: Expression) -> Expression:
        """Return an expression with calls in place of comparisons."""
        if not isinstance(tree, Call):
            return tree
        return Call("_at_least" if tree.op == "at_least" else tree.op, (*map(called, tree.args),))

    return python(called(written_out(tree)), lambda name: name.name)


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
    """Return an operation on tensors that takes numbers, too, and then keeps a tensor's dtype."""
    number = {"dtype": torch.float64}

    def call(*given: Any) -> Any:
        """Return the result."""
        return operation(
            *(v if isinstance(v, Tensor) else torch.tensor(v, **number) for v in given)
        )

    return call


FUNCTIONS: Mapping[str, Function] = {
    "_and": lambda signal, total: total if signal is None else signal + total,
    **{name: _on_tensors(getattr(torch, name)) for name in ("exp", "log", "tanh", "sqrt")},
    "minimum": _on_tensors(lambda a, b: torch.where(b >= a, a, b)),
    "maximum": _on_tensors(lambda a, b: torch.where(a >= b, a, b)),
    "_at_least": _on_tensors(lambda a, b: (a >= b).to(torch.result_type(a, b))),
}
"""What the source of a step calls."""
