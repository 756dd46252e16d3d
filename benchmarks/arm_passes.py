"""Fast passes of a network with one hidden layer of LIF neurons, for thousands of short runs.

They are those of ``stbp_edu.networks``, with which a test compares them, in buffers that are
reused. The *gain* is the factor from a neuron's error at t + 1 to its error at t: f + u f' h under
``exact`` and ``e-prop-reset``, f under ``detached-reset`` and ``ottt``, and under ``classic``
u f' h for ε, while the error of the layer below is carried on by f.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from stbp_edu._support.checks import Array
from stbp_edu.training import Settings

CARRIES = ("exact", "detached-reset", "e-prop-reset", "ottt")
RESETS = ("exact", "classic", "e-prop-reset")
STRAIGHT_UP = ("e-prop-reset", "ottt")
"""Rules whose gain has f, those whose gain has u f' h, and those whose errors go to the layer below
without the neuron's own past."""
FLOOR = np.float32(1e-10)
"""Added and subtracted, since the smallest floats slow the processor down."""


class FastPasses:
    """Forward and backward passes from flat parameters W1, b1, W2, b2 in their shapes."""

    def __init__(self, settings: Settings, height: float, gains: str, rng: Any) -> None:
        self.settings, self.height, self.gains, self.rng = settings, height, gains, rng
        self.neuron = settings.make_neuron()
        both = np.array([0.0, 1.0], np.float32)
        self.f, self.df = self.neuron.f(both), self.neuron.df(both)
        self.buffers: dict[tuple[int, int, int], list[Array]] = {}

    @staticmethod
    def fit(settings: Settings) -> bool:
        """Return whether these passes have what the settings ask for."""
        s = settings
        return (
            len(s.hidden) == 1 and isinstance(s.hidden[0], int)
            and not (s.neuron or s.readout or s.learn or s.learn_each)
            and s.gate != "soft" and s.surrogate in ("gaussian", "rectangle")
            and s.rule in {*CARRIES, *RESETS} and s.encoder in ("rows", "direct")
            and s.loss in ("rate", "last-steps")
        )  # fmt: skip

    def of_layer(self, n: int, S: int, width: int) -> list[Array]:
        """Return the buffers of a layer for S samples: u, o, h, carry, gain, ε."""
        key = n, S, width
        if key not in self.buffers:
            shape = self.settings.T, S, width
            self.buffers[key] = [np.zeros(shape, np.float32) for _ in range(6)]
        return self.buffers[key]

    def forward(self, p: dict[str, Array], shown: Array) -> list[Any]:
        """Return the input and the buffers of both layers, from the steps that have an input."""
        steady = self.settings.encoder == "direct"
        trace: list[Any] = [shown[:1] if steady else shown]
        drive, everywhere = trace[0], steady
        for n in (1, 2):
            W, b = p[f"W{n}"], p[f"b{n}"]
            buffers = self.of_layer(n, shown.shape[1], len(b))
            product = drive.reshape(-1, drive.shape[2]) @ np.ascontiguousarray(W.T)
            product = product.reshape(*drive.shape[:2], -1)
            integrate(product, everywhere, b, self.f, self.neuron.v_th, *buffers[:2])
            trace.append(buffers)
            drive, everywhere = buffers[1], False
        return trace

    def gradient(
        self, p: dict[str, Array], trace: list[Any], targets: Array
    ) -> list[Array]:
        """Return the gradients of W1, b1, W2 and b2."""
        shown, hidden, output = trace
        o = output[1]
        T, S, _ = o.shape
        k = self.settings.read or T
        delta = np.zeros_like(o)
        delta[T - k :] = (o[T - k :].mean(axis=0) - targets) / (k * S)
        err, above = self._down(output, delta)
        W2, b2 = rows(above).T @ rows(hidden[1]), rows(above).sum(axis=0)  # c5-w, c5-b
        _, epsilon = self._down(hidden, (rows(err) @ p["W2"]).reshape(T, S, -1))
        steady = self.settings.encoder == "direct"
        seen = epsilon.sum(axis=0, keepdims=True) if steady else epsilon[: len(shown)]
        return [rows(seen).T @ rows(shown), rows(epsilon).sum(axis=0), W2, b2]

    def _down(self, layer: list[Array], delta: Array) -> tuple[Array, Array]:
        """Return the error for the layer below and ε, given ∂L/∂o by all paths but its own past."""
        s = self.settings
        u, o, h, carry, gain, epsilon = layer
        self._surrogate(np.subtract(u, np.float32(self.neuron.v_th), out=h))
        fill_gains(
            u, o, h, self.f, self.df, s.rule in CARRIES, s.rule in RESETS, carry, gain
        )
        held = self.used(gain)
        np.multiply(delta, h, out=epsilon)
        begun = epsilon.copy() if s.rule in STRAIGHT_UP else epsilon
        recur(epsilon, held)
        if s.rule != "classic":
            return begun, epsilon
        err = epsilon.copy()
        recur(
            epsilon, carry.clip(-s.gain_limit, s.gain_limit) if s.gain_limit else carry
        )
        return err, epsilon

    def _surrogate(self, v: Array) -> None:
        """Turn v into h(v) times the height, in place."""
        a = self.settings.a
        if self.settings.surrogate == "rectangle":
            v[...] = np.where(np.abs(v) < a / 2, np.float32(self.height / a), 0)  # h1
            return
        v *= v
        v *= -0.5 / a
        np.exp(np.maximum(v, -60, out=v), out=v)
        v *= self.height / math.sqrt(2 * math.pi * a)  # h4

    def used(self, gain: Array) -> Array:
        """Return the gains to use."""
        if self.gains == "absolute":
            return np.abs(gain)
        if self.gains == "random":
            factor = (1 / np.abs(gain).clip(min=1)).reshape(len(gain), -1)
            others = factor[:, self.rng.permutation(factor.shape[1])]
            return gain * others.reshape(gain.shape)
        limit = self.settings.gain_limit
        return gain.clip(-limit, limit) if limit else gain


def rows(a: Array) -> Array:
    """Return (T, S, n) as (T S, n)."""
    return a.reshape(-1, a.shape[-1])


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
