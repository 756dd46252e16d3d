"""The functions that a neuron's program calls, on tensors."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stbp_edu.lines.operations import SHARED
from stbp_edu.surrogates import Surrogate, is_curve

TensorFunction = Callable[..., Any]
NumberFunction = Callable[..., float]


def curves(surrogate: Surrogate) -> tuple[TensorFunction, TensorFunction]:
    """Return h and H of a tensor; of a surrogate of your own, its methods."""
    if not is_curve(surrogate):
        return surrogate.derivative, surrogate.antiderivative
    h = partial(surrogate.h, xp=torch)
    H = partial(surrogate.twin, xp=torch)
    return h, H


def as_tensors(given: Sequence[Any]) -> list[Tensor]:
    """Return tensors on one device; of a number one that leaves the others their dtype.

    It is made on that device: to bring it there from the CPU, a GPU would have to wait.
    """
    tensors = [one for one in given if isinstance(one, Tensor)]
    if not tensors:
        return [torch.tensor(one, dtype=torch.float64) for one in given]
    like = tensors[0]
    for one in tensors:
        if one.ndim > like.ndim:
            like = one
    made = []
    for one in given:
        if not isinstance(one, Tensor):
            one = like.new_full((), one)
        made.append(one.to(like.device))
    return made


def of_either(operation: TensorFunction, of_numbers: NumberFunction) -> TensorFunction:
    """Return an operation on tensors and numbers, which of numbers makes a number.

    So what only constants decide needs no tensor, on whichever device.
    """

    def of_both(*given: Any) -> Any:
        """Return a tensor, or a number."""
        if any(isinstance(one, Tensor) for one in given):
            return operation(*as_tensors(given))
        return of_numbers(*given)

    return of_both


def reached(v: Tensor) -> Tensor:
    """Return the spike: 1 where v >= 0, else 0."""
    return torch.ge(v, 0, out=torch.empty_like(v))


def norm(*entries: Any) -> Tensor:
    """Return the largest singular value of a square matrix, given row by row."""
    size = math.isqrt(len(entries))
    tensors = torch.broadcast_tensors(*as_tensors(entries))
    stacked = torch.stack(tensors, -1)
    matrices = stacked.unflatten(-1, (size, size))
    return torch.linalg.matrix_norm(matrices, 2)


def _smaller(a: Tensor, b: Tensor) -> Tensor:
    return torch.where(b >= a, a, b)


def _larger(a: Tensor, b: Tensor) -> Tensor:
    return torch.where(a >= b, a, b)


def _at_least(a: Tensor, b: Tensor) -> Tensor:
    return (a >= b).to((a if a.ndim else b).dtype)


FUNCTIONS: Mapping[str, TensorFunction] = {
    **{
        name: of_either(getattr(torch, name), getattr(math, name, getattr(np, name)))
        for name in SHARED
    },
    "minimum": of_either(_smaller, min),
    "maximum": of_either(_larger, max),
    "at_least": of_either(_at_least, lambda a, b: float(a >= b)),
    "norm": norm,
}
"""What a program calls, beside the curves of the neuron."""


def functions_with(surrogate: Surrogate, *, twin: bool) -> dict[str, TensorFunction]:
    """Return the functions that the program of a neuron calls; on the twin, H for the spike."""
    h, H = curves(surrogate)
    spike = H if twin else reached
    return {**FUNCTIONS, "h": h, "spike": spike}
