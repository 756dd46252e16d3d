"""Loops that every compiled program calls: over the spikes of a row, and over rows of weights.

A spike costs one row of weights, silence costs nothing. Rows are whole slices, eight at a time: the
processor adds many entries at once. A sum has the same order however the work is shared.
"""

from typing import Any

import numpy as np

FLOOR = 1e-10
"""Added and taken away again, it rounds a float32 below 3e-18 to zero.

Errors decay from step to step, and many processors are a hundred times slower below 1e-38.
"""
NEAR = 2**18
"""Numbers that are added again and again: 1 MB in float32, which stay in the cache of a core."""
BLOCK = 256
"""Rows of spikes that go through one part of the weights before the next."""


def spikes_in(row: Any, index: Any) -> int:
    """Write where a row is not 0 to ``index``, and return how many places these are."""
    count = 0
    for j in range(len(row)):
        index[count] = j  # written always, kept where there is a spike: no branch
        count += row[j] != 0
    return count


def add_rows(table: Any, index: Any, count: int, total: Any) -> None:
    """Add the rows of a table that ``index`` names to a row, ``total``."""
    k = 0
    while k + 8 <= count:
        a0 = table[index[k]]
        a1 = table[index[k + 1]]
        a2 = table[index[k + 2]]
        a3 = table[index[k + 3]]
        a4 = table[index[k + 4]]
        a5 = table[index[k + 5]]
        a6 = table[index[k + 6]]
        a7 = table[index[k + 7]]
        for i in range(len(total)):
            first = (a0[i] + a1[i]) + (a2[i] + a3[i])
            second = (a4[i] + a5[i]) + (a6[i] + a7[i])
            total[i] += first + second
        k += 8
    if k + 4 <= count:
        a0 = table[index[k]]
        a1 = table[index[k + 1]]
        a2 = table[index[k + 2]]
        a3 = table[index[k + 3]]
        for i in range(len(total)):
            total[i] += (a0[i] + a1[i]) + (a2[i] + a3[i])
        k += 4
    while k < count:
        a0 = table[index[k]]
        for i in range(len(total)):
            total[i] += a0[i]
        k += 1


def add_scaled_rows(v: Any, table: Any, total: Any) -> None:
    """Add each row of a table, times its value in ``v``, to a row, ``total``."""
    k = 0
    while k + 8 <= len(v):
        a0, v0 = table[k], v[k]
        a1, v1 = table[k + 1], v[k + 1]
        a2, v2 = table[k + 2], v[k + 2]
        a3, v3 = table[k + 3], v[k + 3]
        a4, v4 = table[k + 4], v[k + 4]
        a5, v5 = table[k + 5], v[k + 5]
        a6, v6 = table[k + 6], v[k + 6]
        a7, v7 = table[k + 7], v[k + 7]
        for i in range(len(total)):
            first = (v0 * a0[i] + v1 * a1[i]) + (v2 * a2[i] + v3 * a3[i])
            second = (v4 * a4[i] + v5 * a5[i]) + (v6 * a6[i] + v7 * a7[i])
            total[i] += first + second
        k += 8
    if k + 2 <= len(v):
        a0, v0 = table[k], v[k]
        a1, v1 = table[k + 1], v[k + 1]
        for i in range(len(total)):
            total[i] += v0 * a0[i] + v1 * a1[i]
        k += 2
    while k < len(v):
        a0, v0 = table[k], v[k]
        for i in range(len(total)):
            total[i] += v0 * a0[i]
        k += 1


def count_spikes(first: int, last: int, rows: Any, many: Any, others: Any) -> None:
    """Write for each row how many entries are not 0, and how many are neither 0 nor 1."""
    for r in range(first, last):
        row = rows[r]
        active = 0
        other = 0
        for j in range(len(row)):
            active += row[j] != 0
            other += (row[j] != 0) & (row[j] != 1)
        many[r] = active
        others[r] = other


def note_places(first: int, last: int, rows: Any, starts: Any, places: Any) -> None:
    """Write where the entries of each row are that are not 0, from ``starts[r]`` on."""
    index = np.empty(rows.shape[1] + 1, np.int32)
    for r in range(first, last):
        count = spikes_in(rows[r], index)
        places[starts[r] : starts[r] + count] = index[:count]


