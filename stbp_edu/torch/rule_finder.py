"""Find the gate and the rule of a network that is written in PyTorch, in whatever framework."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.arrows.finder.asked_network import Gradient, Match
from stbp_edu.arrows.finder.asked_network import which_rule as which_rule_of
from stbp_edu.arrows.table import LayerParams, network
from stbp_edu.neuron import LIF
from stbp_edu.torch.layers import check_sequence
from stbp_edu.torch.state_dict import as_array, check_floats

ForwardCall = Callable[[Tensor], Tensor]
NamedWeights = list[tuple[str, Tensor]]
"""The weights of a model in their order, each with the prefix of its name."""
WeightPlaces = list[dict[str, tuple[str, Tensor]]]
"""For each layer its weights W, and R, in the same form."""
Shapes = list[dict[str, Any]]
"""For each layer the shapes of its parameters by name."""


class SurrogateOf:
    """The surrogate of a spike function in PyTorch, such as one of snnTorch's.

    Its H is not known, so there is no smooth twin.

    Args:
        spike: from v = u - V_th to spikes, with a backward of its own.

    >>> SurrogateOf(torch.sigmoid).derivative(torch.zeros(1)).item()
    0.25
    """

    def __init__(self, spike: Callable[[Tensor], Tensor]) -> None:
        if not callable(spike):
            raise TypeError(
                f"spike must be a function, got {checks.brief(spike)}; pass your own"
            )
        self.spike = spike

    def derivative(self, v: Any) -> Any:
        """Return h(v) by autograd: a tensor, or of an array an array."""
        if isinstance(v, np.ndarray | np.floating):
            tensor = torch.from_numpy(np.asarray(v))
            return self.derivative(tensor).numpy()
        with torch.enable_grad():
            v = check_floats("v", v).detach().requires_grad_()
            spikes = self.spike(v).sum()
            return torch.autograd.grad(spikes, v)[0]

    def antiderivative(self, v: Any) -> Any:
        """Raise NotImplementedError."""
        raise NotImplementedError(
            "the spike function does not tell H; use a surrogate with one"
        )


def which_rule(
    model: nn.Module,
    run: ForwardCall,
    spikes: Tensor,
    neuron: AnyNeuron | tuple[AnyNeuron, AnyNeuron],
    *,
    scale: float = 1.0,
    sizes: str | None = None,
) -> Match:
    """Return which gates have your network's outputs, and which rules its gradient.

    Where the reset never acts, several give the same. The surrogate has to be that of your
    network: :class:`SurrogateOf` takes it from a spike function. Batch norm is not followed, and
    dropout has to be off. Everything is computed in NumPy: a small batch of few steps is enough.

    Args:
        model: what holds the weights, one module for each layer, in their order; after those of a
            recurrent layer, the weights from its spikes to itself.
        run: your network, from rest: input to outputs, (T, S, n[0]) to (T, S, n[N]).
        spikes: an input, on which the output layer spikes.
        neuron: leak, threshold and surrogate of your neurons; the gate of an ``LIF`` is not read.
            Or what ``stbp_edu.derive`` returns; or two, the second for a last layer that does not
            spike, whose potentials ``run`` then returns.
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
    sizes = sizes_of(model, weights, sizes)
    neurons = _neurons(neuron, sizes)
    table = neurons[0] if isinstance(neurons, list) else as_neuron(neurons)
    shapes = [layer.shapes for layer in network(sizes, table).layers[1:]]
    places = _places(weights, shapes)
    params = _params(model, shapes, places, scale)
    tensors = [weight for _, weight in weights]

    def ask(inputs: Array) -> tuple[Array, Gradient]:
        """Return the outputs of the network, and what gives the gradients of its weights."""
        output = run(torch.from_numpy(inputs).to(spikes))
        output = checks.instance("what run returns", output, Tensor)

        def gradient(signal: Array) -> LayerParams:
            """Return the gradients of the weights where this error comes to the outputs."""
            followed = output.requires_grad and all(p.requires_grad for p in tensors)
            if not followed:
                return [None, {}]
            kept: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}
            error = torch.from_numpy(signal).to(output)
            loss = (output * error).sum()
            found = torch.autograd.grad(loss, tensors, retain_graph=True, **kept)
            grads = iter(found)
            layers: LayerParams = [None]
            for place in places:
                layers.append({name: as_array(next(grads)) / scale for name in place})
            return layers

        return as_array(output), gradient

    return which_rule_of(ask, params, sizes, neurons, as_array(spikes))


