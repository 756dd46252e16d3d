"""The leaky integrate-and-fire neuron: forget gate f, spike g, and the surrogate h of g'.

Each step carries ``carried(u, o)`` to the next one: u f(o) where a spike resets by the gate
(a hard reset), τ u - V_th o where it takes the threshold off (a soft reset). So the backward pass
needs two factors of it: f(o) by u, and by o u f'(o), or -V_th.

Between spikes the membrane follows a differential equation, from which two steps can be made.
"""

import math
import warnings
from dataclasses import dataclass, field

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.surrogates import Gaussian, Surrogate, checked

HARD_GATES = ("exponential", "linear")
"""The forget gates that take a share of the potential at a spike."""

GATES = (*HARD_GATES, "soft")
"""The forget gates, and the soft reset, whose gate is τ always."""


HARD = "f(o) = {f}\nu = u * f(o) + x\no = spike(u - v_th)"
LINES = {
    "exponential": HARD.format(f="tau * exp(-o / tau)"),
    "linear": HARD.format(f="tau * (1 - o)"),
    # p2-soft-epsilon, p2-soft-delta, p2-soft-delta-output: its derivatives by u and o
    "soft": "u = tau * u + x - v_th * o\no = spike(u - v_th)",  # p2-soft-u
}
"""By its gate, the forward lines of the neuron of Part I."""


LARGEST = 700
"""The largest exponent whose exponential is a float."""


def decay_warning(share: str, state: str = "the potential") -> str:
    """Return the warning on a decay of 1 or more, such as ``"tau = 2"``, of a state."""
    return (
        f"{share} is the share of {state} kept per step (the decay, beta in other packages), and "
        f"from 1 on {state} does not decay; for a time constant of 2 steps it is 0.5 or exp(-1/2)"
    )


@dataclass(frozen=True)
class LIF:
    """Constants of the neuron, and the functions that they define.

    With the defaults, and weights of :func:`stbp_edu.init_params`, every layer fires before any
    training. The notes' neuron is ``LIF(tau=0.1, v_th=1.5, surrogate=Rectangle(a=1.0))``: with
    those weights its output layer is silent at the start.

    Args:
        tau: τ, the decay: the share of the potential that is kept per step, the gate's value where
            there was no spike; > 0, and below 1 unless the potential is to grow.
        v_th: V_th, the threshold, in units of the potential; finite.
        surrogate: the curve h used for g', with its antiderivative H.
        gate: ``"exponential"``, f(o) = τ e^(-o/τ), or ``"linear"``, f(o) = τ (1 - o). They agree
            on spikes up to τ e^(-1/τ) and differ in their derivative. Or ``"soft"``, the soft
            reset: f(o) = τ, and a spike takes V_th off the next potential.

    Raises:
        TypeError: if a constant is not a number, or the surrogate lacks h or H.
        ValueError: if ``tau`` <= 0, a constant is not finite, or ``gate`` is unknown.

    >>> LIF()
    LIF(tau=0.5, v_th=0.75, surrogate=Gaussian(a=0.5), gate='exponential')
    >>> neuron = LIF(tau=0.5, v_th=1.0)
    >>> neuron.f(np.array([0.0, 1.0])).round(4)
    array([0.5   , 0.0677])
    >>> neuron.g(np.array([0.9, 1.0]))
    array([0., 1.])
    >>> LIF(tau=0.5, v_th=1.0, gate="soft").carried(np.array([0.8, 1.4]), np.array([0.0, 1.0]))
    array([ 0.4, -0.3])
    """

    tau: float = 0.5
    v_th: float = 0.75
    surrogate: Surrogate = field(default_factory=Gaussian)
    gate: str = "exponential"

    def __post_init__(self) -> None:
        """Check the constants."""
        object.__setattr__(self, "tau", checks.number("tau", self.tau, positive=True))
        if self.tau >= 1:
            warnings.warn(decay_warning(f"tau = {self.tau:g}"), stacklevel=3)
        object.__setattr__(self, "v_th", checks.number("v_th", self.v_th))
        checks.choice("gate", self.gate, GATES)
        checked("surrogate", self.surrogate)

    def f(self, o: Array) -> Array:
        """Return f(o) = τ e^(-o/τ), or τ (1 - o), or τ: τ where there was no spike."""
        o = checks.floats("o", o)
        if self.gate == "soft":
            return np.full_like(o, self.tau)
        if self.gate == "linear":
            return self.tau * (1 - o)  # gate-linear
        return self.tau * np.exp(o * (-1 / self.tau))  # gate-f

    def df(self, o: Array) -> Array:
        """Return f'(o) = -e^(-o/τ), or -τ, or 0."""
        o = checks.floats("o", o)
        if self.gate == "soft":
            return np.zeros_like(o)
        if self.gate == "linear":
            return np.full_like(o, -self.tau)  # gate-linear-df
        return -np.exp(o * (-1 / self.tau))  # gate-df

    def carried(self, u: Array, o: Array) -> Array:
        """Return the potential carried on: u f(o), and with the soft reset τ u - V_th o."""
        kept = u * self.f(o)
        return kept - self.v_th * o if self.gate == "soft" else kept

    def g(self, u: Array) -> Array:
        """Return the spike g(u): 1 where u >= V_th, else 0."""
        u = checks.floats("u", u)
        return (u >= self.v_th).astype(u.dtype)  # spike-g

    def h(self, u: Array) -> Array:
        """Return h(u - V_th), which stands in for g'(u)."""
        u = checks.floats("u", u)
        return self.surrogate.derivative(u - self.v_th)

    def H(self, u: Array) -> Array:  # noqa: N802 - the letter of the notation table
        """Return H(u - V_th), the smooth twin of g(u)."""
        u = checks.floats("u", u)
        return self.surrogate.antiderivative(u - self.v_th)


