"""The adapter from a loss in an autograd library to the function that ``check_network`` takes."""

from collections.abc import Callable
from typing import Any

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.network import Gradients, Params, Trace
from stbp_edu.neuron import LIF


def by_autograd(loss: Callable[..., Any], leaf: Callable[[Array], Any]) -> Callable[..., Gradients]:
    """Return the gradients of a loss of tensors, as a function that ``check_network`` takes.

    Args:
        loss: called as ``loss(trace, targets, W, b, neuron)``, with ``W`` and ``b`` as lists of
            leaves, None first; returns a scalar with the method ``backward``. It computes the
            potentials from ``trace.O[0]`` anew, and its spike returns those of ``trace.O``.
        leaf: makes a tensor of an array that the library differentiates by, with ``grad`` after
            ``backward``: in PyTorch ``lambda x: torch.tensor(x, requires_grad=True)``.

    Raises:
        TypeError: if ``loss`` or ``leaf`` cannot be called.

    >>> from types import SimpleNamespace
    >>> import numpy as np, stbp_edu
    >>> def loss(trace, targets, W, b, neuron):  # a library of one function
    ...     def backward():
    ...         arrays = ([None, *(x.data for x in part[1:])] for part in (W, b))
    ...         found = stbp_edu.backward(trace, targets, Params(*arrays), neuron)
    ...         for x, grad in zip((*W[1:], *b[1:]), (*found.W[1:], *found.b[1:])):
    ...             x.grad = grad
    ...     return SimpleNamespace(backward=backward)
    >>> leaf = lambda x: SimpleNamespace(data=x, grad=None)
    >>> stbp_edu.practice.check_network(by_autograd(loss, leaf)).right
    True
    """
    for name, given in (("loss", loss), ("leaf", leaf)):
        if not callable(given):
            raise TypeError(
                f"{name} must be a function, got {checks.brief(given)}; pass the function itself"
            )

    def gradients(trace: Trace, targets: Array, params: Params, neuron: LIF) -> Gradients:
        W, b = ([None, *map(leaf, part[1:])] for part in (params.W, params.b))
        loss(trace, targets, W, b, neuron).backward()
        return Gradients(*([None, *(_array(x.grad) for x in part[1:])] for part in (W, b)))

    return gradients


def _array(grad: Any) -> Any:
    """Return a gradient as an array; a tensor says how by its method ``numpy``."""
    return grad.numpy() if hasattr(grad, "numpy") else grad