def _params(
    model: nn.Module,
    shapes: Shapes,
    places: WeightPlaces,
    scale: float,
) -> LayerParams:
    """Return the parameters of each layer in NumPy, times a factor; a bias that is missing is 0."""
    tensors = dict(model.named_parameters())
    dtype = as_array(places[0]["W"][1]).dtype
    params: LayerParams = [None]
    for shape, place in zip(shapes, places, strict=True):
        layer = {"b": np.zeros(shape["b"], dtype)}
        for name, (prefix, weight) in place.items():
            layer[name] = as_array(weight) * scale
            bias = tensors.get(f"{prefix}bias")
            if bias is not None:
                layer["b"] = layer["b"] + as_array(bias) * scale
        params.append({name: np.asarray(a, a.dtype) for name, a in layer.items()})
    return params


def weights_of(model: nn.Module) -> NamedWeights:
    """Return the weights of a model in their order, each with the prefix of its name.

    Raises:
        ValueError: if there are none, or it has a module that is not followed.
    """
    found: NamedWeights = []
    # of an LIFLayer, which has them before its weights
    recurrent: dict[str, Tensor] = {}
    for name, tensor in model.named_parameters():
        prefix, _, last = name.rpartition(".")
        if last == "R":
            recurrent[f"{prefix}.weights".lstrip(".")] = tensor
        if last != "weight":
            continue
        if tensor.ndim not in (2, 4):
            owner = type(model.get_submodule(prefix)).__name__
            raise ValueError(
                f"model must have weights of linear layers and convolutions, got a {owner} with "
                f"weights of shape {tuple(tensor.shape)}, which this does not follow; fold it into "
                "the weights beside it"
            )
        found.append((name.removesuffix("weight"), check_floats(name, tensor)))
        own = [place for place in recurrent if prefix.startswith(place)]
        found += [(place, recurrent.pop(place)) for place in own]
    if not found:
        names = [name for name, _ in model.named_parameters()]
        raise ValueError(
            f"model must hold a parameter called weight, got {names}; pass what holds your layers"
        )
    return found


def sizes_of(model: nn.Module, weights: NamedWeights, sizes: str | None) -> str:
    """Return the sizes of a network, given or known."""
    if sizes is not None:
        return checks.instance("sizes", sizes, str)
    shapes = [tuple(weight.shape) for _, weight in weights]
    dense = all(len(shape) == 2 for shape in shapes)
    if not dense or any(a[0] != b[1] for a, b in pairwise(shapes)):
        raise ValueError(
            "sizes must be given where layers are not fully connected, one on the other, got "
            f"weights of shapes {shapes} in {type(model).__name__}; pass for example "
            "sizes='6x6-2C3-P2-4'"
        )
    widths = [shapes[0][1], *(shape[0] for shape in shapes)]
    return "-".join(map(str, widths))


def _neurons(neuron: Any, sizes: str) -> Any:
    """Return an LIF, or a table for each layer."""
    if isinstance(neuron, LIF):
        return neuron
    layers = sum(not part.startswith("P") for part in sizes.split("-")[1:])
    if isinstance(neuron, list | tuple):
        if len(neuron) != 2:
            raise ValueError(
                f"neuron must be one, or two: the hidden layers' and the last one's, got "
                f"{len(neuron)}; pass (hidden, read-out)"
            )
        hidden, last = map(as_neuron, neuron)
        return [hidden] * (layers - 1) + [last]
    return [as_neuron(neuron)] * layers


def _places(weights: NamedWeights, shapes: Shapes) -> WeightPlaces:
    """Return for each layer its weights, and its recurrent ones, by name."""
    got = [tuple(weight.shape) for _, weight in weights]
    names = [[name for name in ("W", "R") if name in shape] for shape in shapes]
    expected = []
    for shape, own in zip(shapes, names, strict=True):
        expected += [tuple(shape[name]) for name in own]
    if got != expected:
        raise ValueError(
            f"sizes must be those of the model, whose weights have the shapes {got}, and they name "
            f"{expected}; an R behind a width means weights from the layer to itself"
        )
    left = iter(weights)
    return [{name: next(left) for name in own} for own in names]
