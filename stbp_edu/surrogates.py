"""The spike, the curves h that stand in for its derivative, and their antiderivatives H.

The argument of every curve is v = u - V_th, the distance of the potential from the threshold.
Each h has unit area, so each H climbs from 0 to 1 as the spike does: H is the *smooth twin*
of the spike.

To add a curve, write a subclass of :class:`Curve` and name it in ``SURROGATES``.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeGuard

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array


def fires(v: Any) -> Any:
    """Return the spike of an array, by its distance from the threshold: 1 where v >= 0, else 0."""
    return (v >= 0).astype(v.dtype)


class Surrogate(Protocol):
    """What the neuron asks of a surrogate: a curve and its antiderivative."""

    def derivative(self, v: Array) -> Array:
        """Return h(v)."""

    def antiderivative(self, v: Array) -> Array:
        """Return H(v), with H' = h, H(-inf) = 0 and H(inf) = 1."""


def checked(name: str, surrogate: Surrogate) -> Surrogate:
    """Return a surrogate if it has both curves, and they are elementwise."""
    v = np.zeros((2, 3))
    for method in ("derivative", "antiderivative"):
        curve = getattr(surrogate, method, None)
        if isinstance(surrogate, type) or not callable(curve):
            raise TypeError(
                f"{name} must have the methods derivative and antiderivative, got "
                f"{checks.brief(surrogate)}; pass for example stbp_edu.Gaussian(a=1.0)"
            )
        try:
            with np.errstate(all="ignore"):
                shape = np.shape(curve(v))
        except (TypeError, AttributeError, RuntimeError):
            continue  # it takes tensors, as on a GPU, or has no H
        if shape != v.shape:
            raise ValueError(
                f"{name} must be elementwise: {method} of {type(surrogate).__name__} must return "
                f"shape {v.shape} for v of shape {v.shape}, got {shape}; return one value for each "
                "entry of v"
            )
    return surrogate


@dataclass(frozen=True)
class Curve(ABC):
    """A surrogate of this package, with one parameter.

    A subclass writes h and H for arrays and for tensors, and H once more as a formula, so that
    ``stbp_edu.verify`` can prove both; it says where the pieces of H meet, if there are any.

    Raises:
        TypeError, ValueError: if ``a`` is not a finite number > 0.

    Attributes:
        a: the parameter; > 0.
        proof_a: the parameter on the networks of ``stbp_edu.verify``: so wide that h is seldom 0
            there, and not 1, of which all powers are equal.
        formula: H in v and a, as SymPy reads it.
    """

    a: float = 1.0
    proof_a: ClassVar[float] = 0.5
    formula: ClassVar[str]

    def __post_init__(self) -> None:
        """Check the parameter and store it as a Python float."""
        name = f"{type(self).__name__} a"
        object.__setattr__(self, "a", checks.number(name, self.a, positive=True))

    def derivative(self, v: Array) -> Array:
        """Return h(v), elementwise, in the dtype of ``v``."""
        return self.h(checks.floats("v", v), np)

    def antiderivative(self, v: Array) -> Array:
        """Return H(v), elementwise, in the dtype of ``v``."""
        return self.twin(checks.floats("v", v), np)

    @property
    def joints(self) -> tuple[float, ...]:
        """The distances from the threshold, in order, at which one piece of H meets the next."""
        return ()

    @abstractmethod
    def h(self, v: Any, xp: Any) -> Any:
        """Return h(v) of an array of ``xp``, which is NumPy or PyTorch."""

    @abstractmethod
    def twin(self, v: Any, xp: Any) -> Any:
        """Return H(v) of an array of ``xp``, which is NumPy or PyTorch."""


def is_curve(surrogate: Surrogate) -> TypeGuard[Curve]:
    """Return whether h and H are the formulas of a :class:`Curve`, which other libraries take."""
    if not isinstance(surrogate, Curve):
        return False
    kind = type(surrogate)
    if kind.derivative is not Curve.derivative:
        return False
    return kind.antiderivative is Curve.antiderivative


