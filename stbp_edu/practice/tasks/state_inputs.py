"""Random inputs of the exercises on states, convolution and pooling."""

from typing import Any

import numpy as np

Args = tuple[Any, ...]


def _spread(rng: np.random.Generator, k: int) -> Args:
    """Return ε of m outputs, a kernel, and the length of a line read with stride 2."""
    m, size = 3 + k, (3, 4, 2, 3)[k]
    return rng.normal(0, 1, m), rng.normal(0, 1, size), 2 * (m - 1) + size + k % 2


DRAWS = {
    "current-late": lambda rng, k: (*rng.normal(0, 1, (3, 2, 3)), (0.5, 0.9, 0.2, 0.7)[k]),
    "adapt-potential": lambda rng, k: (
        *rng.normal(0, 1, (2, 2, 3)),
        rng.random((2, 3)),
        rng.normal(0, 1, (2, 3)),
        (0.5, 1.5, 0.2, 0.7)[k],
        (0.9, 0.6, 0.8, 0.3)[k],
    ),
    "recur-late": lambda rng, k: (
        rng.normal(0, 1, ((5, 4, 2, 6)[k], 2, 3)),
        (rng.random(((5, 4, 2, 6)[k], 2, 3)) < 0.6) * 1.0,
    ),
    "conv-stride": _spread,
    "conv-bias": lambda rng, k: (rng.normal(0.3, 1, (3, 2, 2 + k, 4, 3)),),
    "pool-max": lambda rng, k: (rng.normal(0, 1, 3 + k), rng.random(2 * (3 + k)) + 0.1),
}
"""By the exercise's id, as ``DRAWS`` of :mod:`stbp_edu.practice.tasks.inputs`."""
