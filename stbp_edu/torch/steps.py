"""A neuron's program on tensors: its step forward, and its step back as sums of known factors.

The program is the one that :func:`stbp_edu.derive` prints. A step back is linear in the adjoints:
each is a sum of terms, a factor times an adjoint. The factors read states and constants alone, so
that those of many steps are computed at once, and step by step only the sums are left.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import torch
from torch import Tensor

from stbp_edu import checks
from stbp_edu.arrows.formula_text import classes, reached
from stbp_edu.arrows.lines.program import _named as named
from stbp_edu.arrows.lines.program import program
from stbp_edu.arrows.models import network
from stbp_edu.arrows.neurons import hard_reset, soft_reset
from stbp_edu.arrows.readouts import Loss
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import LOSS, Arrow, Neuron
from stbp_edu.derived import Derived
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import SURROGATES, Curve, Surrogate

AnyNeuron = LIF | Derived | Neuron


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
    """The adjoint of a state in a state q of the rule, and the signal from outside that it gets."""

    name: str
    state: str
    q: str
    signal: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of a neuron under a rule.

    Attributes:
        neuron: the neuron.
        rule: the rule.
        forward: a step, with the spike and with its smooth twin.
        factors: from states and constants to all factors of a step back, likewise.
        reads: the states that the factors read; ``_last`` and ``_next`` mark those of other steps.
        lines: the adjoints, in the order in which they follow.
        gradients: what a step adds to the gradient of each learned constant.
        inputs: the adjoint of the state that weights enter, by state of the rule.
    """

    neuron: Neuron
    rule: Rule
    forward: tuple[Callable[..., Any], ...]
    factors: tuple[Callable[..., Any], ...]
    reads: tuple[str, ...]
    lines: tuple[Line, ...]
    gradients: dict[str, tuple[Term, ...]]
    inputs: dict[str, str]

    @property
    def states(self) -> list[str]:
        """The states that have a line."""
        return [*self.neuron.lines.lines]

    @property
    def start(self) -> str:
        """The adjoint that weights and biases get."""
        return self.inputs[self.rule.start]

    @property
    def signals(self) -> dict[str, str]:
        """The signals that come to the output, and for each a state of the rule that hears it."""
        output = (line for line in reversed(self.lines) if line.state == self.neuron.output)
        return {line.signal: line.q for line in output if line.signal}

    def behind(self, q: str, kind: str) -> str | None:
        """Return the adjoint of the input behind weights, from q, or None where they are cut."""
        to = self.rule.move(q, Arrow(kind, "o", LOSS, step=int(kind == "recur")))
        return None if to is None else self.inputs[to]

    def reads_out(self, q: str) -> bool:
        """Return whether the arrow to a loss is kept from q."""
        return self.rule.move(q, Arrow("readout", "o", LOSS)) is not None


def steps_of(neuron: Neuron, rule: Rule, others: Sequence[Neuron] = ()) -> Steps:
    """Return the steps of a neuron under a rule.

    Args:
        neuron: the neuron.
        rule: the rule.
        others: the other neurons of its network, which may keep apart what this one does not.

    Raises:
        ValueError: if the rule does not know the arrows, or keeps no path.
    """
    neurons = [neuron, *others, neuron]
    sizes = "-".join(["1", *["1R"] * len(neurons)])
    net = network(sizes, neurons, Loss("of the output", neuron.output))
    rule.check(net)
    source = ast.parse(program(net, rule))
    forward, backward = (f for f in source.body if isinstance(f, ast.FunctionDef))
    same = classes(net, rule)

    def name(state: str, q: str) -> str:
        """Return what the program calls an adjoint."""
        shared = same[state, q]
        return f"d_{state}" if shared == rule.start else named(f"d_{state}", shared)

    nodes = {name(*node): node for node in reached(net, rule, same) if node[0] in neuron.order}
    sums = _Sums(backward)
    folds = [Folded(neuron, binary=binary) for binary in (True, False)]
    fires = (heaviside, lambda v: antiderivative(neuron.surrogate, v))
    curve = {"h": lambda v: derivative(neuron.surrogate, v)}
    return Steps(
        neuron,
        rule,
        tuple(
            made(fold.of(forward), {"spike": spike})
            for fold, spike in zip(folds, fires, strict=True)
        ),
        tuple(made(fold.of(sums.factors()), curve) for fold in folds),
        tuple(sums.reads),
        tuple(
            Line(k, *nodes[k], sums.signals.get(k, ""), terms)
            for k, terms in sums.terms.items()
            if k in nodes
        ),
        {k[2:]: terms for k, terms in sums.terms.items() if k.startswith("g_")},
        {q: name(neuron.input, q) for q in rule.moves},
    )


