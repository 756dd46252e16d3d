"""Modules: a layer of neurons on any weights, and a network of such layers."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from stbp_edu import checks
from stbp_edu.network import Params, Trace
from stbp_edu.neuron import LIF
from stbp_edu.rules import check_rule
from stbp_edu.torch.parameters import to_state
from stbp_edu.torch.recurrence import check_sequence, lif

UNREPEATABLE = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm)
"""Modules that give something else, or change, when they are run a second time."""


class LIFLayer(nn.Module):
    """Weights, and the neurons that they feed.

    Args:
        weights: a module that turns a batch of inputs into one of currents: ``nn.Linear``,
            ``nn.Conv2d``, an ``nn.Sequential`` that ends in one, ...
        neuron: constants, gate and surrogate.
        rule: what flows backward through time: ``"exact"``, ``"classic"``, or an ablation.

    Raises:
        TypeError, ValueError: if an argument is none of these.

    >>> layer = LIFLayer(nn.Linear(4, 3), LIF(tau=0.5))
    >>> layer(torch.ones(10, 2, 4)).shape
    torch.Size([10, 2, 3])
    """

    def __init__(self, weights: nn.Module, neuron: LIF, rule: str = "exact") -> None:
        super().__init__()
        self.weights = checks.instance("weights", weights, nn.Module)
        self.neuron = checks.instance("neuron", neuron, LIF)
        self.rule = check_rule(rule)

    def forward(self, spikes: Tensor, *, twin: bool = False) -> Tensor:
        """Return the layer's spikes; see :meth:`states`."""
        return self.states(spikes, twin=twin)[0]

    def states(self, spikes: Tensor, *, twin: bool = False) -> tuple[Tensor, Tensor]:
        """Return spikes and potentials, each of shape (T, S, ...).

        Args:
            spikes: the input, shape (T, S, ...): of the weights' dtype, on their device.
            twin: whether H takes the place of the spike.

        Raises:
            TypeError, ValueError: if the input is not on the weights' device, or has another
                dtype or shape than they take, or the weights cannot be run twice, which the
                classic rule needs.
        """
        check_input(spikes, self.weights)
        if self.rule != "classic" or not spikes.requires_grad:
            return lif(self._current(spikes), self.neuron, self.rule, twin=twin)
        if self.training and any(isinstance(m, UNREPEATABLE) for m in self.weights.modules()):
            raise ValueError(
                f"weights must hold no dropout and no batch norm under the classic rule, which "
                f"runs them twice, got {self.weights}; put them between the layers"
            )
        # ε is for the weights, err for the layer below: so each gets a current of its own.
        fixed = {name: p.detach() for name, p in self.weights.named_parameters()}
        current, signal = self._current(spikes.detach()), self._current(spikes, fixed)
        return lif(current, self.neuron, self.rule, twin=twin, signal=signal)

    def _current(self, spikes: Tensor, fixed: dict[str, Tensor] | None = None) -> Tensor:
        """Return x = W o + b for all steps at once, perhaps with parameters held fixed."""
        rows = spikes.flatten(0, 1)
        x = self.weights(rows) if fixed is None else functional_call(self.weights, fixed, rows)
        return x.unflatten(0, spikes.shape[:2])  # fwd-x

    def extra_repr(self) -> str:
        """Return the neuron and the rule, for the printed module."""
        return f"{self.neuron}, rule={self.rule!r}"


class Network(nn.Sequential):
    """Layers, one above the other: ``network[0]`` is layer 1.

    >>> import numpy as np, stbp_edu
    >>> params = stbp_edu.init_params([4, 3, 2], np.random.default_rng(0))
    >>> network = Network.from_params(params, LIF(tau=0.5))
    >>> network(torch.ones(10, 5, 4, dtype=torch.float64)).shape
    torch.Size([10, 5, 2])
    """

    def __init__(self, *layers: LIFLayer) -> None:
        super().__init__(*(checks.instance("layers", layer, LIFLayer) for layer in layers))

    @classmethod
    def from_params(cls, params: Params, neuron: LIF, rule: str = "exact") -> "Network":
        """Return the network of these parameters, in their dtype."""
        checks.instance("params", params, Params)
        dtype = getattr(torch, params.dtype.name)
        shapes = [(W.shape[1], W.shape[0]) for W in params.W[1:]]
        with torch.random.fork_rng(devices=()):  # what they draw is not kept
            linears = [nn.Linear(*s, dtype=dtype) for s in shapes]
        network = cls(*(LIFLayer(linear, neuron, rule) for linear in linears))
        network.load_state_dict(to_state(params, network.state_dict()))
        return network

    def forward(self, spikes: Tensor, *, twin: bool = False) -> Tensor:
        """Return the spikes of the last layer, shape (T, S, n[N])."""
        for layer in self:
            spikes = layer(spikes, twin=twin)
        return spikes

    def trace(self, spikes: Tensor, *, twin: bool = False) -> Trace:
        """Return all potentials and spikes, as :func:`stbp_edu.forward` does, as tensors.

        A loss of a membrane reads ``trace.U[-1]``.
        """
        U: list[Any] = [None]
        O: list[Any] = [spikes]
        for layer in self:
            o, u = layer.states(O[-1], twin=twin)
            O.append(o)
            U.append(u)
        return Trace(U=U, O=O)


def check_input(spikes: Tensor, weights: nn.Module) -> None:
    """Raise TypeError or ValueError if the input of a layer is not what its weights take."""
    check_sequence("spikes", spikes)
    first = next(weights.parameters(), None)
    if first is None:
        return
    if spikes.device != first.device:
        raise ValueError(
            f"spikes must be on the weights' device, {first.device}, got {spikes.device}; "
            "move them with .to(device)"
        )
    if spikes.dtype != first.dtype and not torch.is_autocast_enabled(spikes.device.type):
        raise TypeError(
            f"spikes must be {first.dtype}, as the weights are, got {spikes.dtype}; "
            "convert them with .to(dtype)"
        )
    if isinstance(weights, nn.Linear) and spikes.shape[2:] != (weights.in_features,):
        raise ValueError(
            f"spikes must have shape (T, S, {weights.in_features}), got {tuple(spikes.shape)}; "
            "steps come first, samples second, and the weights' inputs last"
        )
