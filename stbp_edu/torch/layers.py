"""Modules: a layer of neurons on any weights, a network of such layers, and its parameters.

A file of :class:`stbp_edu.Params` and one of PyTorch are two lines apart::

    save_params(path, to_params(network.state_dict()))  # of stbp_edu.files
    network.load_state_dict(to_state(load_params(path), network.state_dict()))
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from stbp_edu import checks
from stbp_edu.arrays import tensors
from stbp_edu.network import Params, Trace
from stbp_edu.neuron import LIF
from stbp_edu.rules import check_gain_limit, check_rule
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
        gain_limit: the size that no neuron's gain from step to step may exceed; None for none.

    Raises:
        TypeError, ValueError: if an argument is none of these.

    >>> layer = LIFLayer(nn.Linear(4, 3), LIF(tau=0.5))
    >>> layer(torch.ones(10, 2, 4)).shape
    torch.Size([10, 2, 3])
    """

    def __init__(
        self,
        weights: nn.Module,
        neuron: LIF,
        rule: str = "exact",
        gain_limit: float | None = None,
    ) -> None:
        super().__init__()
        self.weights = checks.instance("weights", weights, nn.Module)
        self.neuron = checks.instance("neuron", neuron, LIF)
        self.rule = check_rule(rule)
        self.gain_limit = check_gain_limit(gain_limit)

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
            current = self._current(spikes)
            return lif(current, self.neuron, self.rule, twin=twin, gain_limit=self.gain_limit)
        if self.training and any(isinstance(m, UNREPEATABLE) for m in self.weights.modules()):
            raise ValueError(
                f"weights must hold no dropout and no batch norm under the classic rule, which "
                f"runs them twice, got {self.weights}; put them between the layers"
            )
        # ε is for the weights, err for the layer below: so each gets a current of its own.
        fixed = {name: p.detach() for name, p in self.weights.named_parameters()}
        current, signal = self._current(spikes.detach()), self._current(spikes, fixed)
        return lif(
            current, self.neuron, self.rule, twin=twin, signal=signal, gain_limit=self.gain_limit
        )

    def _current(self, spikes: Tensor, fixed: dict[str, Tensor] | None = None) -> Tensor:
        """Return x = W o + b for all steps at once, perhaps with parameters held fixed."""
        rows = spikes.flatten(0, 1)
        x = self.weights(rows) if fixed is None else functional_call(self.weights, fixed, rows)
        return x.unflatten(0, spikes.shape[:2])  # fwd-x

    def extra_repr(self) -> str:
        """Return the neuron and the rule, for the printed module."""
        limit = "" if self.gain_limit is None else f", gain_limit={self.gain_limit:g}"
        return f"{self.neuron}, rule={self.rule!r}{limit}"


class LIFNetwork(nn.Sequential):
    """Layers of neurons, one above the other, with other modules between them.

    ``network[0]`` is the first module: layer 1, where nothing stands before it. Between the layers
    may stand dropout, batch norm, pooling, ``nn.Flatten`` and whatever else takes a batch: it gets
    the spikes of all steps at once, T · S of them. Under the classic rule dropout and batch norm
    stand there and not among a layer's weights, which that rule runs twice.

    >>> import numpy as np, stbp_edu
    >>> params = stbp_edu.init_params([4, 3, 2], np.random.default_rng(0))
    >>> network = LIFNetwork.from_params(params, LIF(tau=0.5))
    >>> network(torch.ones(10, 5, 4, dtype=torch.float64)).shape
    torch.Size([10, 5, 2])
    >>> with_dropout = LIFNetwork(network[0], nn.Dropout(0.2), network[1])
    >>> len(with_dropout.trace(torch.ones(10, 5, 4, dtype=torch.float64)).O)
    3
    """

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__(*(checks.instance("modules", m, nn.Module) for m in modules))
        if not any(isinstance(m, LIFLayer) for m in modules):
            kinds = ", ".join(type(m).__name__ for m in modules)
            raise ValueError(
                f"modules must hold at least one LIFLayer, got {kinds or 'none'}; "
                "make one of weights and a neuron: LIFLayer(nn.Linear(784, 10), neuron)"
            )

    @classmethod
    def from_params(
        cls, params: Params, neuron: LIF, rule: str = "exact", gain_limit: float | None = None
    ) -> "LIFNetwork":
        """Return the network of these parameters, in their dtype."""
        checks.instance("params", params, Params)
        dtype = getattr(torch, params.dtype.name)
        shapes = [(W.shape[1], W.shape[0]) for W in params.W[1:]]
        with torch.random.fork_rng(devices=()):  # what they draw is not kept
            linears = [nn.Linear(*s, dtype=dtype) for s in shapes]
        network = cls(*(LIFLayer(linear, neuron, rule, gain_limit) for linear in linears))
        network.load_state_dict(to_state(params, network.state_dict()))
        return network

    def forward(self, spikes: Tensor, *, twin: bool = False) -> Tensor:
        """Return what comes out of the last module: of a layer, its spikes (T, S, n[N])."""
        for module in self:
            spikes = _run(module, spikes, twin)[0]
        return spikes

    def trace(self, spikes: Tensor, *, twin: bool = False) -> Trace:
        """Return the potentials and spikes of every layer, as :func:`stbp_edu.forward` does.

        They are tensors. A loss of a membrane reads ``trace.U[-1]``.
        """
        U: list[Any] = [None]
        O: list[Any] = [spikes]
        for module in self:
            spikes, u = _run(module, spikes, twin)
            if u is not None:
                O.append(spikes)
                U.append(u)
        return Trace(U=U, O=O)


