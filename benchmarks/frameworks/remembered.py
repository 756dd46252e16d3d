"""The trainer's step with its spikes remembered: what the processes of our team work on.

It is a module of its own, so that they import no more than they need.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.checks import Array
from stbp_edu.training.lit import LitPixels
from stbp_edu.training.stepper import Stepper


class Remembered(Stepper):
    """The trainer's step, with the spikes of each part of the batch drawn once."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.parts: dict[int, Array | LitPixels] = {}

    def begin(self, i: int, epoch: int) -> None:
        """Draw the order of the images once: each epoch here is a single step."""
        if not self.parts:
            super().begin(i, epoch)

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
