"""Find the gate and the rule of a network that is written in PyTorch, in whatever framework."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import torch
from torch import Tensor, nn

from stbp_edu import checks
from stbp_edu.network import Params
from stbp_edu.neuron import GATES, LIF
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.torch.inputs import check_sequence
from stbp_edu.torch.layers import LIFNetwork
from stbp_edu.torch.parameters import to_params

TOLERANCE = 1e-4
"""How far two gradients may differ that are taken for equal, relative to their length.

Rules differ by hundredths and more; a leak that a framework keeps in float32, by 1e-7.
"""


def which_rule(
    model: nn.Module,
    run: Callable[[Tensor], Tensor],
    spikes: Tensor,
    neuron: LIF,
    *,
    scale: float = 1.0,
    gain_limit: float | None = None,
) -> list[tuple[str, str]]:
    """Return each gate and rule of this package with your network's spikes and gradient.

    Where the reset never acts, several give the same. An empty list says that the spikes differ
    whatever the gate, so that leak, threshold, reset or scale are others, or that they agree and
    no rule has your gradient: then look at the surrogate first.

    Args:
        model: what holds the weights: ``nn.Linear``, one for each layer, in their order.
        run: your network, from rest: input to output spikes, (T, S, n[0]) to (T, S, n[N]).
        spikes: an input, on which the output layer spikes.
        neuron: leak, threshold and surrogate of your neurons; its gate is not read.
        scale: the share of the current that your neurons take in, such as 1 - τ.
        gain_limit: the limit on the gains of your neurons, if they have one.

    Raises:
        TypeError, ValueError: if an argument is none of these, the output has another shape, or
            no output spikes.
    """
    checks.instance("model", model, nn.Module)
    checks.instance("neuron", neuron, LIF)
    check_sequence("spikes", spikes)
    params = checks.instance("the parameters of model", to_params(model.state_dict()), Params)
    scaled = Params(
        W=[None, *(W * checks.number("scale", scale, positive=True) for W in params.W[1:])],
        b=[None, *(b * scale for b in params.b[1:])],
    )
    weights = [p for name, p in model.named_parameters() if name.rpartition(".")[2] == "weight"]
    output = checks.instance("what run returns", run(spikes), Tensor)
    if output.shape != (*spikes.shape[:2], params.sizes[-1]) or not output.any():
        raise ValueError(
            f"run must return spikes (T, S, n[N]) = {(*spikes.shape[:2], params.sizes[-1])}, some "
            f"of them 1, got shape {tuple(output.shape)}, {int(output.sum())} spikes; stack those "
            "of each step, and lower the threshold or raise the weights"
        )
    signal = torch.randn(output.shape, generator=torch.Generator().manual_seed(0)).to(output)
    yours = _gradients(output, signal, weights)
    found = []
    for gate, rule in product(GATES, (*RULES, *ABLATIONS)):
        same = replace(neuron, gate=gate)
        network = LIFNetwork.from_params(scaled, same, rule, gain_limit).to(spikes.device)
        ours = [layer.weights.weight for layer in network]
        if torch.equal(o := network(spikes), output):
            expected = torch.autograd.grad((o * signal).sum(), ours)
            if all(_equal(a, b * scale) for a, b in zip(yours, expected, strict=True)):
                found.append((gate, rule))
    return found


def _gradients(output: Tensor, signal: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
    """Return the gradients of the weights where ``signal`` is that of the output."""
    followed = output.requires_grad and all(p.requires_grad for p in weights)
    kept = {"allow_unused": True, "materialize_grads": True}
    found = torch.autograd.grad((output * signal).sum(), weights, **kept) if followed else ()
    if not any(g.any() for g in found):
        raise ValueError(
            "run must have a gradient of the weights, got none or zeros; leave out no_grad and "
            "detach, let all weights require gradients, or widen the surrogate"
        )
    return found


def _equal(a: Tensor, b: Tensor) -> bool:
    """Return whether two gradients agree to rounding."""
    return bool((a - b).norm() <= TOLERANCE * max(a.norm(), b.norm()))
