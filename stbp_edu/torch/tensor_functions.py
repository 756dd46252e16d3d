"""The functions that a neuron's program calls, on tensors."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from stbp_edu.surrogates import Surrogate, is_curve

TensorFunction = Callable[..., Any]


def curves(surrogate: Surrogate) -> tuple[TensorFunction, TensorFunction]:
    """Return h and H of a tensor; of a surrogate of your own, its methods."""
    if not is_curve(surrogate):
        return surrogate.derivative, surrogate.antiderivative
    h = partial(surrogate.h, xp=torch)
    H = partial(surrogate.twin, xp=torch)
    return h, H


def _tensor(value: Any) -> Tensor:
    """Return a tensor; of a number one that leaves the others their dtype."""
    if isinstance(value, Tensor):
        return value
    return torch.tensor(value, dtype=torch.float64)


def _on_tensors(operation: TensorFunction) -> TensorFunction:
    """Return an operation on tensors that takes numbers, too."""
    return lambda *given: operation(*map(_tensor, given))


def reached(v: Tensor) -> Tensor:
    """Return the spike: 1 where v >= 0, else 0."""
    return torch.ge(v, 0, out=torch.empty_like(v))


def norm(*entries: Any) -> Tensor:
    """Return the largest singular value of a square matrix, given row by row."""
    size = math.isqrt(len(entries))
    tensors = torch.broadcast_tensors(*map(_tensor, entries))
    stacked = torch.stack(tensors, -1)
    matrices = stacked.unflatten(-1, (size, size))
    return torch.linalg.matrix_norm(matrices, 2)


FUNCTIONS: Mapping[str, TensorFunction] = {
    "exp": _on_tensors(torch.exp),
    "log": _on_tensors(torch.log),
    "tanh": _on_tensors(torch.tanh),
    "sqrt": _on_tensors(torch.sqrt),
    "minimum": _on_tensors(lambda a, b: torch.where(b >= a, a, b)),
    "maximum": _on_tensors(lambda a, b: torch.where(a >= b, a, b)),
    "at_least": _on_tensors(lambda a, b: (a >= b).to((a if a.ndim else b).dtype)),
    "norm": norm,
}
"""What a program calls, beside the curves of the neuron."""
