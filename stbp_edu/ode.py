"""The membrane between spikes, as a differential equation and as the two steps made from it."""

import math

from stbp_edu._support import checks

LARGEST = 700
"""The largest exponent whose exponential is a float."""


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
