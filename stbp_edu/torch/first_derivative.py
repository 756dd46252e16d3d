"""Backward passes that can be differentiated once, and say so at the second time."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

REFUSED = (
    "a spiking layer has no second derivative here: its backward pass follows a rule, and a rule "
    "says nothing of its own derivative; leave out create_graph=True, or take the second "
    "derivative by finite differences of gradients on the smooth twin (twin=True)"
)


class _Refusal(torch.autograd.Function):
    """Gradients as they are; what differentiates them is refused."""

    @staticmethod
    def forward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        """Return the gradients."""
        return gradients

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> Any:
        """Raise RuntimeError."""
        raise RuntimeError(REFUSED)


def only_once(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Return a backward pass whose gradients refuse to be differentiated, with a sentence."""

    def once(ctx: Any, *grads: Tensor | None) -> Any:
        """Return the gradients; with ``create_graph=True`` those that refuse."""
        with torch.no_grad():
            found = backward(ctx, *grads)
        if not torch.is_grad_enabled():
            return found
        tensors = [one.detach().requires_grad_() for one in found if one is not None]
        marked = iter(_Refusal.apply(*tensors))
        return tuple(None if one is None else next(marked) for one in found)

    return once
