"""The membrane between spikes, as a differential equation and as the two steps made from it."""

import math

from stbp_edu import checks


def slope(u: float, current: float, tau: float) -> float:
    """Return du/dt = (I - u) / τ.

    Args:
        u: potential.
        current: the input I, in units of the potential.
        tau: time constant of the membrane, in units of time; > 0.

    Raises:
        TypeError, ValueError: if ``tau`` is not a finite number > 0.

    >>> slope(u=0.0, current=1.0, tau=2.0)
    0.5
    """
    return (current - u) / checks.number("tau", tau, positive=True)  # ode


def euler_step(u: float, current: float, dt: float, tau: float) -> float:
    """Return u + dt (I - u)/τ: one Euler step, along the slope at t for a time dt.

    Raises:
        TypeError, ValueError: if ``tau`` is not a finite number > 0.

    >>> euler_step(u=1.0, current=0.0, dt=0.5, tau=2.0)
    0.75
    """
    return u + dt * slope(u, current, tau)  # ode-euler


def exact_step(u: float, current: float, dt: float, tau: float) -> float:
    """Return I + (u - I) e^(-dt/τ): u(t + dt), exact for an input that stays constant.

    Raises:
        TypeError, ValueError: if ``tau`` is not a finite number > 0.

    >>> round(exact_step(u=1.0, current=0.0, dt=0.5, tau=2.0), 4)
    0.7788
    """
    decay = math.exp(-dt / checks.number("tau", tau, positive=True))
    return current + (u - current) * decay  # ode-exact
