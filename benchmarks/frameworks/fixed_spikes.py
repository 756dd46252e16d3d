"""The trainer's step with its spikes remembered: the job of our worker processes.

It is a module of its own, so that they import no more than they need.
"""

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.checks import Array
from stbp_edu.engine import SparseInput
from stbp_edu.training.sparsity import EVERY
from stbp_edu.training.training_job import TrainingJob

ENDLESS = 10**9  # steps of the one epoch, so that what an epoch begins with is done once


class Remembered(TrainingJob):
    """The trainer's step, with the spikes of each shard of the batch drawn once."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.shards: dict[int, Array | SparseInput] = {}
        self.steps = ENDLESS

    def _places(self, _: int) -> NDArray[np.intp]:
        """Return the same batch, the first and only one of the images, at every step."""
        return super()._places(0)

    def _encode(self, images: Any) -> Array | SparseInput:
        """Return the spikes of this shard."""
        if images.shard not in self.shards:
            self.shards[images.shard] = deepcopy(super()._encode(images))
        return self.shards[images.shard]

    def drawn(self, shard: int) -> Array:
        """Return the spikes of a shard."""
        spikes = self.shards[shard]
        return spikes.dense() if isinstance(spikes, SparseInput) else spikes


class AllPixels(Remembered):
    """The same, told that every pixel is active."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.ways = (EVERY,)
