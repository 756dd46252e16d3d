"""The steps of a layer on tensors: its program, and which errors it keeps apart."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.arrows.arrow import LOSS, Arrow
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.state_loss import Loss
from stbp_edu.arrows.step.layer_program import Adjoint as Node
from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.arrows.step.shown_program import programs
from stbp_edu.arrows.table import Table, network
from stbp_edu.engine.array_program import ArrayProgram, passed_on, through
from stbp_edu.torch.carried_state import carried_nodes, passed_back
from stbp_edu.torch.tensor_functions import TensorFunction, functions_with
from stbp_edu.torch.tensor_loops import TensorLoops

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
        output = self.neuron.output
        if not layers:
            layers = [(neuron, recurrent)] * 3
        nets = networks_of(layers)
        self.net = kept_by(rule, nets)
        rule = rule.known_to(self.net)  # other layers may have arrows that it names
        program = programs(self.net, rule)[number]
        self.program = program
        self.states = [*program.lines.lines]
        self.carried = carried_nodes(program)
        self.from_above: set[Node] = set()
        self.from_loss: set[Node] = set()
        self.from_itself: list[Node] = []
        readout = Arrow("readout", "o", LOSS)
        again = {adjoint for adjoint, _, _ in program.from_recurrence}
        heads = [head for _, _, head in program.from_recurrence]
        passed = [*passed_on(program), *heads]
        self.read_by_the_step_before = [*dict.fromkeys(passed)]
        for node in program.nodes:
            _, q = node
            if program.signal(*node):
                self.from_above.add(node)
            if rule.move(q, readout):
                self.from_loss.add(node)
            if program.name(*node) in again:
                self.from_itself.append(node)
        outputs = [node for node in program.nodes if node[0] == output]
        heard = {q: program.signal(state, q) for state, q in outputs}
        self.signals = {q: signal for q, signal in heard.items() if signal}
        # one tensor of outputs has one error; the rule may give several, or another to the loss
        different = {*heard.values()}
        several = len(different) > 1
        for node in outputs:
            if (node in self.from_above) != (node in self.from_loss):
                several = True
        self.copied: tuple[str, ...] = ()
        if several:
            self.copied = tuple(self.signals)
        read = {one.of for one in program.states_read}
        read.add(output)
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
        of_copies = results[first:end]
        of_carried = results[end:]
        copies = dict(zip(self.copied, of_copies, strict=True))
        carried = dict(zip(self.carried, of_carried, strict=False))
        return states, copies, carried

    def incoming(
        self, grads: Sequence[Tensor | None], like: Tensor
    ) -> dict[Node, Tensor]:
        """Return the error of each adjoint: from the loss, from other layers, from later steps."""
        of_states, of_copies, of_carried = self.by_name(grads)
        found: dict[Node, Tensor] = {}
        for node in self.program.nodes:
            state, q = node
            error = None
            by_state = node in self.from_loss
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
        states = [state for state, _ in self.carried.values()]
        return dict(zip(states, carried, strict=False))

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
                recurrent = through(adjoints[head], R)
                back[name] = back.get(name, 0.0) + recurrent
        some = next(iter(before.values()))
        zeros = torch.zeros_like(some)
        errors: list[Tensor | None] = []
        for _, node in self.carried.values():
            error = None
            if node is not None:
                name = self.program.name(*node)
                error = zeros + back[name]
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
            program = replace(self.program, with_signal=heard)
            needed = program.needed_for(wanted)
            made = self._made(needed, wanted, twin, in_loops)
            name = f"program_{len(self.made)}"
            setattr(self, name, made)
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
        return ArrayProgram(program, functions, torch)

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


def networks_of(layers: Sequence[tuple[AnyNeuron, bool]]) -> list[Table]:
    """Return networks of such layers: the loss reads the output, or the potential."""
    neurons = [as_neuron(neuron) for neuron, _ in layers]
    widths = ["1R" if recurrent else "1" for _, recurrent in layers]
    sizes = "-".join(["1", *widths])
    last = neurons[-1]
    read = dict.fromkeys([last.output, last.lines.potential])
    return [network(sizes, neurons, Loss(f"of {state}", state)) for state in read]


def kept_by(rule: Rule, nets: Sequence[Table]) -> Table:
    """Return the first network in which the rule keeps a path from the loss; or else the first."""
    for net in nets:
        if rule.keeps(net):
            return net
    return nets[0]
