"""A layer of neurons on any weights, as a module."""

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, overload

import torch
from torch import Tensor, nn

from stbp_edu._support import checks
from stbp_edu.arrows.rules import Rule, with_gain_limit
from stbp_edu.networks.arguments import AnyNeuron, warn_of_no_decay
from stbp_edu.neuron import LIF
from stbp_edu.torch.currents import (
    can_be_looked_at,
    check_input,
    check_rerun,
    check_sequence,
    current_of,
    shape_of,
)
from stbp_edu.torch.neurons import Neurons
from stbp_edu.torch.state_dict import as_array, check_floats, key_of
from stbp_edu.torch.steps import Steps

WHOLE: Any = MappingProxyType({})
"""In place of a state: the series comes whole, and no state is returned."""
CarriedState = dict[str, Tensor]
"""By name, each state at the last step, (S, ...); once for each error that comes back to it."""
Copies = Mapping[str, Tensor]
"""Spikes, once for each state of the rule in which an error comes back to them."""
AnyState = TypeVar("AnyState", CarriedState, list[CarriedState])


class Call(Protocol[AnyState]):
    """What a module returns when it is called: output, or the pair of output and state."""

    @overload
    def __call__(self, spikes: Tensor) -> Tensor: ...
    @overload
    def __call__(
        self, spikes: Tensor, state: AnyState | None
    ) -> tuple[Tensor, AnyState]: ...


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

    __call__: Call[CarriedState]

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
        return self.steps.rule

    def forward(self, spikes: Tensor, state: CarriedState | None = WHOLE) -> Any:
        """Return the output: spikes, or the potentials of a read-out; perhaps with a state.

        Args:
            spikes: the input, shape (T, S, ...): of the weights' dtype, on their device.
            state: where a series comes in parts: None at its beginning, and then the state that
                was returned with the part before. The result is then the pair (output, state).
                Two halves have the outputs and the gradients of the whole; ``detached`` of
                :mod:`stbp_edu.torch` cuts what goes back from one part to the other.

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
        output, [(_, _, last)] = run_modules([self], spikes, [state])
        return output if state is WHOLE else (output, last)

    def run(
        self,
        copies: Copies,
        number: int,
        state: CarriedState | None,
    ) -> tuple[dict[str, Tensor], Copies, CarriedState]:
        """Return the states, the output for each error that comes back to it, and what is carried.

        ``number`` is that of the layer in its network, for an error; ``state`` is as in
        :meth:`forward`, and without one nothing is carried.
        """
        steps = self.steps
        wanted, currents = self._currents(copies)
        dtype = torch.promote_types(currents[0].dtype, torch.float32)
        currents = [x.to(dtype) for x in currents]
        before = [one.to(dtype) for one in self._carried_in(state, currents[0])]
        constants = {name: self.learned[key_of(name)] for name in steps.neuron.learned}
        x = currents[0]
        if constants and x.device.type == "cpu" and can_be_looked_at(x):
            values = {name: as_array(p) for name, p in constants.items()}
            warn_of_no_decay(steps.neuron, values)
        found = Neurons.apply(
            steps,
            (*wanted,),
            self.R,
            state is not WHOLE,
            len(before),
            number,
            *currents,
            *(p.to(dtype) for p in constants.values()),
            *before,
        )
        states, copied, last = steps.by_kind(found)
        if not copied and steps.passes:
            copied = {steps.passes[0]: states[steps.neuron.output]}
        return states, copied, last

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
        if not self.steps.passes_back and followed:
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


Ran = list[tuple[LIFLayer, dict[str, Tensor], CarriedState]]
"""Each layer of neurons that ran, with its states by name, steps first, and what it carries on."""


def run_modules(
    modules: Iterable[nn.Module],
    spikes: Tensor,
    states: Sequence[CarriedState | None],
) -> tuple[Tensor, Ran]:
    """Return the output of the last of some modules, and a run through the layers among them.

    Args:
        modules: layers of neurons, and other modules.
        spikes: the input of the first, (T, S, ...).
        states: the state with which each layer of neurons begins.
    """
    output = check_sequence(spikes)
    ran: Ran = []
    copies: Copies = {}
    for module in modules:
        below = ran[-1][0] if ran else None
        if not isinstance(module, LIFLayer):
            output = current_of(module, output)
            if below and below.steps.copied:  # its output itself has another error
                check_rerun("modules", module, below.rule)
                copies = {q: current_of(module, o) for q, o in copies.items()}
            else:
                copies = dict.fromkeys(copies, output)
            continue
        if not below:
            check_input(output, module.weights)
        if not below or module.rule != below.rule:
            copies = {module.rule.start: output}
        elif not copies:  # the rule passes no error back to the layer below
            copies = {module.rule.start: output.detach()}
        found, copies, last = module.run(copies, len(ran) + 1, states[len(ran)])
        output = found[module.steps.neuron.output]
        ran.append((module, found, last))
    return output, ran


def check_state(state: object, names: Sequence[str], like: Tensor) -> list[Tensor]:
    """Return the tensors of a carried state if it is one of this layer, for as many samples.

    Raises:
        TypeError, ValueError: if it is not what the layer returned.
    """
    if not isinstance(state, Mapping) or {*state} != {*names}:
        raise TypeError(
            f"state must be what this layer returned, with {', '.join(names)}, got "
            f"{checks.brief(state)}; pass None to begin at rest"
        )
    found = [check_floats(f"state[{name!r}]", state[name]) for name in names]
    for one in found:
        if one.device != like.device or one.shape != like.shape[1:]:
            raise ValueError(
                f"state must have the shape of a step, {tuple(like.shape[1:])}, on {like.device}, "
                f"got {tuple(one.shape)} on {one.device}; carry it to a batch of the same samples"
            )
    return found


def detached(state: AnyState) -> AnyState:
    """Return a carried state to which no error comes back: for truncated windows.

    Raises:
        TypeError: if it is not what a layer or a network returned.

    >>> import torch
    >>> detached({"u": torch.ones(1, requires_grad=True)})["u"].requires_grad
    False
    """
    if isinstance(state, list):  # of a network
        return [detached(one) for one in state]
    if not isinstance(state, dict):
        raise TypeError(
            f"state must be what a layer or a network returned, got {checks.brief(state)}; pass "
            "that"
        )
    return {name: check_floats(name, one).detach() for name, one in state.items()}
