"""The steps of a layer on tensors: its program, and which errors it keeps apart."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.arrows.arrow import LOSS, Arrow
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.state_loss import Loss
from stbp_edu.arrows.step.layer_program import Adjoint
from stbp_edu.arrows.step.shown_program import programs
from stbp_edu.arrows.table import Table, network
from stbp_edu.lines.operations import SHARED
from stbp_edu.program.executor import Executor
from stbp_edu.surrogates import Surrogate, is_curve
from stbp_edu.torch.carried_state import carried_nodes, step_before
from stbp_edu.torch.tensor_loops import TensorLoops

Result = tuple[str, str]
"""A result of the layer: ("state", name), ("copy", state of the rule), ("last", carried name)."""


class Steps:
    """The steps of a neuron under a rule.

    Which errors have to be kept apart depends on the layers around it: ``layers`` are those of its
    network, neurons and whether they are recurrent, and ``number`` is its own, from 1. Where they
    are not known, it is taken for the middle one of three that are alike.

    Attributes:
        net: a network of such layers and others.
        program: the program of such a layer between others, which knows neuron and rule.
        signals: what comes to the output, by the states of the rule that get it.
        copied: the states of the rule for which the output is copied: where signals differ.
        kept: the states that a step back reads, and the output.
        heard_by: the results of a layer in their order, each with the adjoints that its error comes
            to: the states, the copies of the output, and the states to carry on.
        from_itself: the adjoints to which recurrent weights add.
        passed_on: the adjoints of the first step which the step before it would read.
        step_before: what the first step passes back to the carried states; None if that depends on
            states that are not carried.
        compiled: the programs that ``torch.compile`` follows, of the spikes and of the twin: they
            keep all errors apart.
    """

    def __init__(
        self,
        neuron: AnyNeuron,
        rule: Rule,
        recurrent: bool,
        layers: Sequence[tuple[AnyNeuron, bool]] = (),
        number: int = 2,
    ) -> None:
        self.given = neuron, rule, recurrent, layers, number
        self.neuron = as_neuron(neuron)
        self.net = kept_by(rule, networks_of(layers or [(neuron, recurrent)] * 3))
        # the rule may name arrows that only other layers have
        self.program = program = programs(self.net, rule)[number]
        self.states = [*program.lines.lines]
        self.carried = carried_nodes(program)
        self.from_itself = [
            node
            for node in program.nodes
            if program.name(*node) in [name for name, _, _ in program.from_recurrence]
        ]
        heads = [head for _, _, head in program.from_recurrence]
        self.passed_on = [*dict.fromkeys([*program.next_adjoints, *heads])]
        read = {self.neuron.output, *(state for state, _ in program.states_read)}
        self.kept = [name for name in ("x", *self.states) if name in read]
        self._hear(rule)
        self.made: dict[Any, Executor | TensorLoops] = {}
        self.compiled: list[Any] = []
        self.step_before: Any = None

    @torch.compiler.assume_constant_result
    def prepare(self) -> bool:
        """Make ``compiled`` and ``step_before``, and return whether there is the latter.

        ``torch.compile`` calls this, and does not follow how programs are made.
        """
        if not self.compiled:
            nodes = self.program.nodes
            wanted = tuple(self.program.name(*node) for node in nodes)
            for twin in (False, True):
                self.compiled.append(
                    self.run(wanted, twin, tuple(nodes), in_loops=False)
                )
            functions = functions_with(self.neuron.surrogate, twin=False)
            self.step_before = step_before(self.program, functions)
        return self.step_before is not None

    def _hear(self, rule: Rule) -> None:
        """Find which adjoints the error of each result comes to."""
        nodes = self.program.nodes
        above = {node: self.program.signal_of.get(node, "") for node in nodes}
        readout = Arrow("readout", "o", LOSS)
        loss = {node: bool(rule.move(node[1], readout)) for node in nodes}
        outputs = [node for node in nodes if node[0] == self.neuron.output]
        self.signals = {q: above[o, q] for o, q in outputs if above[o, q]}
        # one tensor of outputs has one error; the rule may give several, or another to the loss
        several = len({above[node] for node in outputs}) > 1
        several |= any(bool(above[node]) != loss[node] for node in outputs)
        self.copied = tuple(self.signals) if several else ()
        heard: dict[Result, list[Adjoint]] = {}
        for state in self.states:
            heard["state", state] = [
                node
                for node in nodes
                if node[0] == state and (loss[node] or (above[node] and not several))
            ]
        for q in self.copied:
            heard["copy", q] = [(self.neuron.output, q)]
        for name, (_, node) in self.carried.items():
            heard["last", name] = [node] if node else []
        self.heard_by = heard

    def __reduce__(self) -> Any:
        """Return the pickled form: functions are made again."""
        return Steps, self.given

    def by_kind(self, results: Sequence[Any], kind: str) -> dict[str, Any]:
        """Return the results of a kind, "state", "copy" or "last", by name."""
        pairs = zip(self.heard_by, results, strict=False)
        return {name: one for (of, name), one in pairs if of == kind}

    def incoming(
        self, grads: Sequence[Tensor | None], like: Tensor
    ) -> dict[Any, Tensor]:
        """Return the error of each adjoint, from those of the results."""
        found: dict[Any, Tensor] = {}
        for result, error in zip(self.heard_by, grads, strict=False):
            for node in self.heard_by[result] if error is not None else ():
                series = error
                if result[0] == "last":
                    series = torch.zeros_like(like)
                    series[-1] = error
                found[node] = found[node] + series if node in found else series
        return found

    def before(self, carried: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return the states before the first step by name, in their order; none at rest."""
        states = [state for state, _ in self.carried.values()]
        return dict(zip(states, carried, strict=False))

    def run(
        self,
        wanted: tuple[str, ...],
        twin: bool,
        heard: tuple[Adjoint, ...],
        in_loops: bool,
    ) -> Executor | TensorLoops:
        """Return the program to run, in which the adjoints ``heard`` have signals of their own.

        It is in compiled loops, where these can be, or on tensors.
        """
        asked = wanted, twin, heard, in_loops
        if asked not in self.made:
            program = replace(self.program, with_signal=heard)
            # a gain limit asks for singular values, and a check by differences for the twin
            if in_loops and not twin and "norm(" not in program.source():
                made: Any = TensorLoops(program, wanted)
            else:
                functions = functions_with(self.neuron.surrogate, twin=twin)
                made = Executor(program, functions, torch)
            self.made[asked] = made
        return self.made[asked]

    def states_of(
        self,
        run: Executor | TensorLoops,
        x: Tensor,
        learned: Sequence[Tensor],
        R: Tensor | None,
        carried: Sequence[Tensor],
    ) -> dict[str, Tensor]:
        """Return every state of all steps by name, and x with what recurrent weights add."""
        again = None
        if R is not None:
            x = x.clone()
            again = R.T.to(x.dtype)
        series = {"x": x, **{name: torch.empty_like(x) for name in self.states}}
        before = [*self.before(carried).values()]
        run.fill_states(x, series, self.constants(learned), again, before=before)
        return series

    def constants(self, learned: Sequence[Tensor]) -> list[Any]:
        """Return the constants in the order of the program, those that are learned as tensors."""
        own: Mapping[str, Any] = dict(zip(self.neuron.learned, learned, strict=True))
        return [
            own.get(name, value) for name, value in self.program.lines.constants.items()
        ]


