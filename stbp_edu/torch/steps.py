"""The neurons of a layer on tensors.

They run the program that is shown, and that NumPy runs, as a function of autograd: see
:mod:`stbp_edu.engine.array_program`. The weights from below are outside, so any module can
make the current; recurrent weights are inside.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.arrows.lines.layer_program import Adjoint as Node
from stbp_edu.arrows.lines.shown_program import programs
from stbp_edu.arrows.models import network
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.state_loss import Loss
from stbp_edu.arrows.table import LOSS, Arrow
from stbp_edu.engine.array_program import ArrayProgram, through
from stbp_edu.surrogates import Surrogate, is_curve
from stbp_edu.torch.carried_state import carried_nodes, passed_back
from stbp_edu.torch.first_derivative import only_once

TensorFunction = Callable[..., Any]


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
        self.made: dict[Any, ArrayProgram] = {}
        own, every = as_neuron(neuron), layers or [(neuron, recurrent)] * 3
        neurons = [as_neuron(one) for one, _ in every]
        sizes = "-".join(["1", *("1R" if again else "1" for _, again in every)])
        read = dict.fromkeys([neurons[-1].output, neurons[-1].lines.potential])
        nets = [network(sizes, neurons, Loss(f"of {state}", state)) for state in read]
        net = next((net for net in nets if rule.keeps(net)), nets[0])
        rule = rule.known_to(net)  # other layers may have arrows that it names
        self.net = net
        self.neuron, self.program = own, programs(net, rule)[number]
        self.states = [*self.program.lines.lines]
        nodes, readout = self.program.nodes, Arrow("readout", "o", LOSS)
        self.from_above = {node for node in nodes if self.program.signal(*node)}
        self.from_loss = {node for node in nodes if rule.move(node[1], readout)}
        again = {adjoint for adjoint, _, _ in self.program.from_recurrence}
        self.from_itself = [node for node in nodes if self.program.name(*node) in again]
        heard = {q: self.program.signal(s, q) for s, q in nodes if s == own.output}
        self.signals = {q: signal for q, signal in heard.items() if signal}
        # one tensor of outputs has one error; the rule may give several, or another to the loss
        outputs = {node for node in nodes if node[0] == own.output}
        several = len({*heard.values()}) > 1
        several |= self.from_above & outputs != self.from_loss & outputs
        self.copied = tuple(self.signals) if several else ()
        self.carried = carried_nodes(self.program)

    def __reduce__(self) -> Any:
        """Return the pickled form: functions are made again."""
        return Steps, self.given

    def incoming(
        self, grads: Sequence[Tensor | None], like: Tensor
    ) -> dict[Node, Tensor]:
        """Return the error of each adjoint: from the loss, from other layers, from later steps."""
        of_state = dict(zip(self.states, grads, strict=False))
        end = len(self.states) + len(self.copied)
        above = dict(zip(self.copied, grads[len(self.states) : end], strict=True))
        found: dict[Node, Tensor] = {}
        for state, q in self.program.nodes:
            heard = (state, q) in self.from_above
            parts = [above.get(q)] if heard else []
            if (heard and not above) or (state, q) in self.from_loss:
                parts.append(of_state.get(state))
            if there := [part for part in parts if part is not None]:
                found[state, q] = sum(there[1:], there[0])
        for (_, node), error in zip(self.carried.values(), grads[end:], strict=False):
            if node is not None and error is not None:
                found[node] = found.get(node, torch.zeros_like(like)).clone()
                found[node][-1] += error
        return found

    def before(self, carried: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return the states before the first step by name, in their order; none at rest."""
        values = zip(self.carried.values(), carried, strict=False)
        return {state: value for (state, _), value in values}

    @cached_property
    def read_by_the_step_before(self) -> list[str]:
        """The adjoints of the first step that its errors to the step before depend on."""
        later = [self.program.name(one.of, one.q) for one in self.program.next_adjoints]
        heads = [head for _, _, head in self.program.from_recurrence]
        return [*dict.fromkeys([*later, *heads])]

    def errors_of_carried(
        self,
        before: Mapping[str, Tensor],
        series: Mapping[str, Tensor],
        found: Mapping[str, Tensor],
        constants: Sequence[Any],
        R: Tensor | None,
    ) -> list[Tensor | None]:
        """Return the errors that the first step passes back to each carried state."""
        first = {name: states[0] for name, states in series.items()}
        adjoints = {name: found[name][0] for name in self.read_by_the_step_before}
        back = self.to_the_step_before(before, first, adjoints, constants)
        if R is not None:
            for name, _, head in self.program.from_recurrence:
                back[name] = back.get(name, 0.0) + through(adjoints[head], R)
        zeros = torch.zeros_like(next(iter(before.values())))
        return [
            None if node is None else zeros + back[self.program.name(*node)]
            for _, node in self.carried.values()
        ]

    @cached_property
    def to_the_step_before(self) -> TensorFunction:
        """What the first step passes back to the carried states."""
        return passed_back(self.program, self.functions(twin=False))

    def functions(self, *, twin: bool) -> dict[str, TensorFunction]:
        """Return the functions that a program calls."""
        h, H = curves(self.neuron.surrogate)
        return {**FUNCTIONS, "h": h, "spike": H if twin else reached}

    def run(
        self, wanted: tuple[str, ...], twin: bool, heard: tuple[Node, ...]
    ) -> ArrayProgram:
        """Return the program to run, in which the adjoints ``heard`` have signals of their own."""
        asked = wanted, twin, heard
        if asked not in self.made:
            program = replace(self.program, with_signal=heard).needed_for(wanted)
            functions = self.functions(twin=twin)
            self.made[asked] = ArrayProgram(program, functions, twin, torch)
        return self.made[asked]

    def constants(self, learned: Sequence[Tensor]) -> list[Any]:
        """Return the constants in the order of the program, those that are learned as tensors."""
        own = dict(zip(self.neuron.learned, learned, strict=True))
        return [
            own.get(name, value) for name, value in self.program.lines.constants.items()
        ]


