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
            a01 = a0[i] + a1[i]
            a23 = a2[i] + a3[i]
            a45 = a4[i] + a5[i]
            a67 = a6[i] + a7[i]
            total[i] += (a01 + a23) + (a45 + a67)
        k += 8
    if k + 4 <= count:
        a0 = table[index[k]]
        a1 = table[index[k + 1]]
        a2 = table[index[k + 2]]
        a3 = table[index[k + 3]]
        for i in range(len(total)):
            a01 = a0[i] + a1[i]
            a23 = a2[i] + a3[i]
            total[i] += a01 + a23
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
        a0 = table[k]
        v0 = v[k]
        a1 = table[k + 1]
        v1 = v[k + 1]
        a2 = table[k + 2]
        v2 = v[k + 2]
        a3 = table[k + 3]
        v3 = v[k + 3]
        a4 = table[k + 4]
        v4 = v[k + 4]
        a5 = table[k + 5]
        v5 = v[k + 5]
        a6 = table[k + 6]
        v6 = v[k + 6]
        a7 = table[k + 7]
        v7 = v[k + 7]
        for i in range(len(total)):
            a01 = v0 * a0[i] + v1 * a1[i]
            a23 = v2 * a2[i] + v3 * a3[i]
            a45 = v4 * a4[i] + v5 * a5[i]
            a67 = v6 * a6[i] + v7 * a7[i]
            total[i] += (a01 + a23) + (a45 + a67)
        k += 8
    if k + 2 <= len(v):
        a0 = table[k]
        v0 = v[k]
        a1 = table[k + 1]
        v1 = v[k + 1]
        for i in range(len(total)):
            total[i] += v0 * a0[i] + v1 * a1[i]
        k += 2
    while k < len(v):
        a0 = table[k]
        v0 = v[k]
        for i in range(len(total)):
            total[i] += v0 * a0[i]
        k += 1


def note_places(
    first: int, last: int, rows: Any, starts: Any, ends: Any, places: Any, others: Any
) -> None:
    """Write where the spikes of each row are, at ``places[starts[r]:ends[r]]``.

    Where ``others[r]`` is not 0, so many entries are neither 0 nor 1, and what follows is left out.
    """
    n = rows.shape[1]
    place = first * n  # the first that no other thread writes to
    for r in range(first, last):
        row = rows[r]
        other = 0
        for j in range(n):
            entry = row[j]
            other += (entry != 0) & (entry != 1)
        others[r] = other
        if other > 0:
            break
        starts[r] = place
        place += spikes_in(row, places[place:])
        ends[r] = place


def weigh(
    first: int, last: int, starts: Any, ends: Any, places: Any, tables: Any, b: Any,
    out: Any,
) -> None:  # fmt: skip
    """Write for rows of spikes the sum of a bias and the rows of weights that they name.

    The steps of a sample follow each other, since they name much the same rows.

    Args:
        first: the first row to write.
        last: the one after the last.
        starts: where the places of each row begin.
        ends: where they end.
        places: the neurons below that spiked.
        tables: the weights by columns, some at a time, shape (parts, n, width).
        b: where each sum begins, shape (m,).
        out: shape (T, S, m).
    """
    T, S, _ = out.shape
    parts, _, width = tables.shape
    for start in range(first, last, BLOCK):
        end = min(start + BLOCK, last)
        for part in range(parts):
            table = tables[part]
            left = part * width
            right = left + width
            begin = b[left:right]
            for row in range(start, end):
                s = row // T
                t = row - s * T
                total = out[t, s, left:right]
                total[:] = begin
                r = t * S + s
                start_of_row = starts[r]
                end_of_row = ends[r]
                named = places[start_of_row:end_of_row]
                add_rows(table, named, len(named), total)


def correlate(
    first: int, last: int, starts: Any, ends: Any, places: Any, epsilon: Any, out: Any
) -> None:
    """Write the gradient of W, transposed: row j is the sum of ε where neuron j below spiked.

    A few samples at a time: first the rows in which each neuron spiked, then a sum for each neuron.

    Args:
        first: the first row of ``out`` to write.
        last: the one after the last.
        starts: where the places of each row of spikes begin, row t · S + s for step t and sample s.
        ends: where they end.
        places: the neurons below that spiked.
        epsilon: shape (T, S, m).
        out: shape (n, m).
    """
    T, S, m = epsilon.shape
    errors = epsilon.reshape(T * S, m)
    size = last - first
    near = NEAR // (T * m)
    together = min(S, max(1, near))
    found = np.empty((size, T * together), np.int32)
    many = np.empty(size, np.int32)
    out[first:last] = 0
    for start in range(0, S, together):
        many[:] = 0
        end = min(S, start + together)
        for s in range(start, end):
            for t in range(T):
                r = t * S + s
                start_of_row = starts[r]
                end_of_row = ends[r]
                named = places[start_of_row:end_of_row]
                k = np.searchsorted(named, first)
                while k < len(named) and named[k] < last:
                    j = named[k] - first
                    count = many[j]
                    found[j, count] = r
                    many[j] = count + 1
                    k += 1
        for j in range(size):
            count = many[j]
            if count > 0:
                total = out[first + j]
                add_rows(errors, found[j], count, total)


def adam(
    p: Any, g: Any, m: Any, v: Any, beta1: Any, rest1: Any, beta2: Any, rest2: Any,
    size: Any, eps: Any,
) -> None:  # fmt: skip
    """Make one update of Adam; see :func:`stbp_edu.training.optimiser.adam`."""
    for i in range(len(p)):
        slope = g[i]
        m[i] = beta1 * m[i] + rest1 * slope
        v[i] = beta2 * v[i] + rest2 * (slope * slope)
        root = np.sqrt(v[i])
        p[i] -= m[i] * size / (root + eps)  # adam


def quick_exp(y: Any) -> Any:
    """Return e^y in single precision, so several can be computed at once.

    y = n ln 2 + r: 2^n is written as bits, and e^r is a polynomial.
    """
    F = np.float32
    one_by_ln2 = F(1.4426950408889634)
    ln2 = F(0.693359375)  # its first digits: n times it is exact
    rest_of_ln2 = F(-2.12194440e-4)
    whole = F(12582912)  # 1.5 · 2^23: what is added to it is rounded to a whole number
    x = y
    y = max(y, F(-87))
    y = min(y, F(88))
    shifted = F(y * one_by_ln2 + whole)
    n = F(shifted - whole)
    r = (y - n * ln2) - n * rest_of_ln2
    e = F(1 / 120) + r * F(1 / 720)
    e = F(1 / 24) + r * e
    e = F(1 / 6) + r * e
    e = F(1 / 2) + r * e
    e = F(1) + r * e
    e = F(1) + r * e
    exponent = np.int32(n) + np.int32(127)
    bits = np.int32(exponent << np.int32(23))
    e *= bits.view(np.float32)
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
