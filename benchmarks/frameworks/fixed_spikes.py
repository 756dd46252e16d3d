"""The trainer's step with its spikes remembered: what the processes of our team work on.

It is a module of its own, so that they import no more than they need.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.checks import Array
from stbp_edu.training.loop.batch import Batch
from stbp_edu.training.loop.stepper import Stepper
from stbp_edu.training.sparsity.lit import LitPixels
from stbp_edu.training.sparsity.narrow import Kept

ENDLESS = 10**9  # steps of the one epoch, so that what an epoch begins with is done once


class Remembered(Stepper):
    """The trainer's step, with the spikes of each part of the batch drawn once."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.parts: dict[int, Array | LitPixels] = {}
        self.steps = ENDLESS

    def learn(self, i: int, _: int, hidden: Kept) -> Batch | None:
        """Take the same step, the first and only one of the images, again and again."""
        return super().learn(i, 0, hidden)

    def _encode(self, part: Any) -> Array | LitPixels:
        """Return the spikes of this part."""
        if part.i not in self.parts:
            self.parts[part.i] = deepcopy(super()._encode(part))
        return self.parts[part.i]

    def drawn(self, i: int) -> Array:
        """Return the spikes of the i-th part."""
        found = self.parts[i]
        return found.dense() if isinstance(found, LitPixels) else found


class AllPixels(Remembered):
    """The same, told that every pixel is lit."""

    def _columns(self, rows: NDArray[Any]) -> NDArray[np.intp]:
        """Return all pixels."""
        return np.arange(rows.shape[1])
