"""Random inputs of the exercises on words of arrows and on traces."""

from collections.abc import Callable
from typing import Any

import numpy as np

from stbp_edu.arrows import hard_reset, network, words
from stbp_edu.neuron import LIF

Args = tuple[Any, ...]


def _words(rng: np.random.Generator, k: int) -> list[tuple[str, ...]]:
    """Return every word of a small network, as paths from a parameter, in random order."""
    net = network(("1-1", "1-1-1", "1-1-1", "1-1-1-1")[k], hard_reset(LIF()))
    found = [("enter", *word) for word in words(net, (4, 3, 4, 3)[k])]
    return [found[i] for i in rng.permutation(len(found))]


def _trace(rng: np.random.Generator, k: int) -> Args:
    """Return a trace, what leads from the last step's potential to this one's, and the input."""
    n, m = 2 + k % 2, 3
    u, o = rng.normal(0, 1, n), (rng.random(n) < 0.5) * 1.0
    neuron = LIF(tau=0.6, v_th=0.5)
    spikes = (rng.random(m) < 0.7) * 1.0
    return rng.normal(0, 1, (n, m)), u, neuron.h(u), neuron.f(o), neuron.df(o), spikes


DRAWS: dict[str, Callable[[np.random.Generator, int], Args]] = {
    "one-reset": lambda rng, k: tuple(rng.normal(0, 1, (6, 2, 3 + k))),
    "word-steps": lambda rng, k: (_words(rng, k), k),
    "word-count": lambda rng, k: ((3, 5, 2, 7)[k],),
    "own-reset-trace": _trace,
    "forward-words": lambda rng, k: (_words(rng, k),),
    "break-even": lambda rng, k: ([[40, 64, 2], [8, 128, 10], [784, 800, 10], [8, 4]][k],),
}
"""The draws by the exercise's id."""
