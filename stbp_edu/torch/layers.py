"""A layer of neurons on any weights, as a module."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from stbp_edu._support import checks
from stbp_edu.arrows.any_neuron import AnyNeuron
from stbp_edu.arrows.finite_states import first_not_finite
from stbp_edu.arrows.rules import Rule, with_gain_limit
from stbp_edu.neuron import LIF
from stbp_edu.torch.carried_state import CarriedState, check_state
from stbp_edu.torch.currents import AXES, current_of
from stbp_edu.torch.state_dict import check_floats, key_of, name_of
from stbp_edu.torch.steps import Neurons, Steps
from stbp_edu.torch.usual_names import neuron_of

UNREPEATABLE = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm)
"""Modules that give something else, or change, when they are run a second time."""
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
        batch_first: whether input and output have samples first, (S, T, ...), and not steps.
        named: in place of a neuron the names that snnTorch has for a leaky one: ``beta``,
            ``threshold`` and ``reset_mechanism``.

    Attributes:
        learned: the constants that the neuron learns, by name.
        R: the recurrent weights, or None.

    Raises:
        TypeError, ValueError: if an argument is none of these.

    >>> from stbp_edu import LIF
    >>> layer = LIFLayer(nn.Linear(4, 3), LIF(tau=0.5))
    >>> layer(torch.ones(10, 2, 4)).shape
    torch.Size([10, 2, 3])
    >>> LIFLayer(nn.Linear(4, 3), beta=0.9, threshold=0.5, reset_mechanism="zero").neuron
    LIF(tau=0.9, v_th=0.5, surrogate=Gaussian(a=0.5), gate='linear')
    """

    def __init__(
        self,
        weights: nn.Module,
        neuron: AnyNeuron | None = None,
        rule: str | Rule = "exact",
        gain_limit: float | None = None,
        *,
        recurrent: bool = False,
        shape: Sequence[int] | None = None,
        batch_first: bool = False,
        **named: Any,
    ) -> None:
        super().__init__()
        self.weights = checks.instance("weights", weights, nn.Module)
        checks.instance("recurrent", recurrent, bool)
        self.batch_first = checks.instance("batch_first", batch_first, bool)
        self.neuron = neuron = neuron_of(neuron, named)
        self.steps = Steps(neuron, with_gain_limit(gain_limit, rule), recurrent)
        table = self.steps.neuron
        size = (
            shape_of(weights, shape)
            if recurrent or table.each or shape is not None
            else ()
        )
        like = next(weights.parameters(), torch.zeros(()))
        values = (
            (table.lines.constants[k], size if k in table.each else ())
            for k in table.learned
        )
        made = [like.new_full(extent, value) for value, extent in values]
        keys = map(key_of, table.learned)
        self.learned = nn.ParameterDict(dict(zip(keys, made, strict=True)))
        self.R = None
        if recurrent:
            R = like.new_empty(math.prod(size), math.prod(size)).uniform_(-1, 1)
            self.R = nn.Parameter(R / math.sqrt(len(R)))

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
        if state is WHOLE:
            states = self.states(self._turned(spikes), twin=twin)
            return self._turned(states[self.steps.neuron.output])
        given = self._turned(spikes)
        self._check_input(given)
        found, _, last = self.run({self.rule.start: given}, twin, state=state)
        return self._turned(found[self.steps.neuron.output]), last

    def states(self, spikes: Tensor, *, twin: bool = False) -> dict[str, Tensor]:
        """Return every state of the neurons by name, each of shape (T, S, ...); see forward."""
        self._check_input(spikes)
        return self.run({self.rule.start: spikes}, twin)[0]

    def _check_input(self, spikes: Tensor) -> None:
        """Raise TypeError or ValueError if this is no input of a layer that is by itself."""
        self.rule.check_names(self.steps.net)
        check_input(spikes, self.weights)
        if self.steps.copied and spikes.grad_fn is not None:
            raise ValueError(
                f"rule {self.rule.name!r} must hand several errors to the layer below, which one "
                "tensor of spikes cannot carry; put the layers into a LIFNetwork"
            )

    def run(
        self,
        copies: Copies,
        twin: bool,
        number: int = 1,
        state: CarriedState | None = WHOLE,
    ) -> tuple[dict[str, Tensor], Copies, CarriedState]:
        """Return the states, the output for each error that comes back to it, and what is carried.

        ``number`` is that of the layer in its network, for an error; ``state`` is as in
        :meth:`forward`, and without one nothing is carried.
        """
        checks.instance("twin", twin, bool)
        spikes, start = next(iter(copies.values())), self.steps.program.start
        below = [
            (self.steps.program.from_weights(q), o)
            for q, o in copies.items()
            if o.requires_grad
        ]
        wanted = [start, *(head for head, _ in below if head)]
        if wanted in ([start], [start, start]) and len(below) == len(wanted) - 1:
            wanted, currents = [start], [current_of(self.weights, spikes)]
        else:  # the error for the layer below is another than that for the weights
            check_rerun("weights", self.weights, self.rule)
            currents = [current_of(self.weights, spikes.detach())]
            currents += [
                current_of(self.weights, o, fixed=True) for head, o in below if head
            ]
        dtype = torch.promote_types(currents[0].dtype, torch.float32)
        before = self._carried_in(state, currents[0])
        names = self.steps.neuron.learned
        given = [*currents, *(self.learned[key_of(name)] for name in names)]
        given += before.values()
        carries = state is not WHOLE
        found = Neurons.apply(
            self.steps,
            twin,
            tuple(wanted),
            self.R,
            carries,
            len(before),
            *(tensor.to(dtype) for tensor in given),
        )
        states = dict(zip(self.steps.states, found, strict=False))
        self._check_finite(currents[0], states, before, number)
        end = len(states) + len(self.steps.copied)
        copies = dict(zip(self.steps.copied, found[len(states) : end], strict=True))
        last = dict(zip(self.steps.carried, found[end:], strict=False))
        whole = {q: states[self.steps.neuron.output] for q in [*self.steps.signals][:1]}
        return states, copies or whole, last

    def _carried_in(self, state: CarriedState | None, like: Tensor) -> CarriedState:
        """Return the carried state that comes in; an empty one if the layer begins at rest."""
        if state is not WHOLE and self.rule.block is not None:
            raise ValueError(
                f"rule {self.rule.name!r} counts its blocks from the first step, which a carried "
                "state does not hold; detach the state after each block instead"
            )
        if state is WHOLE or state is None:
            return {}
        return check_state(state, [*self.steps.carried], like)

    def _turned(self, series: Tensor) -> Tensor:
        """Return samples and steps in the order that the user has, or the neurons have."""
        if self.batch_first and isinstance(series, Tensor) and series.ndim > 1:
            return series.transpose(0, 1)
        return series

    def _check_finite(
        self,
        current: Tensor,
        states: Mapping[str, Tensor],
        before: CarriedState,
        number: int,
    ) -> None:
        """Raise NotFiniteError if a state is not finite, and say where it began.

        A spike may hide it: of NaN >= 0 it makes 0. Compiled modules are not looked at.
        """
        if torch.compiler.is_compiling():
            return
        output = self.steps.neuron.lines.spike
        sums = [
            state.detach().sum() for name, state in states.items() if name != output
        ]
        if torch.stack([*sums, current.detach().sum()]).isfinite().all():
            return
        x = current.detach().clone()
        rest = torch.zeros_like(x[:1])
        past = {
            name: torch.cat(
                [before[key].detach()[None] if before else rest, states[name].detach()]
            )
            for key, (name, _) in self.steps.carried.items()
        }
        if self.R is not None:
            sent = past[self.steps.neuron.output][:-1].flatten(2)
            x += (sent @ self.R.detach().T.to(sent.dtype)).view_as(x)
        arrays = {
            name: one.detach().cpu().numpy() for name, one in {"x": x, **states}.items()
        }
        learned = {
            name_of(key): p.detach().cpu().numpy() for key, p in self.learned.items()
        }
        if said := first_not_finite(self.steps.neuron, arrays, learned, number):
            raise checks.NotFiniteError(f"{said}, behind {self.weights}")

    def extra_repr(self) -> str:
        """Return the neuron and the rule, for the printed module."""
        lines = self.steps.neuron.lines
        shown = (
            self.neuron
            if isinstance(self.neuron, LIF)
            else "; ".join(lines.text.split("\n"))
        )
        return f"{shown}, rule={self.rule.name!r}"