def weigh(
    first: int, last: int, starts: Any, places: Any, tables: Any, b: Any, out: Any
) -> None:
    """Write for rows of spikes the sum of a bias and the rows of weights that they name.

    Args:
        first: the first row to write.
        last: the one after the last.
        starts: where the places of each row begin.
        places: the neurons below that spiked.
        tables: the weights by columns, some at a time, shape (parts, n, width).
        b: where each sum begins, shape (m,).
        out: shape (rows, m).
    """
    parts, _, width = tables.shape
    for start in range(first, last, BLOCK):
        end = min(start + BLOCK, last)
        for part in range(parts):
            left = part * width
            begin = b[left : left + width]
            for r in range(start, end):
                total = out[r, left : left + width]
                total[:] = begin
                named = places[starts[r] : starts[r + 1]]
                add_rows(tables[part], named, len(named), total)


def correlate(
    first: int, last: int, starts: Any, places: Any, epsilon: Any, out: Any
) -> None:
    """Write the gradient of W, transposed: row j is the sum of ε where neuron j below spiked.

    A few samples at a time: first the rows in which each neuron spiked, then a sum for each neuron.

    Args:
        first: the first row of ``out`` to write.
        last: the one after the last.
        starts: where the places of each row of spikes begin, row t · S + s for step t and sample s.
        places: the neurons below that spiked.
        epsilon: shape (T, S, m).
        out: shape (n, m).
    """
    T, S, m = epsilon.shape
    errors = epsilon.reshape(T * S, m)
    size = last - first
    together = min(S, max(1, NEAR // (T * m)))
    found = np.empty((size, T * together), np.int32)
    many = np.empty(size, np.int32)
    out[first:last] = 0
    for start in range(0, S, together):
        many[:] = 0
        for s in range(start, min(S, start + together)):
            for t in range(T):
                r = t * S + s
                named = places[starts[r] : starts[r + 1]]
                k = np.searchsorted(named, first)
                while k < len(named) and named[k] < last:
                    j = named[k] - first
                    found[j, many[j]] = r
                    many[j] += 1
                    k += 1
        for j in range(size):
            if many[j] > 0:
                add_rows(errors, found[j], many[j], out[first + j])


def adam(
    p: Any, g: Any, m: Any, v: Any, beta1: Any, rest1: Any, beta2: Any, rest2: Any,
    size: Any, eps: Any,
) -> None:  # fmt: skip
    """Make one update of Adam; see :func:`stbp_edu.training.optimiser.adam`."""
    for i in range(len(p)):
        m[i] = beta1 * m[i] + rest1 * g[i]
        v[i] = beta2 * v[i] + rest2 * (g[i] * g[i])
        p[i] -= m[i] * size / (np.sqrt(v[i]) + eps)  # adam


def quick_exp(y: Any) -> Any:
    """Return e^y in single precision, so several can be computed at once.

    y = n ln 2 + r: 2^n is written as bits, and e^r is a polynomial.
    """
    F = np.float32
    x = y
    y = min(max(y, F(-87)), F(88))
    shifted = F(y * F(1.4426950408889634) + F(12582912))
    n = F(shifted - F(12582912))  # rounded: 12582912 = 1.5 · 2^23
    r = (y - n * F(0.693359375)) - n * F(-2.12194440e-4)
    e = F(1 / 6) + r * (F(1 / 24) + r * (F(1 / 120) + r * F(1 / 720)))
    e = F(1) + r * (F(1) + r * (F(1 / 2) + r * e))
    e *= np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return e if x == x else x  # not a number stays so


def cut(images: Any, patches: Any) -> None:
    """Write the windows of images (images, C, H, W) to ``patches``, (images, C, k, k, h, w).

    At (a, b) of k × k there is the pixel (a, b) of each window, which are rows of the image.
    """
    count, C, k, _, h, w = patches.shape
    for s in range(count):
        for c in range(C):
            for a in range(k):
                for b in range(k):
                    for y in range(h):
                        for x in range(w):
                            patches[s, c, a, b, y, x] = images[s, c, y + a, x + b]


def put_back(patches: Any, images: Any) -> None:
    """Add up errors of windows in the images that they were cut out of; see :func:`cut`."""
    count, C, k, _, h, w = patches.shape
    for s in range(count):
        for c in range(C):
            for a in range(k):
                for b in range(k):
                    for y in range(h):
                        for x in range(w):
                            # p2-conv-delta, p2-conv-image-delta
                            images[s, c, y + a, x + b] += patches[s, c, a, b, y, x]
