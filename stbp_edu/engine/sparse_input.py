"""Input that holds each image's active pixels alone, so that products run image by image.

Most pixels of an image are dark, but not the same ones in each. Image by image, few products are
with zero; in return, the weights of its active pixels are gathered for each image anew, which pays
where it has many time steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stbp_edu.arrays import section_of
from stbp_edu.checks import Array

WIDE = 800  # neurons of the layer above at a time, so that their weights stay in the cache


@dataclass(frozen=True)
class SparseInput:
    """The spikes of images at their active pixels: an input of :class:`stbp_edu.engine.Engine`.

    Attributes:
        spikes: shape (T, K): the active pixels of the first image, then those of the second, ...
        rows: shape (K,): of which image each is.
        columns: shape (K,): which pixel each is.
        size: (S, n[0]), how many images there are, and how many pixels each has.
    """

    spikes: Array
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    size: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, S, n[0])."""
        return len(self.spikes), *self.size

    @property
    def rate(self) -> float:
        """Mean of all spikes of the pixels that are active in at least one image."""
        T, S, _ = self.shape
        return float(self.spikes.sum() / (T * S * np.count_nonzero(np.bincount(self.columns))))

    def weigh(self, W: Array, out: Array) -> None:
        """Write the input of the layer above at all steps, spikes · Wᵀ, to ``out`` (T, S, m)."""
        for some in _slices(len(W)):
            lines, u = np.ascontiguousarray(W.T[:, some]), out[:, :, some]
            gathered = np.empty((self._most, lines.shape[1]), W.dtype)
            for s, spikes, columns in self._each():
                np.matmul(spikes, _take(lines, columns, gathered), out=u[:, s])  # fwd-x

    def correlate(self, epsilon: Array, out: Array) -> None:
        """Write the gradient of W, Σ εᵀ · spikes over steps and images, to ``out`` (m, n[0])."""
        for some in _slices(len(out)):
            lines, error = out.T[:, some], epsilon[:, :, some]
            total = lines if lines.flags.c_contiguous else np.empty(lines.shape, out.dtype)
            total[...] = 0
            added, so_far = np.empty((2, self._most, lines.shape[1]), out.dtype)
            for s, spikes, columns in self._each():
                new = np.matmul(spikes.T, error[:, s], out=added[: len(columns)])  # c5-w
                new += _take(total, columns, so_far)
                total[columns] = new
            if total is not lines:
                lines[...] = total

    @property
    def _most(self) -> int:
        """The largest number of active pixels of an image."""
        return int(np.bincount(self.rows, minlength=1).max())

    def _each(self) -> Iterator[tuple[int, Array, NDArray[np.intp]]]:
        """Yield each image's number, spikes and pixels."""
        starts = np.searchsorted(self.rows, np.arange(self.size[0] + 1)).tolist()
        for s, (a, b) in enumerate(pairwise(starts)):
            yield s, self.spikes[:, a:b], self.columns[a:b]

    def select(self, samples: NDArray[np.intp]) -> SparseInput:
        """Return these images alone; their numbers must be in order."""
        chosen = np.isin(self.rows, samples)
        rows, size = np.searchsorted(samples, self.rows[chosen]), (len(samples), self.size[1])
        return SparseInput(self.spikes[:, chosen], rows, self.columns[chosen], size)

    def dense(self) -> Array:
        """Return the spikes of all pixels, shape (T, S, n[0])."""
        whole = np.zeros(self.shape, self.spikes.dtype)
        whole[:, self.rows, self.columns] = self.spikes
        return whole


def _slices(m: int) -> Iterator[slice]:
    """Yield slices of m neurons, equally wide, and none wider than WIDE."""
    count = -(-m // WIDE)
    return (section_of(m, (i, count)) for i in range(count))


def _take(lines: Array, which: NDArray[np.intp], out: Array) -> Array:
    """Return some lines of a matrix, written to the beginning of ``out``.

    The mode is chosen for its speed: with the default one NumPy copies to a buffer of its own.
    """
    return np.take(lines, which, axis=0, out=out[: len(which)], mode="clip")