def check_sequence(given: object) -> Tensor:
    """Return spikes if they are a tensor of floats with at least one step, (T, S, ...)."""
    spikes = check_floats("spikes", given)
    if spikes.ndim < 3 or not len(spikes):
        raise ValueError(
            f"spikes must have shape (T, S, ...) with T >= 1 steps, got {tuple(spikes.shape)}; "
            f"{AXES}"
        )
    return spikes


def check_input(given: object, weights: nn.Module) -> None:
    """Raise TypeError or ValueError if the input of a layer is not what its weights take."""
    spikes = check_sequence(given)
    like = next(weights.parameters(), spikes)
    cast = torch.is_autocast_enabled(like.device.type)
    if spikes.device != like.device or not (cast or spikes.dtype == like.dtype):
        raise TypeError(
            f"spikes must be {like.dtype} on {like.device}, as the weights are, got "
            f"{spikes.dtype} on {spikes.device}; convert them with .to(device, dtype)"
        )
    if not torch.compiler.is_compiling() and not torch.isfinite(spikes.detach().sum()):
        checks.check_finite("spikes", spikes.detach().double().cpu().numpy())


def check_rerun(name: str, module: nn.Module, rule: Rule) -> None:
    """Raise ValueError if a module cannot be run twice, for one error and for another."""
    if module.training and any(isinstance(m, UNREPEATABLE) for m in module.modules()):
        raise ValueError(
            f"{name} must hold no dropout and no batch norm under the rule {rule.name}, which runs "
            f"them more than once, got {module}; put them elsewhere, or choose another rule"
        )


def shape_of(weights: nn.Module, shape: Sequence[int] | None) -> tuple[int, ...]:
    """Return the shape of the neurons that weights feed, given or known."""
    if shape is not None:
        return checks.widths("shape", shape, at_least=1)
    last = [m for m in weights.modules() if not [*m.children()]][-1]
    if not isinstance(last, nn.Linear):
        raise ValueError(
            f"shape must be given where weights do not end in nn.Linear, got {weights}; pass the "
            "shape of the neurons of one sample, shape=(8, 6, 6)"
        )
    return (last.out_features,)
