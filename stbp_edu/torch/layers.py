"""A layer of neurons on any weights, as a module."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from stbp_edu._support import checks
from stbp_edu.arrows.any_neuron import AnyNeuron, warn_of_no_decay
from stbp_edu.arrows.finite_states import first_not_finite
from stbp_edu.arrows.rules import Rule, with_gain_limit
from stbp_edu.neuron import LIF
from stbp_edu.torch.carried_state import CarriedState, check_state
from stbp_edu.torch.currents import (
    all_finite,
    can_be_looked_at,
    check_input,
    check_rerun,
    check_sequence,
    current_of,
    shape_of,
)
from stbp_edu.torch.neurons import Neurons
from stbp_edu.torch.state_dict import as_array, key_of, name_of
from stbp_edu.torch.steps import Steps

WHOLE: Any = MappingProxyType({})
"""In place of a state: the series comes whole, and no state is returned."""
Copies = Mapping[str, Tensor]
"""Spikes, once for each state of the rule in which an error comes back to them."""


class LIFLayer(nn.Module):
    """Weights, and the neurons that they feed: leaky integrate-and-fire, or any that is derived.

    Args:
        weights: a module that turns a batch of inputs into one of currents: ``nn.Linear``,
            ``nn.Conv2d``, an ``nn.Sequential`` that ends in one, ``nn.Identity``, ...
        neuron: an ``LIF``, or what ``stbp_edu.derive`` returns.
        rule: what flows backward: a name in ``stbp_edu.arrows.RULES``, or a ``Rule``.
        gain_limit: the size that no neuron's gain from step to step may exceed; None for none.
        recurrent: whether the spikes come back at the next step, through weights ``R``.
        shape: the neurons' shape, which recurrent weights and constants of each neuron ask for
            where the weights do not end in ``nn.Linear``.

    Attributes:
        learned: the constants that the neuron learns, by name.
        R: the recurrent weights, or None.

    Raises:
        TypeError, ValueError: if an argument is none of these.

    >>> from stbp_edu import LIF
    >>> layer = LIFLayer(nn.Linear(4, 3), LIF(tau=0.5))
    >>> layer(torch.ones(10, 2, 4)).shape
    torch.Size([10, 2, 3])
    """

    def __init__(
        self,
        weights: nn.Module,
        neuron: AnyNeuron,
        rule: str | Rule = "exact",
        gain_limit: float | None = None,
        *,
        recurrent: bool = False,
        shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.weights = checks.instance("weights", weights, nn.Module)
        checks.instance("recurrent", recurrent, bool)
        self.neuron = neuron
        self.steps = Steps(neuron, with_gain_limit(gain_limit, rule), recurrent)
        table = self.steps.neuron
        like = next(weights.parameters(), torch.zeros(()))
        of_one: tuple[int, ...] = ()
        if recurrent or table.each or shape is not None:
            of_one = shape_of(weights, shape)
        learned = {}
        for name in table.learned:
            extent = of_one if name in table.each else ()
            learned[key_of(name)] = like.new_full(extent, table.lines.constants[name])
        self.learned = nn.ParameterDict(learned)
        self.R = None
        if recurrent:
            size = math.prod(of_one)
            R = like.new_empty(size, size).uniform_(-1, 1)
            self.R = nn.Parameter(R / math.sqrt(size))

    @property
    def rule(self) -> Rule:
        """What flows backward; it is fixed."""
        return self.steps.given[1]

    def forward(
        self, spikes: Tensor, state: CarriedState | None = WHOLE, *, twin: bool = False
    ) -> Any:
        """Return the output: spikes, or the potentials of a read-out; perhaps with a state.

        Args:
            spikes: the input, shape (T, S, ...): of the weights' dtype, on their device.
            state: where a series comes in parts: None at its beginning, and then the state that
                was returned with the part before. The result is then the pair (output, state).
                Two halves have the outputs and the gradients of the whole; ``detached`` of
                :mod:`stbp_edu.torch` cuts what goes back from one part to the other.
            twin: whether H takes the place of the spike, so finite differences are valid.

        Raises:
            TypeError, ValueError: if the input is none that the weights take, or is not finite; or
                under rules with an error of its own for the layer below, if they cannot run twice.
        """
        self.rule.check_names(self.steps.net)
        if self.steps.copied and check_sequence(spikes).grad_fn is not None:
            raise ValueError(
                f"rule {self.rule.name!r} must hand several errors to the layer below, which one "
                "tensor of spikes cannot carry; put the layers into a LIFNetwork"
            )
        ran = run_modules([self], spikes, twin, [state])
        if state is WHOLE:
            return ran.output
        return ran.output, ran.carried[0]

    def run(
        self,
        copies: Copies,
        twin: bool,
        number: int,
        state: CarriedState | None,
    ) -> tuple[dict[str, Tensor], Copies, CarriedState]:
        """Return the states, the output for each error that comes back to it, and what is carried.

        ``number`` is that of the layer in its network, for an error; ``state`` is as in
        :meth:`forward`, and without one nothing is carried.
        """
        checks.instance("twin", twin, bool)
        steps = self.steps
        wanted, currents = self._currents(copies)
        dtype = torch.promote_types(currents[0].dtype, torch.float32)
        currents = [x.to(dtype) for x in currents]
        before = [one.to(dtype) for one in self._carried_in(state, currents[0])]
        constants = [self.learned[key_of(name)] for name in steps.neuron.learned]
        learned = [one.to(dtype) for one in constants]
        x = currents[0]
        if learned and x.device.type == "cpu" and can_be_looked_at(x):
            warn_of_no_decay(steps.neuron.lines, self._learned_values())
        found = Neurons.apply(
            steps,
            twin,
            (*wanted,),
            self.R,
            state is not WHOLE,
            len(before),
            number,
            *currents,
            *learned,
            *before,
        )
        states, copied, last = (
            steps.by_kind(found, kind) for kind in ("state", "copy", "last")
        )
        spike = steps.neuron.lines.spike  # of NaN >= 0 it makes 0, and is not looked at
        looked_at = [one for name, one in states.items() if name != spike]
        if not all_finite([*looked_at, x]):
            with torch.no_grad():
                run = steps.run((), twin, (), in_loops=False)
                series = steps.states_of(run, x, learned, self.R, before)
            arrays = {name: as_array(one) for name, one in series.items()}
            learned_values = self._learned_values()
            said = first_not_finite(steps.neuron, arrays, learned_values, number)
            raise checks.NotFiniteError(f"{said}, behind {self.weights}")
        if not copied and steps.signals:
            copied = {next(iter(steps.signals)): states[steps.neuron.output]}
        return states, copied, last

    def _learned_values(self) -> dict[str, Any]:
        """Return what is learned by name, as arrays."""
        return {name_of(key): as_array(p) for key, p in self.learned.items()}

    def _currents(self, copies: Copies) -> tuple[list[str], list[Tensor]]:
        """Return the adjoints that come back through the weights, and a current for each.

        The first is for the weights, the others for the layer below; mostly one does for both.
        """
        program = self.steps.program
        spikes = next(iter(copies.values()))
        followed = {q: o for q, o in copies.items() if o.requires_grad}
        heads = {q: program.from_weights(q) for q in followed}
        if [*heads.values()] in ([], [program.start]):
            return [program.start], [current_of(self.weights, spikes)]
        # the error for the layer below is another than that for the weights
        check_rerun("weights", self.weights, self.rule)
        wanted = [program.start]
        currents = [current_of(self.weights, spikes.detach())]
        for q, head in heads.items():
            if head:
                wanted.append(head)
                currents.append(current_of(self.weights, followed[q], fixed=True))
        return wanted, currents

    def _carried_in(self, state: CarriedState | None, like: Tensor) -> Sequence[Tensor]:
        """Return the carried states that come in; none if the layer begins at rest."""
        if state is WHOLE:
            return ()
        if self.rule.block is not None:
            raise ValueError(
                f"rule {self.rule.name!r} counts its blocks from the first step, which a carried "
                "state does not hold; detach the state after each block instead"
            )
        if state is None:
            return ()
        found = check_state(state, [*self.steps.carried], like)
        followed = any(one.requires_grad for one in found)
        if not self.steps.prepare() and followed:
            raise ValueError(
                f"a carried state holds one step, and under the rule {self.rule.name} what goes "
                "back to it depends on an earlier one; detach the state, or choose another rule"
            )
        return found

    def extra_repr(self) -> str:
        """Return the neuron and the rule, for the printed module."""
        shown = "; ".join(self.steps.neuron.lines.text.split("\n"))
        if isinstance(self.neuron, LIF):
            shown = repr(self.neuron)
        return f"{shown}, rule={self.rule.name!r}"


@dataclass
class Run:
    """A run through modules.

    Attributes:
        output: that of the last module.
        layers: each layer of neurons, with its states by name; steps come first.
        carried: the state that each of these layers carries on.
    """

    output: Tensor
    layers: list[tuple[LIFLayer, dict[str, Tensor]]] = field(default_factory=list)
    carried: list[CarriedState] = field(default_factory=list)


def run_modules(
    modules: Iterable[nn.Module],
    spikes: Tensor,
    twin: bool,
    states: Sequence[CarriedState | None],
    batch_first: bool = False,
) -> Run:
    """Return a run through layers of neurons and other modules, one after the other.

    Args:
        modules: the modules.
        spikes: the input of the first, (T, S, ...), or (S, T, ...) where samples come first.
        twin: see :meth:`LIFLayer.forward`.
        states: the state with which each layer of neurons begins.
        batch_first: whether samples come first, of the output, too.
    """
    check_sequence(spikes)
    ran = Run(spikes.transpose(0, 1) if batch_first else spikes)
    copies: Copies = {}
    for module in modules:
        below = ran.layers[-1][0] if ran.layers else None
        if not isinstance(module, LIFLayer):
            if below and len(copies) > 1:
                check_rerun("modules", module, below.rule)
                copies = {q: current_of(module, o) for q, o in copies.items()}
                ran.output = current_of(module, ran.output)
            else:
                ran.output = current_of(module, ran.output)
                copies = dict.fromkeys(copies, ran.output)
            continue
        if not below:
            check_input(ran.output, module.weights)
        if not below or module.rule != below.rule:
            copies = {module.rule.start: ran.output}
        elif not copies:  # the rule passes no error back to the layer below
            copies = {module.rule.start: ran.output.detach()}
        number = len(ran.layers) + 1
        state = states[number - 1]
        found, copies, last = module.run(copies, twin, number, state)
        ran.output = found[module.steps.neuron.output]
        ran.layers.append((module, found))
        ran.carried.append(last)
    if batch_first:
        ran.output = ran.output.transpose(0, 1)
    return ran
