"""The currents of a layer on tensors: what any module makes of spikes, and which it takes."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call

from stbp_edu._support import checks
from stbp_edu.arrows.rules import Rule
from stbp_edu.program.machine import aligned, limit_threads
from stbp_edu.program.weights import (
    Spikes,
    rare_spikes,
    spike_currents,
    spike_gradient,
)
from stbp_edu.torch.state_dict import as_array, check_floats
from stbp_edu.torch.tensor_loops import can_loop

MUCH = 10_000_000
"""Products of weights and inputs from which on it pays to compile."""
AXES = "steps come first, samples second, and what a sample has at a step last"
UNREPEATABLE = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm)
"""Modules that give something else, or change, when they are run a second time."""


class SpikeProduct(torch.autograd.Function):
    """The product of weights and rare spikes, W o + b: a spike costs a row of weights."""

    @staticmethod
    def forward(
        ctx: Any, spikes: Tensor, W: Tensor, b: Tensor | None, places: Spikes
    ) -> Tensor:
        """Return the current (T, S, m) of an input (T, S, n), whose spikes are at ``places``."""
        ctx.save_for_backward(W)
        ctx.places = places
        T, S, _ = spikes.shape
        x = spikes.new_empty((T, S, len(W)))
        if b is None:
            b = W.new_zeros(len(W))
        weights = W.detach().numpy()
        table = aligned(weights.T.shape, weights.dtype)
        spike_currents(places, weights, b.detach().numpy(), x.numpy(), table)
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, epsilon: Tensor) -> Any:
        """Return the gradients of spikes, weights and biases."""
        (W,) = ctx.saved_tensors
        below = of_b = None
        if ctx.needs_input_grad[0]:
            below = epsilon @ W
        if ctx.needs_input_grad[2]:
            of_b = epsilon.sum((0, 1))
        by_input = W.new_empty(W.T.shape)
        spike_gradient(ctx.places, epsilon.contiguous().numpy(), by_input.numpy())
        return below, by_input.T, of_b, None


def places_for(module: nn.Module, spikes: Tensor) -> Spikes | None:
    """Return where spikes are, if a module is a plain matrix and it pays to go through them."""
    if type(module) is not nn.Linear or not can_loop(spikes):
        return None
    if module._forward_hooks or module._forward_pre_hooks or module._backward_hooks:
        return None
    fits = spikes.shape[2:] == (module.in_features,)
    if not fits or spikes.dtype != module.weight.dtype:
        return None
    much = spikes.numel() * module.out_features > MUCH
    if not much or torch.is_autocast_enabled("cpu"):
        return None
    limit_threads(torch.get_num_threads())
    rows = spikes.detach().flatten(0, 1).numpy()
    return rare_spikes(rows, module.out_features)


def current_of(module: nn.Module, spikes: Tensor, *, fixed: bool = False) -> Tensor:
    """Return a module's output for all steps at once, perhaps with parameters held fixed.

    Raises:
        ValueError, TypeError: if it does not take the spikes, or returns something else.
    """
    places = None if fixed else places_for(module, spikes)
    if places is not None:
        x: Tensor = SpikeProduct.apply(spikes, module.weight, module.bias, places)
        return x
    rows = spikes.flatten(0, 1)
    first = next(module.parameters(), rows)
    if first.dtype in (torch.bfloat16, torch.float16):
        rows = rows.to(first.dtype)
    try:
        if fixed:
            held = {name: p.detach() for name, p in module.named_parameters()}
            x = functional_call(module, held, rows)
        else:
            x = module(rows)
    except (RuntimeError, IndexError) as error:
        raise ValueError(
            f"spikes must fit {module}, which gets T · S of them at once, got shape "
            f"{tuple(spikes.shape)}: {error}; {AXES}"
        ) from error
    if not isinstance(x, Tensor) or x.shape[:1] != rows.shape[:1]:
        got = f"shape {tuple(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(
            f"weights must return a tensor with a row for each of T · S = {len(rows)} inputs, got "
            f"{got} from {module}; a layer that comes back to itself is LIFLayer(nn.Linear(...), "
            "neuron, recurrent=True)"
        )
    return x.unflatten(0, spikes.shape[:2])  # fwd-x


def check_sequence(given: object) -> Tensor:
    """Return spikes if they are a tensor of floats with at least one step, (T, S, ...)."""
    spikes = check_floats("spikes", given)
    if spikes.ndim < 3 or not len(spikes):
        raise ValueError(
            f"spikes must have shape (T, S, ...) with T >= 1 steps, got {tuple(spikes.shape)}; "
            f"{AXES}"
        )
    return spikes


def check_input(spikes: Tensor, weights: nn.Module) -> None:
    """Raise TypeError or ValueError if the input of a layer is not what its weights take."""
    like = next(weights.parameters(), spikes)
    fits = spikes.device == like.device
    if spikes.dtype != like.dtype:
        fits = fits and torch.is_autocast_enabled(like.device.type)
    if not fits:
        raise TypeError(
            f"spikes must be {like.dtype} on {like.device}, as the weights are, got "
            f"{spikes.dtype} on {spikes.device}; convert them with .to(device, dtype)"
        )
    if not all_finite([spikes], wait=True):
        checks.check_finite("spikes", as_array(spikes.double()))


def can_be_looked_at(tensor: Tensor) -> bool:
    """Return whether a tensor has values that can be looked at now.

    It has none while a module is compiled or a CUDA graph is recorded, and on the device ``meta``.
    """
    if torch.compiler.is_compiling() or tensor.is_meta:
        return False
    return not (tensor.is_cuda and torch.cuda.is_current_stream_capturing())


def all_finite(tensors: Sequence[Tensor], *, wait: bool) -> bool:
    """Return whether tensors are finite, as far as they can be looked at.

    To look, a processor has to wait for a GPU: without ``wait`` nobody looks there.
    """
    like = tensors[0]
    if not can_be_looked_at(like) or not (wait or like.device.type == "cpu"):
        return True
    sums = torch.stack([one.detach().sum() for one in tensors])
    if sums.isfinite().all():
        return True
    return all(bool(one.isfinite().all()) for one in tensors)


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
    without_parts = [m for m in weights.modules() if not [*m.children()]]
    last = without_parts[-1]
    if not isinstance(last, nn.Linear):
        raise ValueError(
            f"shape must be given where weights do not end in nn.Linear, got {weights}; pass the "
            "shape of the neurons of one sample, shape=(8, 6, 6)"
        )
    return (last.out_features,)
