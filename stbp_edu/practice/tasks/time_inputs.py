"""Random inputs of the exercises on chains of resets."""

from typing import Any

import numpy as np

Args = tuple[Any, ...]
TAU = (0.95, 0.8, 0.6, 0.9)


def _silent(rng: np.random.Generator, k: int) -> Args:
    """Return u and h of silent steps, an odd number of them and an even one, and τ."""
    shape = (3, 5, 4, 1)[k], 2 + k % 2
    return rng.uniform(0.5, 1.0, shape), rng.uniform(0.5, 2.0, shape), TAU[k]


DRAWS = {
    "silent-chain": _silent,
    "rectangle-limit": lambda rng, k: (TAU[k], (1.0, 0.5, 1.5, 0.75)[k]),
    "soft-gains": lambda rng, k: (rng.uniform(0.3, 2.0, 3 + k), TAU[k], (0.75, 0.5, 1.5, 1.2)[k]),
}
"""By the exercise's id, as ``DRAWS`` of :mod:`stbp_edu.practice.tasks.inputs`."""
