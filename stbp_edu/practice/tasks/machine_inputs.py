"""Random inputs of the exercises on several machines."""

from collections.abc import Callable
from typing import Any

import numpy as np

Args = tuple[Any, ...]


def _shares(rng: np.random.Generator, k: int) -> Args:
    """Return gradients, numbers of samples, and who has answered; never all with as many."""
    alive = np.array([True, k % 2 == 0, False, True, True])
    return rng.normal(1, 1, (5, 2 + k)), np.array([7, 3, 5, 1 + k, 8]), alive


DRAWS: dict[str, Callable[[np.random.Generator, int], Args]] = {
    "shares-alive": _shares,
    "wave-time": lambda rng, k: (rng.uniform(1, 5, 3 + k), (4, 1, 7, 3)[k]),
    "batch-for-share": lambda rng, k: (
        (2, 5, 16, 3)[k],
        *(rng.uniform(1e-3, 1e-2), 1e6, 1e8, rng.uniform(1e-3, 1e-2), (0.1, 0.2, 0.3, 0.05)[k]),
    ),
}
"""The draws by the exercise's id."""