class _Sums:
    """What the body of a step back adds up.

    Attributes:
        terms: of each name that is assigned.
        signals: the signal among them, where there is one.
        reads: the states in the factors.
    """

    def __init__(self, backward: ast.FunctionDef) -> None:
        """Read the assignments of the function."""
        self.terms: dict[str, tuple[Term, ...]] = {}
        self.signals: dict[str, str] = {}
        self._texts: list[str] = []
        for line in backward.body:
            if isinstance(line, ast.Assign) and isinstance(left := line.targets[0], ast.Name):
                self.terms[left.id] = tuple(self._terms(left.id, line.value, 1))
        read = {name for text in self._texts for name in names_in(ast.parse(text))}
        args = [arg.arg for arg in backward.args.args]
        self.reads = [arg for arg in args if arg in read]

    def _terms(self, left: str, tree: ast.expr, sign: int) -> Iterator[Term]:
        """Yield the terms of a sum, and keep their factors."""
        match tree:
            case ast.BinOp(a, ast.Add() | ast.Sub() as op, b):
                yield from self._terms(left, a, sign)
                yield from self._terms(left, b, sign if isinstance(op, ast.Add) else -sign)
            case ast.UnaryOp(ast.USub(), a):
                yield from self._terms(left, a, -sign)
            case ast.BinOp(factor, ast.Mult(), ast.Name(adjoint)):
                if (text := ast.unparse(factor)) not in self._texts:
                    self._texts.append(text)
                yield _term(sign, self._texts.index(text), adjoint)
            case ast.Name(name) if name.startswith("signal"):
                self.signals[left] = name
            case ast.Name(name):
                yield _term(sign, None, name)

    def factors(self) -> ast.FunctionDef:
        """Return the function of all factors, in which each curve h is computed once."""
        results = "".join(f"{text}, " for text in self._texts)
        calls = (n for n in ast.walk(ast.parse(results or "()")) if isinstance(n, ast.Call))
        curves = dict.fromkeys(text for n in calls if (text := ast.unparse(n)).startswith("h("))
        body = ""
        for k, text in enumerate(curves):
            body, results = f"{body}    _h{k} = {text}\n", results.replace(text, f"_h{k}")
        text = f"def factors({', '.join(self.reads)}):\n{body}    return ({results})"
        return checks.instance("factors", ast.parse(text).body[0], ast.FunctionDef)


def _term(sign: int, factor: int | None, adjoint: str) -> Term:
    """Return a term from the name of its adjoint."""
    return Term(sign, factor, adjoint.removesuffix("_next"), adjoint.endswith("_next"))