def networks_of(layers: Sequence[tuple[AnyNeuron, bool]]) -> list[Table]:
    """Return networks of such layers: the loss reads the output, or the potential."""
    neurons = [as_neuron(neuron) for neuron, _ in layers]
    widths = ["1R" if recurrent else "1" for _, recurrent in layers]
    sizes = "-".join(["1", *widths])
    last = neurons[-1]
    read = dict.fromkeys([last.output, last.lines.potential])
    return [network(sizes, neurons, Loss(state)) for state in read]


def kept_by(rule: Rule, nets: Sequence[Table]) -> Table:
    """Return the first network in which the rule keeps a path from the loss; or else the first."""
    return next((net for net in nets if rule.keeps(net)), nets[0])


TensorFunction = Callable[..., Any]


def of_either(
    operation: TensorFunction, of_numbers: Callable[..., float]
) -> TensorFunction:
    """Return an operation on tensors and numbers, which of numbers makes a number.

    So what only constants decide needs no tensor, and a number is made a tensor on the device of
    the others: to bring it there from the CPU, a GPU would have to wait.
    """

    def of_both(*given: Any) -> Any:
        """Return a tensor, or a number."""
        tensors = [one for one in given if isinstance(one, Tensor)]
        if not tensors:
            return float(of_numbers(*given))
        like = tensors[0]
        for one in tensors:
            if one.ndim > like.ndim:
                like = one
        return operation(
            *(
                one if isinstance(one, Tensor) else like.new_full((), one)
                for one in given
            )
        )

    return of_both


def reached(v: Tensor) -> Tensor:
    """Return the spike: 1 where v >= 0, else 0."""
    return torch.ge(v, 0, out=torch.empty_like(v))


def norm(*entries: Any) -> Tensor:
    """Return the largest singular value of a square matrix, given row by row."""
    size = math.isqrt(len(entries))
    stacked = torch.stack(torch.broadcast_tensors(*entries), -1)
    return torch.linalg.matrix_norm(stacked.unflatten(-1, (size, size)), 2)


def _at_least(a: Tensor, b: Tensor) -> Tensor:
    return (a >= b).to((a if a.ndim else b).dtype)


FUNCTIONS: Mapping[str, TensorFunction] = {
    **{
        name: of_either(getattr(torch, name), getattr(math, name, getattr(np, name)))
        for name in SHARED
    },
    "minimum": of_either(torch.minimum, min),
    "maximum": of_either(torch.maximum, max),
    "at_least": of_either(_at_least, lambda a, b: float(a >= b)),
    "norm": of_either(norm, lambda *entries: norm(*map(torch.tensor, entries))),
}
"""What a program calls, beside the curves of the neuron."""


def functions_with(surrogate: Surrogate, *, twin: bool) -> dict[str, TensorFunction]:
    """Return the functions that the program of a neuron calls; on the twin, H for the spike."""
    h: TensorFunction = surrogate.derivative
    H: TensorFunction = surrogate.antiderivative
    if is_curve(surrogate):
        h, H = partial(surrogate.h, xp=torch), partial(surrogate.twin, xp=torch)
    return {**FUNCTIONS, "h": h, "spike": H if twin else reached}
