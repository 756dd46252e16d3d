"""The neurons of a layer on tensors.

They run the program that is shown, and that NumPy runs, as a function of autograd: see
:mod:`stbp_edu.engine.array_program`. The weights from below are outside, so any module can
make the current; recurrent weights are inside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.arrows.lines.layer_program import Adjoint as Node
from stbp_edu.arrows.lines.layer_program import LayerProgram
from stbp_edu.arrows.lines.shown_program import programs
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import LOSS, Arrow
from stbp_edu.engine.array_program import ArrayProgram, passed_on, through
from stbp_edu.torch.carried_state import carried_nodes, passed_back
from stbp_edu.torch.currents import recurrent_gradient
from stbp_edu.torch.first_derivative import only_once
from stbp_edu.torch.layers_around import kept_by, networks_of
from stbp_edu.torch.loops import TensorLoops, go_in_loops
from stbp_edu.torch.tensor_functions import TensorFunction, functions_with

Named = dict[str, Any]
"""Tensors by name, or None where there is none."""


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
        made: by what was asked for, the attributes that hold the programs to run.
        step_before: what the first step passes back to the carried states, once it is made.
        read_by_the_step_before: the adjoints of the first step which that depends on.
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
        self.made: dict[Any, str] = {}
        self.step_before: TensorFunction | None = None
        self.neuron = as_neuron(neuron)
        self.net = kept_by(rule, networks_of(layers or [(neuron, recurrent)] * 3))
        rule = rule.known_to(self.net)  # other layers may have arrows that it names
        self.program = programs(self.net, rule)[number]
        self.states = [*self.program.lines.lines]
        self.carried = carried_nodes(self.program)
        self.from_above: set[Node] = set()
        self.from_loss: set[Node] = set()
        self.from_itself: list[Node] = []
        readout = Arrow("readout", "o", LOSS)
        again = {adjoint for adjoint, _, _ in self.program.from_recurrence}
        heads = [head for _, _, head in self.program.from_recurrence]
        passed = [*passed_on(self.program), *heads]
        self.read_by_the_step_before = [*dict.fromkeys(passed)]
        for node in self.program.nodes:
            if self.program.signal(*node):
                self.from_above.add(node)
            if rule.move(node[1], readout):
                self.from_loss.add(node)
            if self.program.name(*node) in again:
                self.from_itself.append(node)
        outputs = [node for node in self.program.nodes if node[0] == self.neuron.output]
        heard = {q: self.program.signal(state, q) for state, q in outputs}
        self.signals = {q: signal for q, signal in heard.items() if signal}
        # one tensor of outputs has one error; the rule may give several, or another to the loss
        several = len({*heard.values()}) > 1
        for node in outputs:
            if (node in self.from_above) != (node in self.from_loss):
                several = True
        self.copied = tuple(self.signals) if several else ()
        read = {self.neuron.output, *(one.of for one in self.program.states_read)}
        every = dict.fromkeys(["x", *self.states])
        self.kept = [name for name in every if name in read]

    def __reduce__(self) -> Any:
        """Return the pickled form: functions are made again."""
        return Steps, self.given

    def by_name(self, results: Sequence[Any]) -> tuple[Named, Named, Named]:
        """Return the states, the copies of the output, and the carried states, by name.

        ``results`` is what :class:`Neurons` returns, or the error of each.
        """
        first = len(self.states)
        end = first + len(self.copied)
        states = dict(zip(self.states, results, strict=False))
        copies = dict(zip(self.copied, results[first:end], strict=True))
        carried = dict(zip(self.carried, results[end:], strict=False))
        return states, copies, carried

    def incoming(
        self, grads: Sequence[Tensor | None], like: Tensor
    ) -> dict[Node, Tensor]:
        """Return the error of each adjoint: from the loss, from other layers, from later steps."""
        of_states, of_copies, of_carried = self.by_name(grads)
        found: dict[Node, Tensor] = {}
        for node in self.program.nodes:
            state, q = node
            error, by_state = None, node in self.from_loss
            if node in self.from_above:
                error = of_copies.get(q)
                by_state |= not self.copied
            if by_state:
                error = added(error, of_states.get(state))
            if error is not None:
                found[node] = error
        for name, error in of_carried.items():
            _, node = self.carried[name]
            if node is not None and error is not None:
                found[node] = found.get(node, torch.zeros_like(like)).clone()
                found[node][-1] += error
        return found

    def before(self, carried: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return the states before the first step by name, in their order; none at rest."""
        values = zip(self.carried.values(), carried, strict=False)
        return {state: value for (state, _), value in values}

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
        self.make_step_before()
        assert self.step_before is not None
        back = self.step_before(before, first, adjoints, constants)
        if R is not None:
            for name, _, head in self.program.from_recurrence:
                back[name] = back.get(name, 0.0) + through(adjoints[head], R)
        zeros = torch.zeros_like(next(iter(before.values())))
        errors: list[Tensor | None] = []
        for _, node in self.carried.values():
            error = None
            if node is not None:
                error = zeros + back[self.program.name(*node)]
            errors.append(error)
        return errors

    @torch.compiler.assume_constant_result
    def make_step_before(self) -> None:
        """Make the attribute ``step_before``."""
        if self.step_before is None:
            functions = functions_with(self.neuron.surrogate, twin=False)
            self.step_before = passed_back(self.program, functions)

    def run(
        self,
        wanted: tuple[str, ...],
        twin: bool,
        heard: tuple[Node, ...],
        in_loops: bool,
    ) -> ArrayProgram | TensorLoops:
        """Return the program to run, in which the adjoints ``heard`` have signals of their own."""
        name = self.attribute_of(wanted, twin, heard, in_loops)
        program: ArrayProgram | TensorLoops = getattr(self, name)
        return program

    @torch.compiler.assume_constant_result
    def attribute_of(
        self,
        wanted: tuple[str, ...],
        twin: bool,
        heard: tuple[Node, ...],
        in_loops: bool,
    ) -> str:
        """Return the attribute that holds a program, which is made where there is none.

        ``torch.compile`` calls this, and does not follow how a program is made.
        """
        asked = wanted, twin, heard, in_loops
        if asked not in self.made:
            program = replace(self.program, with_signal=heard).needed_for(wanted)
            name = f"program_{len(self.made)}"
            setattr(self, name, self._made(program, wanted, twin, in_loops))
            self.made[asked] = name
        return self.made[asked]

    def _made(
        self, program: LayerProgram, wanted: tuple[str, ...], twin: bool, in_loops: bool
    ) -> ArrayProgram | TensorLoops:
        """Return a program in compiled loops, where these can be, or on tensors."""
        if in_loops:
            loops = TensorLoops(program, wanted, twin)
            if loops.steps.on_arrays is None:
                return loops
        functions = functions_with(self.neuron.surrogate, twin=twin)
        return ArrayProgram(program, functions, twin, torch)

    def constants(self, learned: Sequence[Tensor]) -> list[Any]:
        """Return the constants in the order of the program, those that are learned as tensors."""
        own = dict(zip(self.neuron.learned, learned, strict=True))
        constants = {**self.program.lines.constants, **own}
        return [*constants.values()]


