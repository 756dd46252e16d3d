"""The steps of a layer on tensors: its program, and which errors it keeps apart."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stbp_edu.arrows.arrow import LOSS, Arrow
from stbp_edu.arrows.layer_program import LayerProgram
from stbp_edu.arrows.rules import Node, Rule
from stbp_edu.arrows.table import Loss, Table, network
from stbp_edu.lines.forward_lines import reachable
from stbp_edu.lines.operations import SHARED
from stbp_edu.networks.arguments import AnyNeuron, as_neuron
from stbp_edu.program.executor import Executor
from stbp_edu.surrogates import Surrogate, is_curve
from stbp_edu.torch.tensor_loops import TensorLoops


class Steps:
    """The steps of a neuron under a rule, in a layer between any others.

    Attributes:
        rule: the rule.
        net: a network of two such layers.
        program: the program of the first one; it has an adjoint for each state of the rule in
            which errors may come, whatever layers there are around it.
        passes: the states of the rule in which errors come from the layer above.
        copied: those of them for which the output is copied: where their errors differ.
        carried: the carried states by name, each with the adjoint that comes back to it, or None.
        passes_back: whether what comes back to them follows from the first step and from them.
        kept: the states that a step back reads, and the output.
        heard_by: for each result of a layer, the adjoints that its error comes to. The results are
            the states, the copies of the output, and the carried states.
        from_itself: the adjoints to which recurrent weights add.
        compiled: the program that ``torch.compile`` follows: it keeps all errors apart.
    """

    def __init__(self, neuron: AnyNeuron, rule: Rule, recurrent: bool) -> None:
        self.given = neuron, rule, recurrent
        self.rule = rule
        self.neuron = as_neuron(neuron)
        width = "1R" if recurrent else "1"
        loss = Loss(self.neuron.output)
        self.net = network(["1", width, width], self.neuron, loss)
        self.program = program = program_for_any_layers(self.net, rule)
        self.states = [*program.lines.lines]
        self.carried = carried_states(program)
        self.passes_back = program.before is not None
        again = {name for name, _, _ in program.from_recurrence}
        self.from_itself = [n for n in program.nodes if program.name(*n) in again]
        read = {self.neuron.output, *(state for state, _ in program.states_read)}
        self.kept = [name for name in ("x", *self.states) if name in read]
        readout = Arrow("readout", "o", LOSS)
        from_loss = [node for node in program.nodes if rule.move(node[1], readout)]
        self.passes, self.copied = errors_of_the_output(program, from_loss)
        self.heard_by: list[list[Node]] = [
            *(
                [node for node in from_loss if node[0] == state]
                for state in self.states
            ),
            *([(self.neuron.output, q)] for q in self.copied),
            *([node] if node else [] for _, node in self.carried.values()),
        ]
        self.made: dict[Any, Executor | TensorLoops] = {}
        self.compiled = self.run((), tuple(program.nodes), in_loops=False)

    def __reduce__(self) -> Any:
        """Return the pickled form: functions are made again."""
        return Steps, self.given

    def by_kind(self, results: Sequence[Tensor]) -> list[dict[str, Tensor]]:
        """Return states, copies of the output and carried states by name."""
        left = iter(results)
        return [
            dict(zip(names, left, strict=False))
            for names in (self.states, self.copied, self.carried)
        ]

    def incoming(
        self, grads: Sequence[Tensor | None], like: Tensor
    ) -> dict[Node, Tensor]:
        """Return the error of each adjoint, from those of the results."""
        found: dict[Node, Tensor] = {}
        for nodes, error in zip(self.heard_by, grads, strict=False):
            if error is None:
                continue
            series = error
            if error.ndim < like.ndim:  # of the last step
                series = torch.zeros_like(like)
                series[-1] = error
            for node in nodes:
                found[node] = found[node] + series if node in found else series
        return found

    def before(self, carried: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return the states before the first step by name, in their order; none at rest."""
        states = [state for state, _ in self.carried.values()]
        return dict(zip(states, carried, strict=False))

    def run(
        self,
        wanted: tuple[str, ...],
        heard: tuple[Node, ...],
        in_loops: bool,
    ) -> Executor | TensorLoops:
        """Return the program to run, in which the adjoints ``heard`` have signals of their own.

        It is on tensors, or where these can be in compiled loops, which keep those ``wanted``.
        """
        asked = wanted if in_loops else (), heard
        if asked not in self.made:
            program = replace(self.program, with_signal=heard)
            # a gain limit asks for singular values
            if in_loops and "norm(" not in program.source():
                made: Any = TensorLoops(program, wanted)
            else:
                functions = functions_with(self.neuron.surrogate)
                made = Executor(program, functions, torch)
            self.made[asked] = made
        return self.made[asked]

    def constants(self, learned: Sequence[Tensor]) -> list[Any]:
        """Return the constants in the order of the program, those that are learned as tensors."""
        own: Mapping[str, Any] = dict(zip(self.neuron.learned, learned, strict=True))
        return [
            own.get(name, value) for name, value in self.program.lines.constants.items()
        ]


