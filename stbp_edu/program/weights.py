"""The weights into a layer, for all steps and samples at once: up, down, and their gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support.checks import Array
from stbp_edu._support.links import Link, Patches, Shape
from stbp_edu.program.in_loops import kernel
from stbp_edu.program.machine import run_in_parts

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

    @cached_property
    def own(self) -> Link:
        """The map from images to currents, behind the pooling, which goes over all at once."""
        source, last = self.link.shapes[-2], self.link.maps[-1]
        if not isinstance(last, Patches):
            source = (math.prod(source),)
        elif self.compiled:
            last = CutInLoops(last.k)
        return Link((last,), source, self.link.units)

    @property
    def dense(self) -> bool:
        """Whether the layer reads all that is below, each by a weight of its own."""
        return len(self.own.source) == 1

    def forward(self, below: Array, out: Array) -> Spikes | None:
        """Write W o + b: from (T, S, n) to (T, S, m); return where rare spikes are."""
        W, b = self.p["W"], self.p["b"]
        below = distinct_steps(below)
        images = self._images(below)
        currents = out[: len(below)].reshape(-1, *self.own.shape)
        spikes = self._rare(images)
        if spikes:
            table = self.empty(W.T.shape, W.dtype)
            spike_currents(spikes, W, b, out[: len(below)], table)
        else:

            def product(some: slice) -> None:
                if self.dense:
                    np.matmul(images[some], W.T, out=currents[some])  # fwd-x
                    currents[some] += b
                else:
                    x = self.own.forward(images[some], W)
                    np.add(x, b[:, None, None], out=currents[some])

            in_blocks(product, len(images), self._together, self._work(images))
        out[len(below) :] = out[0]
        return spikes

    def transpose(self, signal: Array, out: Array) -> None:
        """Write Wᵀ err: from (T, S, m) to (T, S, n)."""
        errors = signal.reshape(-1, *self.own.shape)
        pools = len(self.link.maps) > 1
        shape = len(errors), *self.own.source
        back = np.empty(shape, out.dtype) if pools else out.reshape(shape)

        def loop(some: slice) -> None:
            if self.dense:
                np.matmul(errors[some], self.p["W"], out=back[some])
            else:
                back[some] = self.own.back(errors[some], self.p["W"])

        in_blocks(loop, len(errors), self._together, self._work(back))
        if pools:
            images = back.reshape(-1, *self.link.shapes[-2])
            out[...] = self.link.spread(images).reshape(out.shape)

    def gradient(
        self, epsilon: Array, below: Array, spikes: Spikes | None = None
    ) -> Array:
        """Return Σ ε oᵀ over steps and samples, in the shape of W.

        ``spikes`` are what :meth:`forward` returned for what is below, if that is known.
        """
        W = self.p["W"]
        distinct = distinct_steps(below)
        if len(distinct) < len(epsilon):
            epsilon = epsilon.sum(axis=0, keepdims=True)
        images = self._images(distinct)
        errors = epsilon.reshape(-1, *self.own.shape)
        spikes = spikes or self._rare(images)
        if spikes:
            by_input = self.empty(W.T.shape, W.dtype)  # a row for each neuron below
            return spike_gradient(spikes, epsilon, by_input)
        if not self.dense:
            return self._of_convolution(errors, images)
        out = self.empty(W.shape, W.dtype)

        def loop(some: slice) -> None:
            np.matmul(errors.T, images[:, some], out=out[:, some])  # c5-w

        in_blocks(loop, images.shape[1], ROWS, self._work(images))
        return out

    def _of_convolution(self, errors: Array, images: Array) -> Array:
        """Return the gradient of weights that many places of an image share."""
        sums = np.zeros((SUMS, *self.p["W"].shape), errors.dtype)
        every = blocks(len(images), self._together)

        def loop(first: int, last: int) -> None:
            for k in range(first, last):
                for some in every[k::SUMS]:
                    sums[k] += self.own.gradient(errors[some], images[some])

        run_in_parts(loop, SUMS, self._work(images))
        return np.asarray(sums.sum(axis=0))

    def _images(self, below: Array) -> Array:
        """Return what the weights read of (T, S, n): means, where pooling comes before them."""
        pooled = self.link.pooled(below.reshape(-1, *self.link.source))
        return np.asarray(pooled.reshape(-1, *self.own.source))

    def _rare(self, images: Array) -> Spikes | None:
        """Return where spikes are, if they are so rare that it pays to go through them."""
        if not (self.compiled and self.dense):
            return None
        return rare_spikes(images, len(self.p["b"]), self.empty)

    @property
    def _together(self) -> int:
        """How many rows, or images, are done at a time."""
        return ROWS if self.dense else max(1, PATCHES // math.prod(self.own.shapes[-1]))

    def _work(self, images: Array) -> float:
        """Return about how many operations a product takes: 16 multiplications at once."""
        return len(images) * math.prod(self.own.shapes[-1]) * self.own.units / 16


@dataclass(frozen=True)
class CutInLoops(Patches):
    """The patches of images, by compiled loops: two thirds of the time of NumPy's."""

    def forward(self, x: Any, shape: Shape) -> Any:
        """Cut the patches out."""
        patches = np.empty((len(x), *self.out(shape)), x.dtype)
        kernel("cut")(x, patches.reshape(self._windows(patches, shape)))
        return patches

    def transpose(self, y: Any, shape: Shape) -> Any:
        """Add each patch up where it was cut out."""
        images = np.zeros((len(y), *shape), y.dtype)
        kernel("put_back")(y.reshape(self._windows(y, shape)), images)
        return images

    def _windows(self, columns: Any, shape: Shape) -> Shape:
        """Return the shape of all windows: (images, C, k, k, h, w)."""
        return (len(columns), shape[0], self.k, self.k, *self.places(shape))


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


def distinct_steps(below: Array) -> Array:
    """Return a layer's input, cut to one step where all steps share the same memory."""
    return below[:1] if below.strides[0] == 0 else below
