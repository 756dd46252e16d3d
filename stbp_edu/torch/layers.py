"""Modules: a layer of neurons on any weights, and a network of such layers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from stbp_edu import checks
from stbp_edu.arrows.any_neuron import AnyNeuron
from stbp_edu.arrows.rules import Rule, with_gain_limit
from stbp_edu.forward_pass import Trace
from stbp_edu.neuron import LIF
from stbp_edu.parameters import LayerArrays
from stbp_edu.torch.parameters import check_floats, layers_of, to_state
from stbp_edu.torch.steps import AXES, Neurons, Steps, current_of

UNREPEATABLE = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm)
"""Modules that give something else, or change, when they are run a second time."""
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
        own = self.steps.neuron
        size = (
            shape_of(weights, shape)
            if recurrent or own.each or shape is not None
            else ()
        )
        like = next(weights.parameters(), torch.zeros(()))
        values = (
            (own.lines.constants[k], size if k in own.each else ()) for k in own.learned
        )
        made = [like.new_full(shape, value) for value, shape in values]
        self.learned = nn.ParameterDict(dict(zip(own.learned, made, strict=True)))
        self.R = None
        if recurrent:
            R = like.new_empty(math.prod(size), math.prod(size)).uniform_(-1, 1)
            self.R = nn.Parameter(R / math.sqrt(len(R)))

    @property
    def rule(self) -> Rule:
        """What flows backward; it is fixed."""
        return self.steps.back.rule

    def forward(self, spikes: Tensor, *, twin: bool = False) -> Tensor:
        """Return what the neurons hand on: spikes, or the potentials of a read-out.

        Args:
            spikes: the input, shape (T, S, ...): of the weights' dtype, on their device.
            twin: whether H takes the place of the spike, so that finite differences are valid.

        Raises:
            TypeError, ValueError: if the input is none that the weights take, or is not finite; or
                under rules with an error of its own for the layer below, if they cannot run twice.
        """
        return self.states(spikes, twin=twin)[self.steps.neuron.output]

    def states(self, spikes: Tensor, *, twin: bool = False) -> dict[str, Tensor]:
        """Return every state of the neurons by name, each of shape (T, S, ...); see forward."""
        check_input(spikes, self.weights)
        if self.steps.copied and spikes.grad_fn is not None:
            raise ValueError(
                f"rule {self.rule.name!r} must hand several errors to the layer below, which one "
                "tensor of spikes cannot carry; put the layers into a LIFNetwork"
            )
        return self.run({self.rule.start: spikes}, twin)[0]

    def run(self, copies: Copies, twin: bool) -> tuple[dict[str, Tensor], Copies]:
        """Return the states, and the output for each of several errors that come back to it."""
        checks.instance("twin", twin, bool)
        spikes, start = next(iter(copies.values())), self.steps.back.start
        below = [
            (self.steps.back.behind(q), o) for q, o in copies.items() if o.requires_grad
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
        given = [*currents, *(self.learned[k] for k in self.steps.neuron.learned)]
        found = Neurons.apply(
            self.steps,
            twin,
            tuple(wanted),
            self.R,
            *(tensor.to(dtype) for tensor in given),
        )
        states = dict(zip(self.steps.states, found, strict=False))
        copies = dict(zip(self.steps.copied, found[len(states) :], strict=True))
        whole = {q: states[self.steps.neuron.output] for q in [*self.steps.signals][:1]}
        return states, copies or whole

    def extra_repr(self) -> str:
        """Return the neuron and the rule, for the printed module."""
        lines = self.steps.neuron.lines
        shown = (
            self.neuron
            if isinstance(self.neuron, LIF)
            else "; ".join(lines.text.split("\n"))
        )
        return f"{shown}, rule={self.rule.name!r}"


class LIFNetwork(nn.Sequential):
    """Layers of neurons, one above the other, with other modules between them.

    Between the layers may stand dropout, batch norm, pooling, ``nn.Flatten`` and whatever else
    takes a batch: it gets the spikes of all steps at once, T · S of them. So dropout is drawn anew
    at each step. Under rules that hand another error to the layer below than to the weights, such
    as the classic one, dropout and batch norm stand there and not among a layer's weights, which
    are then run twice.

    Args:
        modules: the layers and what stands between them.
        batch_first: whether input and output have samples first, (S, T, ...), and not steps.

    >>> import numpy as np, stbp_edu
    >>> params = stbp_edu.init_params([4, 3, 2], np.random.default_rng(0))
    >>> network = LIFNetwork.from_params(params, stbp_edu.LIF(tau=0.5))
    >>> network(torch.ones(10, 5, 4, dtype=torch.float64)).shape
    torch.Size([10, 5, 2])
    >>> with_dropout = LIFNetwork(network[0], nn.Dropout(0.2), network[1])
    >>> len(with_dropout.trace(torch.ones(10, 5, 4, dtype=torch.float64)).O)
    3
    """

    def __init__(self, *modules: nn.Module, batch_first: bool = False) -> None:
        super().__init__(*(checks.instance("modules", m, nn.Module) for m in modules))
        layers = [m for m in modules if isinstance(m, LIFLayer)]
        if not layers:
            kinds = ", ".join(type(m).__name__ for m in modules)
            raise ValueError(
                f"modules must hold at least one LIFLayer, got {kinds or 'none'}; "
                "make one of weights and a neuron: LIFLayer(nn.Linear(784, 10), neuron)"
            )
        self.batch_first = checks.instance("batch_first", batch_first, bool)
        neurons = {layer.steps.neuron.lines.text: layer.neuron for layer in layers}
        if len(neurons) > 1:
            for layer in layers:
                layer.steps = Steps(*layer.steps.given[:3], [*neurons.values()])

    @classmethod
    def from_params(
        cls,
        params: LayerArrays,
        neuron: AnyNeuron | Sequence[AnyNeuron],
        rule: str | Rule = "exact",
        gain_limit: float | None = None,
    ) -> "LIFNetwork":
        """Return the network of these parameters, in their dtype.

        Args:
            params: of fully connected layers, in any form in which NumPy has them.
            neuron: one for all layers, or one for each.
            rule: what flows backward: see :class:`LIFLayer`.
            gain_limit: the same.
        """
        layers = layers_of(params)
        neurons: Any = (
            neuron if isinstance(neuron, list | tuple) else [neuron] * len(layers)
        )
        if len(neurons) != len(layers):
            raise ValueError(
                f"neuron must be one for all layers or a list of {len(layers)}, got "
                f"{len(neurons)}; one for each layer of weights"
            )
        made = []
        with torch.random.fork_rng(devices=()):  # what they draw is not kept
            for p, one in zip(layers, neurons, strict=True):
                linear = nn.Linear(
                    *p["W"].shape[::-1], dtype=getattr(torch, p["W"].dtype.name)
                )
                made.append(LIFLayer(linear, one, rule, gain_limit, recurrent="R" in p))
        network = cls(*made)
        network.load_state_dict(to_state(params, network.state_dict()))
        return network

    def forward(self, spikes: Tensor, *, twin: bool = False) -> Tensor:
        """Return what comes out of the last module: of a layer, its spikes (T, S, n[N])."""
        return self._turned(self._run(spikes, twin)[0])

    def trace(self, spikes: Tensor, *, twin: bool = False) -> Trace:
        """Return potentials and outputs of every layer, as :func:`stbp_edu.forward` does.

        They are tensors, steps first. A loss of a membrane reads ``trace.U[-1]``.
        """
        states = self._run(spikes, twin)[1]
        U = [s[layer.steps.back.lines.potential] for layer, s in states]
        O = [s[layer.steps.neuron.output] for layer, s in states]
        return Trace(U=[None, *U], O=[self._turned(spikes), *O])

    def _run(
        self, spikes: Tensor, twin: bool
    ) -> tuple[Tensor, list[tuple[LIFLayer, dict[str, Tensor]]]]:
        """Return what comes out of the last module, and the states of each layer."""
        output = self._turned(check_sequence(spikes))
        copies: Copies = {}
        found: list[tuple[LIFLayer, dict[str, Tensor]]] = []
        for module in self:
            if not isinstance(module, LIFLayer):
                if len(copies) > 1:
                    check_rerun("modules", module, found[-1][0].rule)
                several = {
                    q: current_of(module, o)
                    for q, o in copies.items()
                    if len(copies) > 1
                }
                output = current_of(module, output)
                copies = several or dict.fromkeys(copies, output)
                continue
            if not found:
                check_input(output, module.weights)
            if not (copies and module.rule == found[-1][0].rule):
                copies = {module.rule.start: output}
            states, copies = module.run(copies, twin)
            output = states[module.steps.neuron.output]
            found.append((module, states))
        return output, found

    def _turned(self, series: Tensor) -> Tensor:
        """Return samples and steps in the order that the user has, or the layers have."""
        return series.transpose(0, 1) if self.batch_first else series


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