def program_for_any_layers(net: Table, rule: Rule) -> LayerProgram:
    """Return the program of layer 1, with an adjoint wherever an error can be."""
    followed = reachable([rule.start], lambda q: filter(None, rule.moves[q].values()))
    entered = net.layers[1].neuron.entered
    from_above = [(1, *node) for node in product(entered, followed)]
    nodes = [(state, q) for n, state, q in rule.places(net, from_above) if n == 1]
    each_as_it_is = {node: node[1] for node in product(net.states[1], rule.moves)}
    return LayerProgram(net, 1, rule, each_as_it_is, nodes)


def errors_of_the_output(
    program: LayerProgram, from_loss: Sequence[Node]
) -> tuple[list[str], list[str]]:
    """Return the states of the rule in which errors come from above, and those to copy for.

    One tensor of outputs has one error. The rule may give it several, or another from above than
    from the loss; then the output is copied for each state.
    """
    outputs = [node for node in program.nodes if node[0] == program.neuron.output]
    from_above = [node for node in outputs if program.signal_of.get(node)]
    passes = [q for _, q in from_above]
    signals = {program.signal_of.get(node) for node in outputs}
    alike = from_above == [node for node in outputs if node in from_loss]
    return passes, passes if len(signals) > 1 or not alike else []


def carried_states(program: LayerProgram) -> dict[str, tuple[str, Node | None]]:
    """Return the carried states of a layer by name, each with the adjoint that comes back to it.

    A state to which several errors come back is carried once for each.
    """
    back = {name for name, _, _ in program.from_recurrence}
    later = {f"{name}_next" for name in program.next_adjoints}
    for row in program.rows:
        if any(term.of in later for term in row.terms):
            back.add(row.name)
    found: dict[str, tuple[str, Node | None]] = {}
    for state in program.lines.lines:
        own = [node for node in program.nodes if node[0] == state]
        nodes = [node for node in own if program.name(*node) in back]
        for node in nodes:
            name = state if len(nodes) == 1 else ", ".join(node)
            found[name] = state, node
        if not nodes:
            found[state] = state, None
    return found


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
        full = [
            one if isinstance(one, Tensor) else like.new_full((), one) for one in given
        ]
        return operation(*full)

    return of_both


def reached(v: Tensor) -> Tensor:
    """Return the spike: 1 where v >= 0, else 0."""
    return torch.ge(v, 0, out=torch.empty_like(v))


def norm(*entries: Any) -> Tensor:
    """Return the largest singular value of a square matrix, given row by row."""
    size = math.isqrt(len(entries))
    stacked = torch.stack(torch.broadcast_tensors(*entries), -1)
    return torch.linalg.matrix_norm(stacked.unflatten(-1, (size, size)), 2)


FUNCTIONS: Mapping[str, TensorFunction] = {
    **{
        name: of_either(getattr(torch, name), getattr(math, name, getattr(np, name)))
        for name in SHARED
    },
    "minimum": of_either(torch.minimum, min),
    "maximum": of_either(torch.maximum, max),
    "at_least": of_either(
        lambda a, b: (a >= b).to(a.dtype), lambda a, b: float(a >= b)
    ),
    "norm": of_either(norm, lambda *entries: norm(*map(torch.tensor, entries))),
}
"""What a program calls, beside the curves of the neuron."""


def functions_with(surrogate: Surrogate) -> dict[str, TensorFunction]:
    """Return the functions that the program of a neuron calls."""
    h: TensorFunction = surrogate.derivative
    if is_curve(surrogate):
        h = partial(surrogate.h, xp=torch)
    return {**FUNCTIONS, "h": h, "spike": reached}
