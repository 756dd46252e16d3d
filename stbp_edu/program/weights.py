"""The weights into a layer, for all steps and samples at once: up, down, and their gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support.checks import Array
from stbp_edu.arrows.link import Flatten, Link
from stbp_edu.program.machine_code import kernel
from stbp_edu.program.threads import run_in_parts

ROWS = 256
"""Rows, or columns, of a matrix product that are done at a time."""
PATCHES = 2**18
"""Numbers in the patches that are cut out at a time: 1 MB in float32, which stay in the cache."""
SUMS = 16
"""How many sums the gradient of a convolution is made of, however many threads add them up."""
RARE, WIDE = 0.2, 64
"""Spikes that at most this share of entries are, into at least so many neurons, are added row by
row of the weights; a matrix product is faster otherwise."""
Spikes = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]
"""Where the spikes of some rows are: of row r at ``places[starts[r] : ends[r]]``."""


@dataclass(frozen=True)
class Weights:
    """The weights of a layer, and what comes before them.

    Attributes:
        link: the map: fully connected or a convolution, perhaps behind pooling.
        p: the layer's arrays by name.
        compiled: whether rare spikes are gone through in compiled loops.
        empty: returns a new array of a shape and a dtype.
    """

    link: Link
    p: dict[str, Array]
    compiled: bool
    empty: Callable[..., Any]

    def forward(self, below: Array, out: Array) -> Spikes | None:
        """Write W o + b: from (T, S, n) to (T, S, m); return where rare spikes are."""
        W, b = self.p["W"], self.p["b"]
        below = self._pooled(distinct_steps(below))
        rows, currents = flat(below), flat(out[: len(below)])
        spikes = self._rare(rows)
        if spikes:
            table = self.empty(W.T.shape, W.dtype)
            spike_currents(spikes, W, b, out[: len(below)], table)
        else:
            matrix = W.reshape(len(W), -1)

            def product(some: slice) -> None:
                if self.dense:
                    np.matmul(rows[some], W.T, out=currents[some])  # fwd-x
                    currents[some] += b
                else:
                    by_channel = currents[some].reshape(-1, len(W), self._places)
                    np.matmul(matrix, self._patches(rows[some]), out=by_channel)
                    by_channel += b[:, None]  # p2-conv-x, p2-conv-image-x

            in_blocks(product, len(rows), self._together, self._work(rows))
        out[len(below) :] = out[0]
        return spikes

    def transpose(self, signal: Array, out: Array) -> None:
        """Write Wᵀ err: from (T, S, m) to (T, S, n)."""
        errors = flat(signal)
        back = flat(out)
        if self.pools:
            back = np.empty((len(back), math.prod(self.link.shapes[-2])), out.dtype)
        matrix = self.p["W"].reshape(len(self.p["W"]), -1)

        def loop(some: slice) -> None:
            if self.dense:
                np.matmul(errors[some], matrix, out=back[some])
            else:
                error = errors[some].reshape(-1, len(matrix), self._places)
                back[some] = self._put_back(matrix.T @ error)

        in_blocks(loop, len(errors), self._together, self._work(back))
        for i in reversed(range(len(self.pools))):
            shapes = self.link.shapes[i : i + 2]
            images = back.reshape(-1, *shapes[1])
            back = flat_images(self.pools[i].transpose(images, shapes[0]))
        if self.pools:
            flat(out)[...] = back

    def gradient(
        self, epsilon: Array, below: Array, spikes: Spikes | None = None
    ) -> Array:
        """Return Σ ε oᵀ over steps and samples, in the shape of W.

        ``spikes`` are what :meth:`forward` returned for what is below, if that is known.
        """
        W = self.p["W"]
        distinct = self._pooled(distinct_steps(below))
        if len(distinct) < len(epsilon):
            epsilon = epsilon.sum(axis=0, keepdims=True)
        errors, rows = flat(epsilon), flat(distinct)
        spikes = spikes or self._rare(rows)
        if spikes:
            by_input = self.empty(W.T.shape, W.dtype)  # a row for each neuron below
            return spike_gradient(spikes, epsilon, by_input)
        if not self.dense:
            return self._of_convolution(errors, rows)
        out = self.empty(W.shape, W.dtype)

        def loop(some: slice) -> None:
            np.matmul(errors.T, rows[:, some], out=out[:, some])  # c5-w

        in_blocks(loop, rows.shape[1], ROWS, self._work(rows))
        return out

    def _of_convolution(self, errors: Array, rows: Array) -> Array:
        """Return the gradient of weights that many places of an image share."""
        W = self.p["W"]
        sums = np.zeros((SUMS, W[0].size, len(W)), errors.dtype)
        every = blocks(len(rows), self._together)

        def loop(first: int, last: int) -> None:
            for k in range(first, last):
                for some in every[k::SUMS]:
                    error = errors[some].reshape(-1, len(W), self._places)
                    by_place = np.ascontiguousarray(np.swapaxes(error, 1, 2))
                    found = self._patches(rows[some]) @ by_place
                    sums[k] += found.sum(axis=0)  # p2-conv-w, p2-conv-image-w

        run_in_parts(loop, SUMS, self._work(rows))
        return np.asarray(sums.sum(axis=0).T.reshape(W.shape))

    def _pooled(self, series: Array) -> Array:
        """Return what the weights read of (T, S, n): means, where pooling comes before them."""
        T, S, _ = series.shape
        for pool, shape in zip(self.pools, self.link.shapes, strict=False):
            series = pool.forward(series.reshape(T, S, *shape), shape)
        return series.reshape(T, S, -1)

    def _patches(self, rows: Array) -> Array:
        """Return the patches of some images: (images, weights of a channel, places)."""
        patches = np.empty((len(rows), *self._windows), rows.dtype)
        images = rows.reshape(-1, *self.link.shapes[-2])
        if self.compiled:
            kernel("cut")(images, patches)
        else:
            for window, place in _windows(images, patches):
                place[...] = window
        places, size = self.link.shapes[-1]
        return patches.reshape(len(rows), size, places)

    def _put_back(self, patches: Array) -> Array:
        """Return errors of some images, a row each, from those of their patches."""
        images = np.zeros((len(patches), *self.link.shapes[-2]), patches.dtype)
        windows = patches.reshape(len(patches), *self._windows)
        if self.compiled:  # with cut, two thirds of the time of NumPy's
            kernel("put_back")(windows, images)
        else:
            for window, place in _windows(images, windows):
                window += place  # p2-conv-delta, p2-conv-image-delta
        return flat_images(images)

    @property
    def _windows(self) -> tuple[int, ...]:
        """The shape of an image's windows: (C, k, k, h, w)."""
        return (*self.p["W"].shape[1:], *self.link.shape[1:])

    @property
    def pools(self) -> Sequence[Any]:
        """The means that come before the weights."""
        return self.link.maps[:-1]

    @property
    def dense(self) -> bool:
        """Whether the layer reads all that is below, each by a weight of its own."""
        return isinstance(self.link.maps[-1], Flatten)

    def _rare(self, rows: Array) -> Spikes | None:
        """Return where spikes are, if they are so rare that it pays to go through them."""
        if not (self.compiled and self.dense):
            return None
        return rare_spikes(rows, len(self.p["b"]), self.empty)

    @property
    def _together(self) -> int:
        """How many rows, or images, are done at a time."""
        if self.dense:
            return ROWS
        return max(1, PATCHES // math.prod(self.link.shapes[-1]))

    @property
    def _places(self) -> int:
        """How many places of an image a kernel reads."""
        return self.link.shapes[-1][0]

    def _work(self, rows: Array) -> float:
        """Return about how many operations a product takes: 16 multiplications at once."""
        places, size = self.link.shapes[-1]
        return len(rows) * places * size * len(self.p["W"]) / 16


def rare_spikes(
    rows: Array, width: int, empty: Callable[..., Any] = np.empty
) -> Spikes | None:
    """Return where the spikes of some rows are, if it pays to go through them one by one.

    Args:
        rows: outputs of neurons; None is returned where they are not all 0 or 1.
        width: how many neurons read them.
        empty: returns a new array of a shape and a dtype.
    """
    some = rows[:: math.ceil(len(rows) / 100)]
    if width < WIDE or np.count_nonzero(some) > RARE * some.size:
        return None
    starts, ends = np.empty((2, len(rows)), np.int64)
    places = empty((rows.size,), np.int32)
    given = rows, starts, ends, places
    run_in_parts(kernel("note_spikes"), len(rows), rows.size, *given)
    return None if ends.min() < 0 else (starts, ends, places)


def spike_currents(spikes: Spikes, W: Array, b: Array, out: Array, table: Any) -> None:
    """Write W o + b, from rare spikes o, to (T, S, m); ``table`` is memory for Wᵀ."""
    T, S, _ = out.shape
    table[...] = W.T
    work = out.size * len(table) * RARE / 2
    run_in_parts(kernel("currents"), T * S, work, *spikes, table, b, out)  # fwd-x


def spike_gradient(spikes: Spikes, errors: Array, by_input: Any) -> Array:
    """Return Σ error oᵀ, (m, n), from rare spikes o and errors (T, S, m), in memory (n, m)."""
    work = errors.size * len(by_input) * RARE / 2
    given = *spikes, errors, by_input
    run_in_parts(kernel("gradient"), len(by_input), work, *given)  # c5-w
    return np.asarray(by_input.T)


def _windows(images: Array, patches: Array) -> Iterator[tuple[Array, Array]]:
    """Yield each window of images and its place in patches (images, C, k, k, h, w)."""
    k, _, h, w = patches.shape[2:]
    for a, b in np.ndindex(k, k):
        yield images[:, :, a : a + h, b : b + w], patches[:, :, a, b]


def mean_of(series: Array) -> float:
    """Return the mean of an array, by a product: faster than adding up."""
    rows = flat(series)
    each = np.full(len(rows), 1 / len(rows), series.dtype)
    return float((each @ rows).mean())


def blocks(size: int, width: int) -> list[slice]:
    """Return slices of a range."""
    return [slice(start, start + width) for start in range(0, size, width)]


def in_blocks(
    loop: Callable[[slice], None], size: int, width: int, work: float
) -> None:
    """Call a function for slices of a range, some side by side; see :func:`run_in_parts`."""
    every = blocks(size, width)

    def part(first: int, last: int) -> None:
        for some in every[first:last]:
            loop(some)

    run_in_parts(part, len(every), work)


def flat(series: Array) -> Array:
    """Return (T, S, m) as a matrix, a row for each step and sample."""
    return series.reshape(-1, series.shape[-1])


def flat_images(images: Array) -> Array:
    """Return (images, ...) as a matrix, a row for each."""
    return images.reshape(len(images), -1)


def distinct_steps(below: Array) -> Array:
    """Return a layer's input, cut to one step where all steps share the same memory."""
    return below[:1] if below.strides[0] == 0 else below
