"""A network of layers of neurons, as a module."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import Loss, Table, network
from stbp_edu.forward_pass import Trace
from stbp_edu.networks.arguments import AnyNeuron, for_layers
from stbp_edu.parameters import LayerArrays, by_layer
from stbp_edu.torch.currents import check_sequence
from stbp_edu.torch.layers import WHOLE, Call, CarriedState, LIFLayer, run_modules
from stbp_edu.torch.state_dict import as_array, layers_of, to_params, to_state


class LIFNetwork(nn.Sequential):
    """Layers of neurons, one above the other, with other modules between them.

    Between the layers there may be dropout, batch norm, pooling, ``nn.Flatten`` and whatever else
    takes a batch: it gets the spikes of all steps at once, T · S of them. So dropout is drawn again
    at each step. Under rules that hand another error to the layer below than to the weights, such
    as the classic one, dropout and batch norm are there and not among a layer's weights, which
    are then run twice.

    Args:
        modules: the layers, and the modules between them.
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

    __call__: Call[list[CarriedState]]

    def __init__(self, *modules: nn.Module, batch_first: bool = False) -> None:
        super().__init__(*(checks.instance("modules", m, nn.Module) for m in modules))
        layers = [m for m in modules if isinstance(m, LIFLayer)]
        if not layers:
            raise ValueError(
                f"modules must hold at least one LIFLayer, got {checks.brief(modules)}; "
                "make one of weights and a neuron: LIFLayer(nn.Linear(784, 10), neuron)"
            )
        self.batch_first = checks.instance("batch_first", batch_first, bool)
        check_rules(layers)

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
            neuron: one for all layers; two, the second for the last one; or one for each.
            rule: what flows backward: see :class:`LIFLayer`.
            gain_limit: the same.
        """
        layers = layers_of(params)
        if any(p["W"].ndim != 2 for p in layers):
            raise ValueError(
                "params must be of fully connected layers, got those of a convolution; build the "
                "layers yourself, as in LIFLayer(nn.Conv2d(1, 15, 5), neuron)"
            )
        made = []
        with torch.random.fork_rng(devices=()):  # what they draw is not kept
            for p, one in zip(layers, for_layers(neuron, len(layers)), strict=True):
                outputs, inputs = p["W"].shape
                dtype = getattr(torch, p["W"].dtype.name)
                linear = nn.Linear(inputs, outputs, dtype=dtype)
                made.append(LIFLayer(linear, one, rule, gain_limit, recurrent="R" in p))
        found = cls(*made)
        found.load_state_dict(to_state(params, found.state_dict()))
        return found

    def forward(
        self,
        spikes: Tensor,
        state: list[CarriedState] | None = WHOLE,
    ) -> Any:
        """Return the output of the last module: of a layer, its spikes (T, S, n[N]).

        With a state, None at the beginning of a series that comes in parts, the pair of output and
        state: see :meth:`LIFLayer.forward`. It is a list of one for each layer.
        """
        layers = sum(isinstance(module, LIFLayer) for module in self)
        at_rest = state is WHOLE or state is None
        states: Any = [state] * layers if at_rest else state
        if not isinstance(states, list) or len(states) != layers:
            raise TypeError(
                f"state must be the list that this network returned, of {layers} layers, got "
                f"{checks.brief(state)}; pass None to begin at rest"
            )
        output, ran = run_modules(self, self._turned(spikes), states)
        output = self._turned(output)
        return output if state is WHOLE else (output, [last for _, _, last in ran])

    def trace(self, spikes: Tensor) -> Trace:
        """Return potentials and outputs of every layer, as :func:`stbp_edu.forward` does.

        They are tensors, steps first. A loss of a membrane reads ``trace.U[-1]``.
        """
        inputs = self._turned(spikes)
        _, ran = run_modules(self, inputs, [WHOLE] * len(self))
        U: list[Any] = [None]
        O = [inputs]
        for layer, found, _ in ran:
            neuron = layer.steps.neuron
            U.append(found[neuron.lines.potential])
            O.append(found[neuron.output])
        return Trace(U=U, O=O)

    def _turned(self, series: Tensor) -> Tensor:
        """Return a series with steps and samples exchanged, where samples come first."""
        if self.batch_first:
            return check_sequence(series).transpose(0, 1)
        return series


def check_rules(layers: Sequence[LIFLayer]) -> None:
    """Raise ValueError if a rule names an arrow of no layer, or lets nothing reach the loss."""
    neurons = [layer.steps.neuron for layer in layers]
    sizes = ["1", *("1" if layer.R is None else "1R" for layer in layers)]
    read = neurons[-1].output, neurons[-1].lines.potential  # by losses
    nets = [network(sizes, neurons, Loss(state)) for state in read]
    for rule in [layer.rule for layer in layers]:
        rule.check(next(filter(rule.keeps, nets), nets[0]))


def states_and_gradients(
    net: Table, rule: Rule, params: Any, inputs: Array, direct: Array
) -> tuple[list[Any], list[Any]]:
    """Return the states of every layer and the gradients of Σ direct · state.

    Args:
        net: the network of fully connected layers, with the state that its loss reads.
        rule: which paths are kept.
        params: its parameters.
        inputs: shape (T, S, n[0]).
        direct: shape (T, S, n[N]).
    """
    neurons = [layer.neuron for layer in net.layers[1:]]
    layers = LIFNetwork.from_params(params, neurons, rule)
    spikes = torch.from_numpy(inputs)
    _, ran = run_modules(layers, spikes, [WHOLE] * len(layers))
    found = [states for _, states, _ in ran]
    read = found[-1][net.loss.state]
    loss = (read * torch.from_numpy(direct)).sum()
    names, tensors = zip(*layers.named_parameters(), strict=True)
    some = {"allow_unused": True, "materialize_grads": True}
    grads = dict(zip(names, torch.autograd.grad(loss, tensors, **some), strict=True))
    states = [{name: as_array(a) for name, a in of.items()} for of in found]
    return [{}, *states], by_layer(to_params(grads))