def _run(module: nn.Module, spikes: Tensor, twin: bool) -> tuple[Tensor, Tensor | None]:
    """Return what comes out of a module of a network, and the potentials if it has neurons."""
    if isinstance(module, LIFLayer):
        return module.states(spikes, twin=twin)
    return module(spikes.flatten(0, 1)).unflatten(0, spikes.shape[:2]), None


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


State = Mapping[str, Tensor]
"""A ``state_dict``."""


def to_params(state: State) -> Params:
    """Return the weights and biases of the fully connected layers in a state dict, in its order.

    Any module's will do, if its weights are those of ``nn.Linear``, one layer on top of the
    other. Entries that are called neither ``weight`` nor ``bias`` are left out; a layer without a
    bias gets zeros.

    Raises:
        TypeError, ValueError: if a weight is no matrix of float32 or float64, there is none, or
            the shapes do not chain.

    >>> params = to_params(torch.nn.Linear(3, 2).state_dict())
    >>> params.sizes
    (3, 2)
    """
    W: list[object] = [None]
    b: list[object] = [None]
    for weight, bias in _layers(state):
        w = state[weight].detach().cpu()
        zeros = torch.zeros(len(w), dtype=w.dtype)
        W.append(w.clone().numpy())
        b.append(state.get(bias, zeros).detach().cpu().clone().numpy())
    return Params(W=W, b=b)


def to_state(params: Params, like: State) -> dict[str, Tensor]:
    """Return a state dict that has the names, dtype and device of another, with these parameters.

    Args:
        params: the weights and biases.
        like: a state dict with a place for each of them, such as ``model.state_dict()``.

    Raises:
        TypeError, ValueError: if the two do not have the same layers; ``like`` keeps its values.
    """
    places = to_params(like)
    checks.instance("params", params, Params)
    if places.sizes != params.sizes:
        raise ValueError(
            f"params must have the widths of the state dict, {places.sizes}, got {params.sizes}; "
            "make the module with the widths of the parameters"
        )
    names = [name for pair in _layers(like) for name in pair]
    state = dict(like)
    for name, array in zip(names, tensors(params).values(), strict=True):
        if name in like:
            state[name] = torch.tensor(array, dtype=like[name].dtype, device=like[name].device)
        elif array.any():
            raise ValueError(
                f"params must have biases of 0 where the module has none, got {name} != 0; "
                "make the module with bias=True"
            )
    return state


def _layers(state: State) -> Iterator[tuple[str, str]]:
    """Yield the names of the weight and of the bias of each layer."""
    weights = [name for name in state if name.rpartition(".")[2] == "weight"]
    if not weights:
        raise ValueError(
            f"state must hold an entry called weight, got {sorted(state)}; pass module.state_dict()"
        )
    for name in weights:
        if state[name].ndim != 2:
            raise ValueError(
                f"state[{name!r}] must be a matrix, got shape {tuple(state[name].shape)}; "
                "Params hold fully connected layers alone"
            )
        yield name, f"{name.removesuffix('weight')}bias"