class Neurons(torch.autograd.Function):
    """The neurons of a layer.

    Its arguments are the steps; whether H takes the place of the spike; for each current the
    adjoint that it is to get; the recurrent weights, or None; whether states are carried on, and
    how many come in; and then tensors: the currents, which are equal, what is learned, and the
    carried states. It returns the states, in the order of the neuron's lines, the output once more
    for each of several signals, and the states to carry on.
    """

    @staticmethod
    def forward(
        ctx: Any,
        steps: Steps,
        twin: bool,
        heads: tuple[str, ...],
        R: Tensor | None,
        carries: bool,
        carried: int,
        *given: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return every state of every step, each of the current's shape."""
        end = len(given) - carried
        learned, before = given[len(heads) : end], steps.before(given[end:])
        wanted = tuple(dict.fromkeys(heads))
        run = steps.run(wanted, twin, tuple(steps.program.nodes))
        x = given[0].clone() if R is not None else given[0]
        series = {"x": x, **{name: torch.empty_like(x) for name in steps.states}}
        again = None if R is None else R.T.to(x.dtype)
        constants = steps.constants(learned)
        run.fill_states(x, series, constants, again, before=[*before.values()])
        output = series[steps.neuron.output]
        states = {one.of for one in steps.program.states_read}
        read = [k for k in series if k == steps.neuron.output or k in states]
        kept = [series[name] for name in read]
        ctx.save_for_backward(R, *learned, *kept, *before.values())
        ctx.setting = steps, wanted, twin, heads, read, [*before]
        ctx.set_materialize_grads(False)
        copies = [output.view_as(output) for _ in steps.copied]
        last = []
        if carries:
            last = [series[state][-1].clone() for state, _ in steps.carried.values()]
        return *(series[k] for k in steps.states), *copies, *last

    @staticmethod
    @only_once
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        """Return the adjoint that each current is to get, and gradients of what is learned."""
        steps, wanted, twin, heads, read, carried = ctx.setting
        R, *saved = ctx.saved_tensors
        before = dict(zip(carried, saved[len(saved) - len(carried) :], strict=True))
        saved = saved[: len(saved) - len(carried)]
        learned, kept = saved[: -len(read)], saved[-len(read) :]
        series = dict(zip(read, kept, strict=True))
        output = series[steps.neuron.output]
        if carried:
            wanted = tuple(dict.fromkeys([*wanted, *steps.read_by_the_step_before]))
        found = {name: torch.empty_like(output) for name in wanted}
        again = None if R is None else R.to(output.dtype)
        fixed, incoming = steps.constants(learned), steps.incoming(grads, output)
        heard = steps.from_itself if R is not None else ()
        if torch.compiler.is_compiling():  # it finds the program that forward has made
            heard = steps.program.nodes
        incoming = {**dict.fromkeys(heard, torch.zeros_like(output)), **incoming}
        run = steps.run(wanted, twin, tuple(incoming))
        signals = {
            run.signal_of[node]: error
            for node, error in incoming.items()
            if node in run.signal_of
        }
        sums = run.fill_adjoints(series, signals, found, fixed, again, before)
        zeros = torch.zeros_like(output[0])  # where all is cut, a sum is the number 0
        summed = zip(steps.neuron.learned, learned, strict=True)
        own = [(zeros + sums[name]).sum_to_size(value.shape) for name, value in summed]
        of_R, of_carried = None, []
        if R is not None:
            below, d = output[:-1].flatten(2), found[steps.program.start].flatten(2)
            of_R = torch.einsum("tsi,tsj->ij", d[1:], below)  # p2-recur-r
            if carried:
                of_R = of_R + d[0].T @ before[steps.neuron.output].flatten(1)
            of_R = of_R.to(R.dtype)
        if carried:
            of_carried = steps.errors_of_carried(before, series, found, fixed, again)
        errors = [found[head] for head in heads]
        return None, None, None, of_R, None, None, *errors, *own, *of_carried


def curves(surrogate: Surrogate) -> tuple[TensorFunction, TensorFunction]:
    """Return h and H of a tensor; of a surrogate of your own, its methods."""
    if is_curve(surrogate):
        return partial(surrogate.h, xp=torch), partial(surrogate.twin, xp=torch)
    return surrogate.derivative, surrogate.antiderivative


def _tensor(value: Any) -> Tensor:
    """Return a tensor; of a number one that leaves the others their dtype."""
    return (
        value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)
    )


def _on_tensors(operation: TensorFunction) -> TensorFunction:
    """Return an operation on tensors that takes numbers, too."""
    return lambda *given: operation(*map(_tensor, given))


def reached(v: Tensor) -> Tensor:
    """Return the spike: 1 where v >= 0, else 0."""
    return torch.ge(v, 0, out=torch.empty_like(v))


def norm(*entries: Any) -> Tensor:
    """Return the largest singular value of a square matrix, given row by row."""
    size = math.isqrt(len(entries))
    stacked = torch.stack(torch.broadcast_tensors(*map(_tensor, entries)), -1)
    return torch.linalg.matrix_norm(stacked.unflatten(-1, (size, size)), 2)


FUNCTIONS: Mapping[str, TensorFunction] = {
    **{
        name: _on_tensors(getattr(torch, name))
        for name in ("exp", "log", "tanh", "sqrt")
    },
    "minimum": _on_tensors(lambda a, b: torch.where(b >= a, a, b)),
    "maximum": _on_tensors(lambda a, b: torch.where(a >= b, a, b)),
    "at_least": _on_tensors(lambda a, b: (a >= b).to((a if a.ndim else b).dtype)),
    "norm": norm,
}
"""What a program calls, beside the curves of the neuron."""
