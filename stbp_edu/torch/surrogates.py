"""The curves h and H of :mod:`stbp_edu.surrogates` on tensors.

They are written once more, since those of the core are NumPy's. A surrogate of your own has the
methods ``derivative`` and ``antiderivative``, and here they are called with tensors.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from stbp_edu.surrogates import Gaussian, Rectangle, Sigmoid, Triangle

Curve = Callable[[Tensor, float], Tensor]
"""A curve of v = u - V_th and the parameter a."""


def _triangle_twin(v: Tensor, a: float) -> Tensor:
    """Return two parabolas that meet at 1/2."""
    w = v.clamp(-2 / math.sqrt(a), 2 / math.sqrt(a))
    return 0.5 + math.sqrt(a) / 2 * w - a / 8 * w * w.abs()


def _sigmoid(v: Tensor, a: float) -> Tensor:
    """Return the slope of the logistic sigmoid of v/a."""
    e = torch.exp(-v.abs() / a)  # h is even, so that no exponent is positive
    return e / (a * (1 + e) ** 2)


CURVES: dict[type, tuple[Curve, Curve]] = {
    Rectangle: (
        lambda v, a: (v.abs() < a / 2).to(v.dtype) / a,
        lambda v, a: (v / a + 0.5).clamp(0, 1),
    ),
    Triangle: (
        lambda v, a: (math.sqrt(a) / 2 - a / 4 * v.abs()).clamp(min=0),
        _triangle_twin,
    ),
    Sigmoid: (_sigmoid, lambda v, a: torch.sigmoid(v / a)),
    Gaussian: (
        lambda v, a: torch.exp(v * v * (-0.5 / a)) * (1 / math.sqrt(2 * math.pi * a)),
        lambda v, a: 0.5 * (1 + torch.erf(v / math.sqrt(2 * a))),
    ),
}
"""h and H of each surrogate of the package."""


def derivative(surrogate: Any, v: Tensor) -> Tensor:
    """Return h(v), elementwise.

    >>> derivative(Sigmoid(a=1.0), torch.zeros(1))
    tensor([0.2500])
    """
    if (curves := CURVES.get(type(surrogate))) is None:
        return surrogate.derivative(v)
    return curves[0](v, surrogate.a)


def antiderivative(surrogate: Any, v: Tensor) -> Tensor:
    """Return H(v), elementwise: the smooth twin of the spike.

    >>> antiderivative(Rectangle(a=2.0), torch.tensor([-2.0, 0.0, 0.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    if (curves := CURVES.get(type(surrogate))) is None:
        return surrogate.antiderivative(v)
    return curves[1](v, surrogate.a)
