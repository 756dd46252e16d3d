"""The sums over spikes one by one: each costs a row of weights, and silence costs nothing.

Whether that pays is decided by a model of what moves from the cache to the processor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support.checks import Array
from stbp_edu.engine.machine_code import kernel
from stbp_edu.engine.threads import run_in_parts
from stbp_edu.engine.workspace import CACHE_LINE, at_cache_line, begins_a_cache_line

PRODUCT = 3
"""Multiplications of a matrix product in the time in which one weight comes from the cache."""
SPIKE = 50
"""Weights that come from the cache in the time in which a spike is noted, and its row is begun."""
SEARCH = 4
"""The same for an entry that is looked at, beyond what reading it costs a product, too."""
FEW = 100
"""Rows of spikes in which neurons are counted."""
ONE_MEGABYTE = 2**20


@dataclass(frozen=True)
class SpikePlaces:
    """Where the spikes of a series (T, S, n) are: of row t · S + s at ``places[start:end]``.

    Attributes:
        starts: where the places of each row begin, shape (T · S,).
        ends: where they end.
        places: the neurons that spiked, row by row, with gaps.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    places: NDArray[Any]

    @cached_property
    def count(self) -> int:
        """How many spikes there are."""
        return int((self.ends - self.starts).sum())

    def weigh(self, W: Array, b: Array, out: Array) -> None:
        """Write the current W o + b, with W (m, n) and b (m,), to ``out`` (T, S, m)."""
        m, n = W.shape
        T, S, _ = out.shape
        work = self.count * m / 2
        read = W.nbytes * self.share_of_weights(n)
        tables = tables_of(W, read)
        given = self.starts, self.ends, self.places, tables, b
        weigh = kernel("weigh")
        run_in_parts(weigh, T * S, work, *given, out)  # fwd-x

    def share_of_weights(self, n: int) -> float:
        """Return about how many of n neurons spike at all, as a share; border pixels never do."""
        apart = math.ceil(len(self.starts) / FEW)
        rows = zip(self.starts[::apart], self.ends[::apart], strict=True)
        some = [self.places[start:end] for start, end in rows]
        spikes = np.bincount(np.concatenate(some))
        return np.count_nonzero(spikes) / n

    def correlate(self, epsilon: Array, out: Array) -> None:
        """Write Σ o εᵀ, the gradient of Wᵀ, to ``out`` (n, m), from ε (T, S, m)."""
        n, m = out.shape
        work = self.count * m / 2
        given = self.starts, self.ends, self.places, epsilon
        correlate = kernel("correlate")
        run_in_parts(correlate, n, work, *given, out)  # c5-w


def new_room(entries: int) -> NDArray[Any]:
    """Return a new array for places; the system gives no more memory than is written to."""
    return np.empty(entries, np.int32)


def rare_spikes(
    series: Array, m: int, room: Callable[[int], NDArray[Any]] = new_room
) -> SpikePlaces | None:
    """Return where the spikes of a series (T, S, n) are, if it pays to go through them one by one.

    Args:
        series: outputs of neurons; None is returned where they are not all 0 or 1.
        m: the width of the layer above. For each entry a product makes m multiplications. Adding
            rows looks at the entry, and takes m weights from the cache for a spike.
        room: returns an array for so many places as the series has entries; called if there is a
            search.
    """
    if not series.flags.c_contiguous:
        return None
    entries = series.size
    product = entries * m / PRODUCT
    search = SEARCH * entries
    if search >= product:
        return None
    T, S, n = series.shape
    size = T * S
    rows = series.reshape(size, n)
    starts = np.empty(size, np.int64)
    ends = np.empty(size, np.int64)
    places = room(entries)
    others = np.zeros(size, np.int64)
    note_places = kernel("note_places")
    run_in_parts(note_places, size, entries, rows, starts, ends, places, others)
    if others.any():
        return None
    found = SpikePlaces(starts, ends, places)
    one_by_one = search + found.count * (m + SPIKE)
    if one_by_one >= product:
        return None
    return found


def tables_of(W: Array, size: float) -> Array:
    """Return weights (m, n) by columns, as (parts, n, width), where a part stays in the cache.

    ``size`` is how many bytes of the weights are read. A row is a whole number of cache lines;
    behind the last column there are zeros. Weights that lie so already are not copied.
    """
    m, n = W.shape
    line = CACHE_LINE // W.itemsize
    caches = math.ceil(size / core_cache())
    wanted = max(1, caches)
    lines = math.ceil(m / wanted / line)
    width = line * lines
    parts = math.ceil(m / width)
    columns = W.T
    if parts == 1 and width == m and begins_a_cache_line(columns):
        return columns[None]
    tables = at_cache_line((parts, n, width), W.dtype)
    for part, table in enumerate(tables):
        first = part * width
        rows = W[first : first + width]
        many = len(rows)
        table[:, :many] = rows.T
        table[:, many:] = 0
    return tables


@cache
def core_cache() -> int:
    """Return the bytes in the own cache of a processor core; 1 MB where Linux does not say."""
    told = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")
    try:
        text = told.read_text().strip()  # such as "2048K"
        kilobytes = int(text.removesuffix("K"))
        return kilobytes * 1024
    except (OSError, ValueError):
        return ONE_MEGABYTE