class Folded(ast.NodeTransformer):
    """Replaces constants by their values, and computes once what depends on nothing else.

    An expression of the spike alone, such as τ e^(-o/τ), becomes the straight line through its
    values at 0 and 1. What is learned stays a name.
    """

    def __init__(self, neuron: Neuron, *, binary: bool) -> None:
        """Begin with the constants of a neuron, whose spikes may be ``binary``."""
        lines = neuron.lines
        self.values = {k: v for k, v in lines.constants.items() if k not in neuron.learned}
        self.spikes = {f"{lines.spike}{when}" for when in ("", "_last", "_next") if binary}

    def of(self, function: ast.FunctionDef) -> ast.FunctionDef:
        """Return a function without the constants that have a value."""
        found: ast.FunctionDef = self.visit(deepcopy(function))
        found.args.args = [arg for arg in found.args.args if arg.arg not in self.values]
        return found

    def visit(self, node: ast.AST) -> Any:
        """Return what stands in place of a node."""
        match node:
            case ast.Compare(left, _, [right]):
                node = ast.Call(ast.Name("at_least", ast.Load()), [left, right], [])
            case ast.Name(name) if name in self.values:
                return ast.Constant(self.values[name])
            case ast.BinOp() | ast.UnaryOp() | ast.Call():
                if (found := self._line(node)) is not None:
                    return found
        return super().visit(node)

    def _line(self, node: ast.expr) -> ast.expr | None:
        """Return a constant or a straight line in place of an expression, where there is one."""
        names = {*names_in(node)} - self.values.keys()
        steep = sum(isinstance(n, ast.BinOp | ast.Call) for n in ast.walk(node)) > 1
        if not (names <= self.spikes and len(names) <= steep) or {*calls_in(node)} & {"h", "spike"}:
            return None
        code = compile(ast.fix_missing_locations(ast.Expression(node)), "<line>", "eval")
        at = [eval(code, {**NUMBERS, **self.values, **dict.fromkeys(names, o)}) for o in (0.0, 1.0)]
        if not np.isfinite(at).all():
            return None
        text = repr(float(at[0]))
        if at[0] != at[1]:
            text = f"{float(at[1] - at[0])!r} * {names.pop()} + {text}"
        return ast.parse(text, mode="eval").body


def names_in(tree: ast.AST) -> Iterator[str]:
    """Yield the names that are read, but for those of functions."""
    return (n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id not in SPACE)


def calls_in(tree: ast.AST) -> Iterator[str]:
    """Yield the names of the functions that are called."""
    calls = (n.func for n in ast.walk(tree) if isinstance(n, ast.Call))
    return (f.id for f in calls if isinstance(f, ast.Name))


def made(function: ast.FunctionDef, more: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """Return a function of tensors from its source; ``more``: spike, or h."""
    space: dict[str, Any] = {**SPACE, **more}
    module = ast.fix_missing_locations(ast.Module([function], []))
    exec(compile(module, "<derived>", "exec"), space)
    return space[function.name]  # type: ignore[no-any-return]


def at_least(a: Any, b: Any) -> Tensor:
    """Return 1 where a >= b, else 0."""
    return torch.where(_tensor(a) >= b, 1.0, 0.0)


def heaviside(v: Tensor) -> Tensor:
    """Return the spike."""
    return (v >= 0).to(v.dtype)


def derivative(surrogate: Surrogate, v: Tensor) -> Any:
    """Return h(v); a surrogate of your own has its method called with the tensor."""
    return surrogate.h(v, torch) if known(surrogate) else surrogate.derivative(v)


def antiderivative(surrogate: Surrogate, v: Tensor) -> Any:
    """Return H(v), as :func:`derivative` returns h(v)."""
    return surrogate.twin(v, torch) if known(surrogate) else surrogate.antiderivative(v)


def known(surrogate: Surrogate) -> TypeGuard[Curve]:
    """Return whether a surrogate is one of the package; a subclass may have other formulas."""
    return type(surrogate) in SURROGATES.values()


def _tensor(value: Any) -> Tensor:
    """Return a number as a tensor that leaves the dtype of others as it is."""
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)


SPACE: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in ("exp", "log", "tanh", "sqrt")},
    "minimum": lambda a, b: torch.where(_tensor(b) >= a, a, b),
    "maximum": lambda a, b: torch.where(_tensor(a) >= b, a, b),
    "abs": abs,
    "at_least": at_least,
    "spike": heaviside,
    "h": heaviside,
}
"""What the source may call."""
NUMBERS: dict[str, Any] = {name: getattr(np, name, abs) for name in SPACE}
