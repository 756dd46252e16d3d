"""Checks of what enters the modules, and the one way in which they call others."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call

from stbp_edu import checks
from stbp_edu.arrows.rules import Rule
from stbp_edu.engine import compiled

UNREPEATABLE = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm)
"""Modules that give something else, or change, when they are run a second time."""
MUCH = 10_000_000
"""Products of weights and inputs from which on it pays to compile."""
AXES = "steps come first, samples second, and what a sample has at a step last"


def check_floats(name: str, value: object) -> Tensor:
    """Return a value if it is a tensor of floats, and not sparse."""
    got = value.dtype if isinstance(value, Tensor) else type(value).__name__
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise TypeError(f"{name} must be a tensor of floats, got {got}; convert it with .float()")
    if value.layout != torch.strided:
        raise TypeError(f"{name} must be dense, got {value.layout}; convert it with .to_dense()")
    return value


def check_sequence(name: str, given: object) -> Tensor:
    """Return a value if it is a tensor of floats with at least one step, (T, S, ...)."""
    value = check_floats(name, given)
    if value.ndim < 3 or not len(value):
        raise ValueError(
            f"{name} must have shape (T, S, ...) with T >= 1 steps, got {tuple(value.shape)}; "
            f"{AXES}"
        )
    return value


def check_input(given: object, weights: nn.Module) -> None:
    """Raise TypeError or ValueError if the input of a layer is not what its weights take."""
    spikes = check_sequence("spikes", given)
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


class SpikeProduct(torch.autograd.Function):
    """The product of weights and rare spikes, W o + b: a spike costs a row of weights."""

    @staticmethod
    def forward(ctx: Any, spikes: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
        """Return what (T, S, n) brings, (T, S, m)."""
        ctx.save_for_backward(spikes, W)
        x = spikes.new_empty((*spikes.shape[:2], len(W)))
        compiled.weigh(spikes.detach().numpy(), W.detach().numpy(), x.numpy())
        return x if b is None else x.add_(b)  # fwd-x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, epsilon: Tensor) -> Any:
        """Return the gradients of spikes, weights and biases."""
        spikes, W = ctx.saved_tensors
        below = epsilon @ W if ctx.needs_input_grad[0] else None
        of_W = torch.empty_like(W)
        compiled.correlate(spikes.numpy(), epsilon.contiguous().numpy(), of_W.numpy())  # c5-w
        return below, of_W, epsilon.sum((0, 1)) if ctx.needs_input_grad[2] else None


def go_one_by_one(module: nn.Module, spikes: Tensor) -> bool:
    """Return whether a module is a plain matrix, and it pays to go through the spikes."""
    if type(module) is not nn.Linear or not compiled.installed() or torch.compiler.is_compiling():
        return False
    hooks = module._forward_hooks or module._forward_pre_hooks or module._backward_hooks
    plain = spikes.device.type == "cpu" and not torch.is_autocast_enabled("cpu") and not hooks
    alike = spikes.dtype == module.weight.dtype and spikes.shape[2:] == (module.in_features,)
    much = spikes.numel() * module.out_features > MUCH and module.out_features >= compiled.WIDE
    long = spikes.dtype in (torch.float32, torch.float64) and spikes.is_contiguous()
    if not (plain and alike and much and long):
        return False
    compiled.limit_threads(torch.get_num_threads())
    return compiled.are_rare(spikes.detach().numpy())


def current_of(module: nn.Module, spikes: Tensor, *, fixed: bool = False) -> Tensor:
    """Return what a module makes of all steps at once, perhaps with parameters held fixed.

    Raises:
        ValueError, TypeError: if it does not take the spikes, or returns something else.
    """
    if not fixed and go_one_by_one(module, spikes):
        return SpikeProduct.apply(spikes, module.weight, module.bias)
    rows = spikes.flatten(0, 1)
    first = next(module.parameters(), rows)
    if first.dtype in (torch.bfloat16, torch.float16):
        rows = rows.to(first.dtype)
    try:
        held = {name: p.detach() for name, p in module.named_parameters()} if fixed else {}
        x = functional_call(module, held, rows) if fixed else module(rows)
    except RuntimeError as error:
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
