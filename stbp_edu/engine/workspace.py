"""Buffers for the engine, so that it asks the system for memory once and not at every call."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stbp_edu.checks import Array


@dataclass
class Workspace:
    """Buffers that are written again at each call, and made anew to grow or for another dtype.

    A trace or gradient computed in a workspace lives there: the next call with the same
    workspace overwrites it. Without one, each call makes new arrays.
    """

    _arrays: dict[tuple[str, int], Array] = field(default_factory=dict, init=False, repr=False)

    def array(self, name: str, n: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Return an array of this shape in the buffer ``name`` of layer ``n``."""
        found, size = self._arrays.get((name, n)), math.prod(shape)
        if found is None or found.size < size or found.dtype != dtype:
            found = self._arrays[name, n] = np.empty(size, dtype)
        return found[:size].reshape(shape)

    def like(self, name: str, n: int, other: Array) -> Array:
        """Return an array that lies in memory as another does, by rows or by columns."""
        if other.flags.c_contiguous:
            return self.array(name, n, other.shape, other.dtype)
        return self.array(name, n, other.T.shape, other.dtype).T
