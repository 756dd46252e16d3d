"""The compiled loops of the fast trainer: the forward pass, the gains, and errors back in time."""

import numpy as np
from numba import njit

from stbp_edu.program import executor

FLOOR = np.float32(executor.FLOOR)


@njit(fastmath=True, cache=True)
def hand_down(err, W, delta):  # type: ignore[no-untyped-def]
    """Fill δ = err W of the layer below."""
    T, S, n = delta.shape
    for t in range(T):
        for s in range(S):
            for i in range(n):
                delta[t, s, i] = err[t, s, 0] * W[0, i]
            for k in range(1, len(W)):
                for i in range(n):
                    delta[t, s, i] += err[t, s, k] * W[k, i]


@njit(fastmath=True, cache=True)
def integrate(drive, everywhere, b, f, v_th, U, O):  # type: ignore[no-untyped-def]
    """Fill potentials and spikes; ``drive`` is that of the first steps, or of every step."""
    T, S, n = U.shape
    kept, less, v_th = f[0], f[1] - f[0], np.float32(v_th)
    for t in range(T):
        k = 0 if everywhere else t
        for s in range(S):
            for i in range(n):
                u = b[i]
                if k < len(drive):
                    u += drive[k, s, i]
                if t:
                    u += U[t - 1, s, i] * (kept + less * O[t - 1, s, i])  # fwd-u
                U[t, s, i] = u
                O[t, s, i] = u >= v_th  # fwd-o


@njit(fastmath=True, cache=True)
def fill_gains(U, O, H, f, df, carries, resets, carry, gain):  # type: ignore[no-untyped-def]
    """Fill f(o) and the gain of a layer."""
    T, S, n = U.shape
    f0, less, df0, more = f[0], f[1] - f[0], df[0], df[1] - df[0]
    with_carry, with_reset = np.float32(carries), np.float32(resets)
    for t in range(T):
        for s in range(S):
            for i in range(n):
                kept = f0 + less * O[t, s, i]
                slope = df0 + more * O[t, s, i]
                carry[t, s, i] = kept
                gain[t, s, i] = (
                    with_carry * kept + with_reset * U[t, s, i] * slope * H[t, s, i]
                )


@njit(fastmath={"contract"}, cache=True)
def recur(x, gain):  # type: ignore[no-untyped-def]
    """Make x^t = x^t + gain^t x^{t+1} in place, from the last step down."""
    T, S, n = x.shape
    for t in range(T - 2, -1, -1):
        for s in range(S):
            for i in range(n):
                x[t, s, i] = x[t, s, i] + gain[t, s, i] * x[t + 1, s, i] + FLOOR - FLOOR
