"""Four curves h that stand in for the derivative of a spike, and their antiderivatives H.

The argument of every curve is v = u - V_th, the distance of the potential from the threshold.
Each h has unit area, so that each H climbs from 0 to 1 as the spike does: H is the *smooth twin*
of the spike.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stbp_edu import checks
from stbp_edu.checks import Array


class Surrogate(Protocol):
    """What the neuron asks of a surrogate: a curve and its antiderivative."""

    def derivative(self, v: Array) -> Array:
        """Return h(v)."""

    def antiderivative(self, v: Array) -> Array:
        """Return H(v), with H' = h, H(-inf) = 0 and H(inf) = 1."""


@dataclass(frozen=True)
class _Curve:
    """A curve with one parameter ``a``."""

    a: float = 1.0

    def __post_init__(self) -> None:
        """Check the parameter and store it as a Python float."""
        name = f"{type(self).__name__} a"
        object.__setattr__(self, "a", checks.number(name, self.a, positive=True))


@dataclass(frozen=True)
class Rectangle(_Curve):
    """h1: constant 1/a on a window of width a around the threshold (id ``h1``).

    h(v) = 1/a where |v| < a/2, else 0.

    Args:
        a: full width of the window, in units of the potential; > 0.

    Raises:
        TypeError, ValueError: if ``a`` is not a finite number > 0.

    >>> Rectangle(a=2.0).derivative(np.array([-1.5, 0.0, 0.5]))
    array([0. , 0.5, 0.5])
    """

    def derivative(self, v: Array) -> Array:
        """Return h(v), elementwise, in the dtype of ``v``."""
        v = checks.floats("v", v)
        return (np.abs(v) < self.a / 2).astype(v.dtype) / self.a  # h1

    def antiderivative(self, v: Array) -> Array:
        """Return H(v), elementwise: a clipped ramp."""
        v = checks.floats("v", v)
        return np.clip(v / self.a + 0.5, 0.0, 1.0)  # twin-1


@dataclass(frozen=True)
class Triangle(_Curve):
    """h2: a tent of height √a/2 and half-width 2/√a (id ``h2``).

    h(v) = max(√a/2 - a/4 |v|, 0). A larger ``a`` makes it *narrower*, unlike the other three.

    Args:
        a: shape, in inverse squared units of the potential; > 0.

    Raises:
        TypeError, ValueError: if ``a`` is not a finite number > 0.

    >>> Triangle(a=1.0).derivative(np.array([-2.0, 0.0, 1.0]))
    array([0.  , 0.5 , 0.25])
    """

    def derivative(self, v: Array) -> Array:
        """Return h(v), elementwise, in the dtype of ``v``."""
        v = checks.floats("v", v)
        return np.maximum(math.sqrt(self.a) / 2 - self.a / 4 * np.abs(v), 0.0)  # h2

    def antiderivative(self, v: Array) -> Array:
        """Return H(v), elementwise: two parabolas that meet at 1/2."""
        v = checks.floats("v", v)
        w = np.clip(v, -2 / math.sqrt(self.a), 2 / math.sqrt(self.a))
        return 0.5 + math.sqrt(self.a) / 2 * w - self.a / 8 * w * np.abs(w)  # twin-2


@dataclass(frozen=True)
class Sigmoid(_Curve):
    """h3: the derivative of the logistic sigmoid of v/a (id ``h3``).

    h(v) = e^(-v/a) / (a (1 + e^(-v/a))²).

    Args:
        a: width, in units of the potential; > 0.

    Raises:
        TypeError, ValueError: if ``a`` is not a finite number > 0.

    >>> Sigmoid(a=1.0).derivative(np.array([0.0]))
    array([0.25])
    """

    def derivative(self, v: Array) -> Array:
        """Return h(v), elementwise, in the dtype of ``v``."""
        v = checks.floats("v", v)
        e = np.exp(-np.abs(v) / self.a)  # h is even, so that no exponent is positive
        return e / (self.a * (1 + e) ** 2)  # h3

    def antiderivative(self, v: Array) -> Array:
        """Return H(v), elementwise: the logistic sigmoid of v/a."""
        v = checks.floats("v", v)
        e = np.exp(-np.abs(v) / self.a)
        return np.where(v >= 0, 1 / (1 + e), e / (1 + e))  # twin-3


@dataclass(frozen=True)
class Gaussian(_Curve):
    """h4: the normal density of variance a (id ``h4``).

    h(v) = e^(-v²/(2a)) / √(2πa).

    Args:
        a: variance, in squared units of the potential; > 0.

    Raises:
        TypeError, ValueError: if ``a`` is not a finite number > 0.

    >>> Gaussian()
    Gaussian(a=1.0)
    >>> Gaussian(a=1.0).derivative(np.array([0.0])).round(4)
    array([0.3989])
    """

    def derivative(self, v: Array) -> Array:
        """Return h(v), elementwise, in the dtype of ``v``."""
        v = checks.floats("v", v)
        return np.exp(v * v * (-0.5 / self.a)) / math.sqrt(2 * math.pi * self.a)  # h4

    def antiderivative(self, v: Array) -> Array:
        """Return H(v), elementwise: the normal cumulative distribution."""
        v = checks.floats("v", v)
        z = v / math.sqrt(2 * self.a)
        erf = np.asarray(np.frompyfunc(math.erf, 1, 1)(z), v.dtype)  # NumPy has no erf
        return 0.5 * (1 + erf)  # twin-4


SURROGATES: dict[str, type[Rectangle | Triangle | Sigmoid | Gaussian]] = {
    "rectangle": Rectangle,
    "triangle": Triangle,
    "sigmoid": Sigmoid,
    "gaussian": Gaussian,
}
"""The surrogates by name."""
