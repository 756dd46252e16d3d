"""The functions that a neuron's program calls, on tensors."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stbp_edu.lines.operations import SHARED
from stbp_edu.surrogates import Surrogate, is_curve

TensorFunction = Callable[..., Any]


def of_either(
    operation: TensorFunction, of_numbers: Callable[..., float]
) -> TensorFunction:
    """Return an operation on tensors and numbers, which of numbers makes a number.

    So what only constants decide needs no tensor, and a number is made a tensor on the device of
    the others: to bring it there from the CPU, a GPU would have to wait.
    """

    def of_both(*given: Any) -> Any:
        """Return a tensor, or a number."""
        tensors = [one for one in given if isinstance(one, Tensor)]
        if not tensors:
            return float(of_numbers(*given))
        like = tensors[0]
        for one in tensors:
            if one.ndim > like.ndim:
                like = one
        return operation(
            *(
                one if isinstance(one, Tensor) else like.new_full((), one)
                for one in given
            )
        )

    return of_both


def reached(v: Tensor) -> Tensor:
    """Return the spike: 1 where v >= 0, else 0."""
    return torch.ge(v, 0, out=torch.empty_like(v))


def norm(*entries: Any) -> Tensor:
    """Return the largest singular value of a square matrix, given row by row."""
    size = math.isqrt(len(entries))
    stacked = torch.stack(torch.broadcast_tensors(*entries), -1)
    return torch.linalg.matrix_norm(stacked.unflatten(-1, (size, size)), 2)


def _at_least(a: Tensor, b: Tensor) -> Tensor:
    return (a >= b).to((a if a.ndim else b).dtype)


FUNCTIONS: Mapping[str, TensorFunction] = {
    **{
        name: of_either(getattr(torch, name), getattr(math, name, getattr(np, name)))
        for name in SHARED
    },
    "minimum": of_either(torch.minimum, min),
    "maximum": of_either(torch.maximum, max),
    "at_least": of_either(_at_least, lambda a, b: float(a >= b)),
    "norm": of_either(norm, lambda *entries: norm(*map(torch.tensor, entries))),
}
"""What a program calls, beside the curves of the neuron."""


def functions_with(surrogate: Surrogate, *, twin: bool) -> dict[str, TensorFunction]:
    """Return the functions that the program of a neuron calls; on the twin, H for the spike."""
    h: TensorFunction = surrogate.derivative
    H: TensorFunction = surrogate.antiderivative
    if is_curve(surrogate):
        h, H = partial(surrogate.h, xp=torch), partial(surrogate.twin, xp=torch)
    return {**FUNCTIONS, "h": h, "spike": H if twin else reached}