def added(error: Tensor | None, other: Tensor | None) -> Tensor | None:
    """Return the sum of two errors, where None is none."""
    if error is None:
        return other
    if other is None:
        return error
    return error + other


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
        learned, came_in = given[len(heads) : end], given[end:]
        x = given[0]
        if R is not None:
            x = x.clone()
        series = {"x": x}
        for name in steps.states:
            series[name] = torch.empty_like(x)
        wanted = tuple(dict.fromkeys(heads))
        in_loops = go_in_loops(x, steps.neuron.surrogate, carried)
        run = steps.run(wanted, twin, tuple(steps.program.nodes), in_loops)
        again = None if R is None else R.T.to(x.dtype)
        constants = steps.constants(learned)
        before = steps.before(came_in)
        run.fill_states(x, series, constants, again, before=[*before.values()])
        kept = [series[name] for name in steps.kept]
        ctx.save_for_backward(R, *learned, *kept, *came_in)
        ctx.setting = steps, twin, heads, carried
        ctx.set_materialize_grads(False)
        output = series[steps.neuron.output]
        states = [series[name] for name in steps.states]
        copies = [output.view_as(output) for _ in steps.copied]
        last = []
        if carries:
            last = [series[state][-1].clone() for state, _ in steps.carried.values()]
        return *states, *copies, *last

    @staticmethod
    @only_once
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        """Return the adjoint that each current is to get, and gradients of what is learned."""
        steps, twin, heads, carried = ctx.setting
        R, *saved = ctx.saved_tensors
        end = len(saved) - carried
        start = end - len(steps.kept)
        learned = saved[:start]
        series = dict(zip(steps.kept, saved[start:end], strict=True))
        before = steps.before(saved[end:])
        output = series[steps.neuron.output]
        every = [*heads]
        if carried:
            every += steps.read_by_the_step_before
        wanted = tuple(dict.fromkeys(every))
        found = {name: torch.empty_like(output) for name in wanted}
        heard = steps.from_itself if R is not None else ()
        if torch.compiler.is_compiling():  # it finds the program that forward has made
            heard = steps.program.nodes
        arrived = steps.incoming(grads, output)
        silent = {
            node: torch.zeros_like(output) for node in heard if node not in arrived
        }
        incoming = {**dict.fromkeys(heard), **arrived, **silent}
        in_loops = go_in_loops(output, steps.neuron.surrogate, carried)
        run = steps.run(wanted, twin, tuple(incoming), in_loops)
        signals = {}
        for node, error in incoming.items():
            if node in run.signal_of:
                signals[run.signal_of[node]] = error
        constants = steps.constants(learned)
        again = None if R is None else R.to(output.dtype)
        sums = run.fill_adjoints(series, signals, found, constants, again, before)
        errors = [found[head] for head in heads]
        of_learned, of_R, of_carried = [], None, []
        for name, value in zip(steps.neuron.learned, learned, strict=True):
            # where all is cut, a sum is the number 0
            of_each = torch.zeros_like(output[0]) + sums[name]
            of_learned.append(of_each.sum_to_size(value.shape))
        if R is not None:
            first = before.get(steps.neuron.output)
            of_R = recurrent_gradient(found[steps.program.start], output, first)
            of_R = of_R.to(R.dtype)
        if carried:
            of_carried = steps.errors_of_carried(
                before, series, found, constants, again
            )
        return None, None, None, of_R, None, None, *errors, *of_learned, *of_carried