@dataclass(frozen=True)
class Rectangle(Curve):
    """h1: constant 1/a on a window of width a around the threshold (id ``h1``).

    h(v) = 1/a where |v| < a/2, else 0. ``a`` is in units of the potential; > 0.

    >>> Rectangle(a=2.0).derivative(np.array([-1.5, 0.0, 0.5]))
    array([0. , 0.5, 0.5])
    """

    formula: ClassVar[str] = (
        "Piecewise((0, v <= -a / 2), (v / a + 1 / 2, v < a / 2), (1, True))"
    )
    proof_a: ClassVar[float] = 4.0

    @property
    def joints(self) -> tuple[float, ...]:
        """Both ends of the window."""
        return -self.a / 2, self.a / 2

    def h(self, v: Any, xp: Any) -> Any:
        """Return 1/a inside the window."""
        inside = xp.abs(v) < self.a / 2
        return inside * xp.ones_like(v) / self.a  # h1

    def twin(self, v: Any, xp: Any) -> Any:
        """Return a clipped ramp."""
        ramp = v / self.a + 0.5
        return xp.clip(ramp, 0.0, 1.0)  # twin-1


@dataclass(frozen=True)
class Triangle(Curve):
    """h2: a tent of height √a/2 and half-width 2/√a (id ``h2``).

    h(v) = max(√a/2 - a/4 |v|, 0). ``a`` is in inverse squared units of the potential; > 0. A larger
    one makes the tent *narrower*, unlike the others.

    >>> Triangle(a=1.0).derivative(np.array([-2.0, 0.0, 1.0]))
    array([0.  , 0.5 , 0.25])
    """

    formula: ClassVar[str] = (
        "Piecewise((0, v <= -2 / sqrt(a)), "
        "(1 / 2 + sqrt(a) / 2 * v - a / 8 * v * Abs(v), v < 2 / sqrt(a)), (1, True))"
    )
    proof_a: ClassVar[float] = 0.25

    @property
    def joints(self) -> tuple[float, ...]:
        """Both feet of the tent and its peak."""
        foot = 2 / math.sqrt(self.a)
        return -foot, 0.0, foot

    def h(self, v: Any, xp: Any) -> Any:
        """Return the height of the tent."""
        height = math.sqrt(self.a) / 2
        slope = self.a / 4
        return xp.clip(height - slope * xp.abs(v), 0.0, None)  # h2

    def twin(self, v: Any, xp: Any) -> Any:
        """Return two parabolas that meet at 1/2."""
        foot = 2 / math.sqrt(self.a)
        w = xp.clip(v, -foot, foot)
        height = math.sqrt(self.a) / 2
        return 0.5 + height * w - self.a / 8 * w * xp.abs(w)  # twin-2


@dataclass(frozen=True)
class Sigmoid(Curve):
    """h3: the derivative of the logistic sigmoid of v/a (id ``h3``).

    h(v) = e^(-v/a) / (a (1 + e^(-v/a))²). ``a`` is in units of the potential; > 0.

    >>> Sigmoid(a=1.0).derivative(np.array([0.0]))
    array([0.25])
    """

    formula: ClassVar[str] = "1 / (1 + exp(-v / a))"

    def h(self, v: Any, xp: Any) -> Any:
        """Return the slope of the logistic sigmoid."""
        e = xp.exp(-xp.abs(v) / self.a)  # h is even, so no exponent is positive
        return e / (self.a * (1 + e) ** 2)  # h3

    def twin(self, v: Any, xp: Any) -> Any:
        """Return the logistic sigmoid of v/a."""
        e = xp.exp(-xp.abs(v) / self.a)
        above = 1 / (1 + e)
        below = e / (1 + e)
        return xp.where(v >= 0, above, below)  # twin-3