def check_lif(neuron: object) -> LIF:
    """Return ``neuron`` if it is an :class:`LIF`; otherwise say where other neurons go."""
    if not isinstance(neuron, LIF):
        raise TypeError(
            f"neuron must be an LIF here, got {checks.brief(neuron)}; for a neuron of your own "
            "build stbp_edu.network(sizes, neuron), and call its forward and backward"
        )
    return neuron


def slope(u: float, current: float, tau: float) -> float:
    """Return du/dt = (I - u) / τ.

    Args:
        u: potential.
        current: the input I, in units of the potential.
        tau: time constant of the membrane, in units of time; > 0.

    Raises:
        TypeError, ValueError: if an argument is not a finite number, or ``tau`` is not > 0.

    >>> slope(u=0.0, current=1.0, tau=2.0)
    0.5
    """
    u, current = checks.number("u", u), checks.number("current", current)
    return (current - u) / checks.number("tau", tau, positive=True)  # ode


def euler_step(u: float, current: float, dt: float, tau: float) -> float:
    """Return u + dt (I - u)/τ: one Euler step, along the slope at t for a time dt.

    >>> euler_step(u=1.0, current=0.0, dt=0.5, tau=2.0)
    0.75
    """
    dt = checks.number("dt", dt)
    return u + dt * slope(u, current, tau)  # ode-euler


def exact_step(u: float, current: float, dt: float, tau: float) -> float:
    """Return I + (u - I) e^(-dt/τ): u(t + dt), exact for an input that stays constant.

    Raises:
        TypeError, ValueError: as for :func:`slope`, or if -dt/τ is so large that it overflows.

    >>> round(exact_step(u=1.0, current=0.0, dt=0.5, tau=2.0), 4)
    0.7788
    """
    u, current = checks.number("u", u), checks.number("current", current)
    dt, tau = checks.number("dt", dt), checks.number("tau", tau, positive=True)
    if -dt / tau > LARGEST:
        raise ValueError(
            f"dt must be > {-LARGEST} tau, got {dt:g}; e^(-dt/τ) overflows"
        )
    decay = math.exp(-dt / tau)
    return current + (u - current) * decay  # ode-exact
