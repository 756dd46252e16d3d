"""Find the gate and the rule of a network that is written in PyTorch, in whatever framework."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.asked_network import Gradient, Match
from stbp_edu.arrows.asked_network import which_rule as which_rule_of
from stbp_edu.arrows.table import LayerParams, network
from stbp_edu.networks.arguments import AnyNeuron, as_neuron, for_layers
from stbp_edu.neuron import LIF
from stbp_edu.torch.currents import check_sequence
from stbp_edu.torch.layers import LIFLayer
from stbp_edu.torch.state_dict import as_array, check_floats

Weights = list[tuple[Tensor, Tensor | None]]
"""The weights of a model in their order, each with its bias, or None."""


@dataclass(frozen=True)
class SurrogateOf:
    """The surrogate of a spike function in PyTorch, such as one of snnTorch's.

    Its H is not known, so there is no smooth twin.

    Args:
        spike: from v = u - V_th to spikes, with a backward of its own.

    >>> SurrogateOf(torch.sigmoid).derivative(torch.zeros(1)).item()
    0.25
    """

    spike: Callable[[Tensor], Tensor]

    def __post_init__(self) -> None:
        """Check the spike function."""
        if not callable(self.spike):
            raise TypeError(
                f"spike must be a function, got {checks.brief(self.spike)}; pass your own"
            )

    def derivative(self, v: Any) -> Any:
        """Return h(v) by autograd: a tensor, or of an array an array."""
        if isinstance(v, np.ndarray | np.floating):
            tensor = torch.from_numpy(np.asarray(v))
            return self.derivative(tensor).numpy()
        with torch.enable_grad():
            v = check_floats("v", v).detach().requires_grad_()
            return torch.autograd.grad(self.spike(v).sum(), v)[0]

    def antiderivative(self, v: Any) -> Any:
        """Raise NotImplementedError."""
        raise NotImplementedError(
            "the spike function does not tell H; use a surrogate with one"
        )


def which_rule(
    model: nn.Module,
    run: Callable[[Tensor], Tensor],
    spikes: Tensor,
    neuron: AnyNeuron | tuple[AnyNeuron, AnyNeuron],
    *,
    scale: float = 1.0,
    sizes: str | None = None,
) -> Match:
    """Return which resets have your network's outputs, and which rules its gradient.

    If several have them on your input, the answer says whether they are the same, or your input
    does not tell them apart. Batch norm is not followed, and dropout has to be off. Everything is
    computed in NumPy: a small batch of few steps is mostly enough.

    Args:
        model: what holds the weights, one module for each layer, in their order; after those of a
            recurrent layer, the weights from its spikes to itself.
        run: your network, from rest: input to outputs, (T, S, n[0]) to (T, S, n[N]).
        spikes: an input, on which the output layer spikes.
        neuron: leak, threshold and surrogate of your neurons; of an ``LIF`` the gate is not read:
            every gate is tried, and also the soft reset within the step and no reset. Or what
            ``stbp_edu.derive`` returns; or two, the second for a last layer that does not spike,
            whose potentials ``run`` then returns.
        scale: the share of the current that your neurons take in, such as 1 - τ.
        sizes: of the network, where it has convolutions or recurrent layers: ``"6x6-2C3-P2-4"``,
            ``"6-12R-4"``.

    Raises:
        TypeError, ValueError: if an argument is none of these, the output has another shape, is
            not the same twice, or holds no spike.
    """
    checks.instance("model", model, nn.Module)
    if not callable(run):
        raise TypeError(
            f"run must be a function of spikes, got {checks.brief(run)}; pass your own"
        )
    check_sequence(spikes)
    scale = checks.number("scale", scale, positive=True)
    weights = weights_of(model)
    got = [tuple(weight.shape) for weight, _ in weights]
    if sizes is None:  # fully connected layers
        sizes = "-".join(map(str, [got[0][1], *(shape[0] for shape in got)]))
    checks.instance("sizes", sizes, str)
    layers = sum(not part.startswith("P") for part in sizes.split("-")[1:])
    tables = [as_neuron(one) for one in for_layers(neuron, layers)]
    shapes = [layer.shapes for layer in network(sizes, tables).layers[1:]]
    places = [
        (n, name)
        for n, shape in enumerate(shapes, 1)
        for name in ("W", "R")
        if name in shape
    ]
    wanted = [tuple(shapes[n - 1][name]) for n, name in places]
    if got != wanted:
        raise ValueError(
            f"sizes must be those of the model, whose weights have the shapes {got}, and "
            f"{sizes!r} names {wanted}; pass for example sizes='6x6-2C3-P2-4', or '6-9R-4' with "
            "weights from the layer to itself"
        )
    dtype = as_array(weights[0][0]).dtype
    params: LayerParams = [None, *({"b": np.zeros(one["b"], dtype)} for one in shapes)]
    for (n, name), (weight, bias) in zip(places, weights, strict=True):
        params[n][name] = scale * as_array(weight)
        if bias is not None:
            params[n]["b"] += scale * as_array(bias)
    tensors = [weight for weight, _ in weights]

    def ask(inputs: Array) -> tuple[Array, Gradient]:
        """Return the outputs of the network, and what gives the gradients of its weights."""
        output = run(torch.from_numpy(inputs).to(spikes))
        output = checks.instance("what run returns", output, Tensor)

        def gradient(signal: Array) -> LayerParams:
            """Return the gradients of the weights where this error comes to the outputs."""
            if not output.requires_grad or not all(p.requires_grad for p in tensors):
                return [None, {}]
            error = torch.from_numpy(signal).to(output)
            some = {"allow_unused": True, "materialize_grads": True}
            grads = torch.autograd.grad(output, tensors, error, **some)
            layers: LayerParams = [None, *({} for _ in shapes)]
            for (n, name), grad in zip(places, grads, strict=True):
                layers[n][name] = as_array(grad) / scale
            return layers

        return as_array(output), gradient

    neurons = neuron if isinstance(neuron, LIF) else tables
    return which_rule_of(ask, params, sizes, neurons, as_array(spikes))


def weights_of(model: nn.Module) -> Weights:
    """Return the weights of a model in their order.

    Raises:
        ValueError: if there are none, or it has a module that is not followed.
    """
    found: Weights = []
    recurrent: Weights = []  # of an LIFLayer, which comes before its weights
    for module in model.modules():
        own = dict(module.named_parameters(recurse=False))
        if isinstance(module, LIFLayer) and module.R is not None:
            recurrent = [(module.R, None)]
        if "weight" not in own:
            continue
        weight = check_floats("weight", own["weight"])
        if weight.ndim not in (2, 4):
            raise ValueError(
                "model must have weights of linear layers and convolutions, got a "
                f"{type(module).__name__} with weights of shape {tuple(weight.shape)}, which this "
                "does not follow; fold it into the weights beside it"
            )
        found += [(weight, own.get("bias")), *recurrent]
        recurrent = []
    if not found:
        names = [name for name, _ in model.named_parameters()]
        raise ValueError(
            f"model must hold a parameter called weight, got {names}; pass what holds your layers"
        )
    return found