@dataclass(frozen=True)
class Gaussian(Curve):
    """h4: the normal density of variance a (id ``h4``).

    h(v) = e^(-v²/(2a)) / √(2πa). ``a`` is in squared units of the potential; > 0. ``Gaussian()``
    is the surrogate of every neuron that is given no other.

    >>> Gaussian(a=1.0).derivative(np.array([0.0])).round(4)
    array([0.3989])
    """

    formula: ClassVar[str] = "(1 + erf(v / sqrt(2 * a))) / 2"
    a: float = 0.5
    proof_a: ClassVar[float] = 0.8

    def h(self, v: Any, xp: Any) -> Any:
        """Return the normal density."""
        height = math.sqrt(2 * math.pi * self.a)
        exponent = v * v * (-0.5 / self.a)
        return xp.exp(exponent) / height  # h4

    def twin(self, v: Any, xp: Any) -> Any:
        """Return the normal cumulative distribution."""
        z = v / math.sqrt(2 * self.a)
        erf = _erf(z) if xp is np else xp.erf(z)
        return 0.5 * (1 + erf)  # twin-4


def _erf(z: Array) -> Array:
    """Return the error function, elementwise, which NumPy does not have."""
    erf = np.frompyfunc(math.erf, 1, 1)
    return np.asarray(erf(z), z.dtype)


@dataclass(frozen=True)
class ATan(Curve):
    """h5: the derivative of the arctangent, a Cauchy density of scale a (id ``h5``).

    h(v) = 1 / (πa (1 + (v/a)²)). ``a`` is in units of the potential; > 0. It falls as 1/v², so a
    potential far from the threshold still gets a gradient. snnTorch and SpikingJelly write it with
    α = 2 / (πa).

    >>> ATan(a=1.0).derivative(np.array([0.0, 1.0])).round(4)
    array([0.3183, 0.1592])
    """

    formula: ClassVar[str] = "1 / 2 + atan(v / a) / pi"

    def h(self, v: Any, xp: Any) -> Any:
        """Return the slope of the arctangent."""
        near = 1 / (1 + xp.abs(v) / self.a)  # in [0, 1], as (v/a)² can overflow
        far = 1 - near
        share = near**2 / (near**2 + far**2)
        return share / (math.pi * self.a)  # h5

    def twin(self, v: Any, xp: Any) -> Any:
        """Return the arctangent, which climbs from 0 to 1."""
        angle = xp.arctan(v / self.a)
        return 0.5 + angle / math.pi  # twin-5


@dataclass(frozen=True)
class FastSigmoid(Curve):
    """h6: the derivative of the fast sigmoid, which needs no exponential (id ``h6``).

    h(v) = 1 / (2a (1 + |v|/a)²). ``a`` is in units of the potential; > 0. It has a peak at the
    threshold and falls as 1/v². snnTorch's and Norse's (SuperSpike) are 2a times as high, with
    slope k = 1/a.

    >>> FastSigmoid(a=0.5).derivative(np.array([0.0, 0.5]))
    array([1.  , 0.25])
    """

    formula: ClassVar[str] = "(1 + v / (a + Abs(v))) / 2"

    @property
    def joints(self) -> tuple[float, ...]:
        """The peak."""
        return (0.0,)

    def h(self, v: Any, xp: Any) -> Any:
        """Return the slope of the fast sigmoid."""
        near = 1 / (1 + xp.abs(v) / self.a)
        return near**2 / (2 * self.a)  # h6

    def twin(self, v: Any, xp: Any) -> Any:
        """Return the fast sigmoid, which climbs from 0 to 1."""
        return 0.5 + 0.5 * v / (self.a + xp.abs(v))  # twin-6


SURROGATES: dict[str, type[Curve]] = {
    "rectangle": Rectangle,
    "triangle": Triangle,
    "sigmoid": Sigmoid,
    "gaussian": Gaussian,
    "atan": ATan,
    "fast-sigmoid": FastSigmoid,
}
"""The surrogates by name."""
