"""Loops that every compiled program calls: over the entries of a row that are not 0.

A spike costs one row of weights, silence costs nothing. A row of weights is a whole slice, so the
processor adds many entries at once. A sum has the same order however the work is shared.
"""

from typing import Any

import numpy as np

NEAR = 2**18
"""Numbers that are added again and again: 1 MB in float32, which stay in the cache of a core."""


def spikes_in(row: Any, index: Any) -> int:
    """Write where a row is not 0 to ``index``, and return how many places these are."""
    count = 0
    for j in range(len(row)):
        index[count] = j  # written always, kept where there is a spike: no branch
        count += row[j] != 0
    return count


def add_rows(table: Any, index: Any, count: int, total: Any) -> None:
    """Add the rows ``index[:count]`` of a table to a row."""
    k = 0
    while k + 8 <= count:  # so a total is read and written once for eight rows
        a, b, c, d = index[k], index[k + 1], index[k + 2], index[k + 3]
        e, f, g, h = index[k + 4], index[k + 5], index[k + 6], index[k + 7]
        for i in range(len(total)):
            left = (table[a, i] + table[b, i]) + (table[c, i] + table[d, i])
            right = (table[e, i] + table[f, i]) + (table[g, i] + table[h, i])
            total[i] += left + right
        k += 8
    while k < count:
        a = index[k]
        for i in range(len(total)):
            total[i] += table[a, i]
        k += 1


def add_products(row: Any, table: Any, index: Any, total: Any) -> None:
    """Add each row of a table, times its entry in ``row``, to a row, ``total``."""
    count = spikes_in(row, index)
    k = 0
    while k + 4 <= count:
        a, b, c, d = index[k], index[k + 1], index[k + 2], index[k + 3]
        p, q, r, s = row[a], row[b], row[c], row[d]
        for i in range(len(total)):
            left = p * table[a, i] + q * table[b, i]
            total[i] += left + (r * table[c, i] + s * table[d, i])
        k += 4
    while k < count:
        a = index[k]
        p = row[a]
        for i in range(len(total)):
            total[i] += p * table[a, i]
        k += 1


def note_spikes(
    first: int, last: int, rows: Any, starts: Any, ends: Any, places: Any
) -> None:
    """Write where some rows are 1, at ``places[starts[r] : ends[r]]``.

    An end is -1 where an entry is neither 0 nor 1, and what follows is left out.
    """
    n = rows.shape[1]
    place = first * n  # the first that no other thread writes to
    for r in range(first, last):
        row = rows[r]
        others = 0
        for j in range(n):
            others += (row[j] != 0) & (row[j] != 1)
        if others > 0:
            ends[r:last] = -1
            break
        starts[r] = place
        place += spikes_in(row, places[place:])
        ends[r] = place


def currents(
    first: int, last: int, starts: Any, ends: Any, places: Any, table: Any, b: Any, out: Any
) -> None:  # fmt: skip
    """Write some rows of b + spikes · table, from a table (n, m), to (T, S, m).

    The steps of a sample follow each other, since they name much the same rows.
    """
    T, S, _ = out.shape
    for row in range(first, last):
        s = row // T
        t = row - s * T
        r = t * S + s
        named = places[starts[r] : ends[r]]
        total = out[t, s]
        total[:] = b
        add_rows(table, named, len(named), total)


def gradient(
    first: int, last: int, starts: Any, ends: Any, places: Any, errors: Any, out: Any
) -> None:
    """Write some rows of Σ spikes errorᵀ, (n, m), from errors (T, S, m).

    A few samples at a time, whose errors stay in the cache, and who name much the same rows.
    """
    T, S, m = errors.shape
    rows = errors.reshape(T * S, m)
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
                named = places[starts[r] : ends[r]]
                k = np.searchsorted(named, first)
                while k < len(named) and named[k] < last:
                    j = named[k] - first
                    found[j, many[j]] = r
                    many[j] += 1
                    k += 1
        for j in range(size):
            add_rows(rows, found[j], many[j], out[first + j])


def cut(images: Any, patches: Any) -> None:
    """Write the windows of images (images, C, H, W) to patches (images, C, k, k, h, w)."""
    count, C, k, _, h, w = patches.shape
    for s in range(count):
        for c in range(C):
            for a in range(k):
                for b in range(k):
                    for y in range(h):
                        for x in range(w):
                            patches[s, c, a, b, y, x] = images[s, c, a + y, b + x]


def put_back(patches: Any, images: Any) -> None:
    """Add up errors of windows, (images, C, k, k, h, w), where they were cut out."""
    count, C, k, _, h, w = patches.shape
    for s in range(count):
        for c in range(C):
            for a in range(k):
                for b in range(k):
                    for y in range(h):
                        for x in range(w):
                            # p2-conv-delta, p2-conv-image-delta
                            images[s, c, a + y, b + x] += patches[s, c, a, b, y, x]


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
