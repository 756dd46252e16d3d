"""Several machines: the gradient of a batch that they share, and the seconds that a step takes.

The arithmetic of the notebook ``many_machines``. A machine is whatever computes beside others: a
process, a card, a computer. Its seconds are an estimate under assumptions that the notebook lists.
"""

from collections.abc import Sequence

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array


def whole_gradient(means: Sequence[Array], counts: Sequence[int]) -> Array:
    """Return Σ_p S_p/S g_p: the gradient of a batch of S samples from those of its shares.

    Args:
        means: g_p of each machine: the gradient of the mean loss over its own samples.
        counts: S_p, the number of samples of each.

    Raises:
        TypeError, ValueError: if a gradient is not an array like the first, a count is not an
            integer >= 1, or there are not as many counts as gradients.

    >>> whole_gradient([np.array([1.0]), np.array([4.0])], counts=[2, 1])
    array([2.])
    """
    samples = np.array(checks.widths("counts", counts, at_least=1), float)
    checks.instance("means", means, list)
    shape = np.shape(means[0]) if means else ()
    for p, mean in enumerate(means):
        checks.array(f"means[{p}]", mean, "of the first", shape)
    if len(means) != len(samples):
        raise ValueError(
            f"counts must have an entry for each of the {len(means)} gradients, got "
            f"{len(samples)}; give the number of samples of each machine"
        )
    shares = samples / samples.sum()
    return np.tensordot(shares, np.stack(means), axes=1)  # p2-batch-split


def ring_seconds(P: int, size: float, bandwidth: float, latency: float) -> float:
    """Return 2(P - 1) (ℓ + B/(Pω)): the seconds to add up an array over P machines in a ring.

    Args:
        P: number of machines, >= 1, each connected with the next.
        size: B, the bytes of the array.
        bandwidth: ω, the bytes that go through a connection in a second.
        latency: ℓ, the seconds until the first byte of a message arrives.

    >>> ring_seconds(4, size=8e6, bandwidth=1e9, latency=0.5e-3)
    0.015
    """
    P = checks.count("P", P)
    size = _positive("size", size)
    bandwidth = _positive("bandwidth", bandwidth)
    latency = _positive("latency", latency)
    round_ = latency + size / (P * bandwidth)
    return 2 * (P - 1) * round_  # p2-ring-time


def step_seconds(
    P: int, compute: float, size: float, bandwidth: float, latency: float
) -> float:
    """Return c/P and the seconds of the ring: a step whose samples P machines share.

    ``compute`` is c, the seconds of the step's gradient on one machine; the other arguments are
    those of :func:`ring_seconds`.

    >>> step_seconds(4, compute=1.0, size=8e6, bandwidth=1e9, latency=0.5e-3)
    0.265
    """
    ring = ring_seconds(P, size, bandwidth, latency)
    compute = _positive("compute", compute)
    return compute / P + ring  # p2-step-time


def idle_share(T: int, N: int) -> float:
    """Return (N - 1)/(T + N - 1): how much of a pass N machines wait, each with a layer of its own.

    >>> idle_share(T=6, N=3)
    0.25
    """
    T = checks.count("T", T)
    N = checks.count("N", N)
    return (N - 1) / (T + N - 1)  # p2-idle


def _positive(name: str, value: float) -> float:
    return checks.number(name, value, positive=True)
