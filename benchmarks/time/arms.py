"""A fast trainer of networks with one hidden layer, and interventions on its backward pass.

The experiment on causes needs thousands of runs. This program makes the updates of
``stbp_edu.training`` with the same random draws, in compiled loops over buffers that are reused; a
test compares its parameters after some updates with the package's. An intervention may change the
height of the surrogate, or the *gains*, the factors from a neuron's error at t + 1 to its error at
t: f + u f' h under ``exact`` and ``e-prop-reset``, u f' h (on err) under ``classic``, f under
``detached-reset`` and ``ottt``.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.time.fast_loops import fill_gains, hand_down, integrate, recur
from stbp_edu import Trace
from stbp_edu._support.checks import Array
from stbp_edu.training import Dataset, Settings, initial_state
from stbp_edu.training.encoders import rows
from stbp_edu.training.trainer import EPOCH, QUANTILES, TEST, stream

CARRIES = ("exact", "detached-reset", "e-prop-reset", "ottt")
RESETS = ("exact", "classic", "e-prop-reset")
STRAIGHT_UP = ("e-prop-reset", "ottt")
"""The rules whose gain has f, those whose gain has u f' h, and those whose errors go to the layer
below without the neuron's own past."""
LEAVE, HOLD_OTHERS, TURN = range(3)
"""What is done to gains, beside a limit. LEAVE: nothing. HOLD_OTHERS: as many as a limit of 1 would
reduce are reduced by the same factors, at places that are drawn. TURN: each has its absolute value,
so the reset repels no potential from the threshold."""


class DivergedError(ValueError):
    """A run whose gradient is not finite."""


@dataclass(frozen=True)
class Intervention:
    """What is changed in the backward pass: a factor on the surrogate, and the gains."""

    height: float = 1.0
    gains: int = LEAVE


class Layer:
    """One layer of a run: views of its parameters, and buffers for all steps of a batch."""

    def __init__(self, W: Array, b: Array, T: int) -> None:
        self.W, self.b, self.T = W, b, T
        self.buffers: dict[int, list[Array]] = {}

    def at(self, S: int) -> list[Array]:
        """Return the buffers for so many samples: u, o, h, carry, gain, ε."""
        if S not in self.buffers:
            shape = self.T, S, len(self.b)
            self.buffers[S] = [np.zeros(shape, np.float32) for _ in range(6)]
        return self.buffers[S]


class FastRun:
    """One run: a network of one hidden layer, its optimiser, and the statistics of each epoch."""

    def __init__(
        self, settings: Settings, data: Dataset, change: Intervention = Intervention()
    ) -> None:
        self.settings, self.data, self.change = settings, data, change
        self.neuron, self.loss = settings.make_neuron(), settings.make_loss()
        params = initial_state(settings, data).params
        self.sizes = params.sizes
        drawn = [params.W[1], params.b[1], params.W[2], params.b[2]]
        self.p = np.concatenate([np.ascontiguousarray(a).ravel() for a in drawn])
        self.g, self.m, self.v = (np.zeros_like(self.p) for _ in range(3))
        self.average = self.p.copy()
        W1, b1, W2, b2 = self.views(self.p)
        self.layers = [Layer(W1, b1, settings.T), Layer(W2, b2, settings.T)]
        self.answers = np.eye(self.sizes[-1], dtype=np.float32)
        self.done = 0
        both = np.array([0.0, 1.0], np.float32)
        self.f, self.df = self.neuron.f(both), self.neuron.df(both)
        self.rng = np.random.default_rng([settings.seed, 99])  # of an intervention

    def views(self, flat: Array) -> list[Array]:
        """Return W1, b1, W2 and b2 in a flat array."""
        n0, n1, n2 = self.sizes
        ends = np.cumsum([n1 * n0, n1, n2 * n1, n2])[:-1]
        W1, b1, W2, b2 = np.split(flat, ends)
        return [W1.reshape(n1, n0), b1, W2.reshape(n2, n1), b2]

    def encode(self, images: Array, rng: np.random.Generator) -> Array:
        """Return the input of the steps that have one; with ``direct`` that of every step, once."""
        s = self.settings
        if s.encoder == "direct":
            return images.reshape(1, len(images), -1).astype(np.float32)
        return rows(images, s.hold * images.shape[1], rng, hold=s.hold)

    def forward(self, shown: Array) -> Trace:
        """Return potentials and spikes of all steps, from what :meth:`encode` returns."""
        S, everywhere = shown.shape[1], self.settings.encoder == "direct"
        trace = Trace([None], [shown])
        drive = shown
        for layer in self.layers:
            u, o, *_ = layer.at(S)
            product = flat(drive) @ np.ascontiguousarray(layer.W.T)
            product = product.reshape(*drive.shape[:2], -1)
            integrate(product, everywhere, layer.b, self.f, self.neuron.v_th, u, o)
            trace.U.append(u)
            trace.O.append(o)
            drive, everywhere = o, False
        return trace

    def backward(self, trace: Trace, targets: Array) -> Array:
        """Return the gradient of W1, b1, W2 and b2 as a flat array."""
        delta = self._direct(trace.O[2], targets)
        W1, b1, W2, b2 = self.views(self.g)
        err, epsilon = self._down(1, delta, trace)
        np.matmul(flat(epsilon).T, flat(trace.O[1]), out=W2)  # c5-w
        total(epsilon, b2)  # c5-b
        delta = self.layers[0].at(err.shape[1])[5]  # where ε of the layer will be
        hand_down(err, self.layers[1].W, delta)
        _, epsilon = self._down(0, delta, trace)
        shown = trace.O[0]
        above = epsilon[: len(shown)]
        if self.settings.encoder == "direct":
            above = epsilon.sum(axis=0, keepdims=True)
        np.matmul(flat(above).T, flat(shown), out=W1)
        total(epsilon, b1)
        return self.g

    def _direct(self, o: Array, targets: Array) -> Array:
        """Return ∂L/∂o of the rate loss over the last steps, or over all."""
        T, S, _ = o.shape
        k = self.settings.read or T
        delta = np.zeros_like(o)
        delta[T - k :] = (o[T - k :].mean(axis=0) - targets) / (k * S)
        return delta

    def _down(self, n: int, delta: Array, trace: Trace) -> tuple[Array, Array]:
        """Return err and ε of a layer, given ∂L/∂o by all paths but its own past."""
        s = self.settings
        u, o, h, carry, gain, epsilon = self.layers[n].at(delta.shape[1])
        np.subtract(u, np.float32(self.neuron.v_th), out=h)
        surrogate(h, s, self.change.height)
        fill_gains(
            u, o, h, self.f, self.df, s.rule in CARRIES, s.rule in RESETS, carry, gain
        )
        gain = self._changed(gain)
        np.multiply(delta, h, out=epsilon)
        begun = epsilon.copy() if s.rule in STRAIGHT_UP else epsilon
        recur(epsilon, gain)
        if s.rule != "classic":
            return (begun if s.rule in STRAIGHT_UP else epsilon), epsilon
        err = epsilon.copy()
        if s.gain_limit:
            carry = carry.clip(-s.gain_limit, s.gain_limit)
        recur(epsilon, carry)
        return err, epsilon

    def _changed(self, gain: Array) -> Array:
        """Return the gains to use."""
        if self.change.gains == TURN:
            return np.abs(gain)
        if self.change.gains == HOLD_OTHERS:
            factor = (1 / np.abs(gain).clip(min=1)).reshape(len(gain), -1)
            others = factor[:, self.rng.permutation(factor.shape[1])]
            return gain * others.reshape(gain.shape)
        limit = self.settings.gain_limit
        return gain.clip(-limit, limit) if limit else gain

    def update(self, g: Array, lr: float) -> tuple[float, float]:
        """Make one update; return the norm of the gradient, before any clipping, and its size.

        The size is the norm of the change over lr times the root of the number of parameters: 1
        where Adam changes each of them by lr.
        """
        s, p = self.settings, self.p
        norm = float(np.linalg.norm(g.astype(np.float64)))
        if not math.isfinite(norm):
            raise DivergedError("a gradient is not finite")
        if s.clip_norm and norm > s.clip_norm:
            g = g * np.float32(s.clip_norm / norm)
        self.done += 1
        change = self._sgd(g, lr) if s.optimiser == "sgd" else self._adam(g, lr)
        p -= change
        moved = float(np.linalg.norm(change.astype(np.float64)))
        return norm, moved / (lr * math.sqrt(len(p)))

    def _sgd(self, g: Array, lr: float) -> Array:
        """Return the step of gradient descent with momentum, which is subtracted."""
        self.m *= self.settings.momentum
        self.m += g
        return lr * self.m

    def _adam(self, g: Array, lr: float) -> Array:
        """Return the step of Adam, which is subtracted."""
        s, m, v = self.settings, self.m, self.v
        m *= s.momentum
        m += (1 - s.momentum) * g
        v *= s.beta2
        v += (1 - s.beta2) * (g * g)
        root = math.sqrt(1 - s.beta2**self.done)
        size = lr * root / (1 - s.momentum**self.done)
        return size * m / (np.sqrt(v) + np.float32(1e-8 * root))

    def epoch(self, number: int) -> list[tuple[float, float]]:
        """Make the updates of an epoch, counted from 0; return what :meth:`update` does of each."""
        s, images, labels = (
            self.settings,
            self.data.train_images,
            self.data.train_labels,
        )
        rng = stream(s, EPOCH, number)
        (drawn,) = rng.spawn(1)
        order = rng.permutation(len(labels))
        sizes = []
        starts = range(0, len(labels), s.batch)
        for k, start in enumerate(starts):
            chosen = order[start : start + s.batch]
            trace = self.forward(self.encode(images[chosen], drawn))
            done = (number * len(starts) + k) / (s.epochs * len(starts))
            with np.errstate(over="ignore", invalid="ignore"):
                g = self.backward(trace, self.answers[labels[chosen]])
                sizes.append(self.update(g, s.learning_rate(done)))
            if s.averaging:
                self.average += (1 - s.averaging) * (self.p - self.average)
        return sizes

    def look(self, number: int) -> dict[str, Any]:
        """Return accuracy, commonest answer, firing and gains on what is held out."""
        s, images, labels = self.settings, self.data.test_images, self.data.test_labels
        rng = stream(s, TEST, number)
        answers, firing, gains = [], [], []
        for k in range(0, len(images), 500):
            trace = self.forward(self.encode(images[k : k + 500], rng))
            answers.append(self.loss.scores(trace).argmax(axis=1))
            firing.append([float(o.mean()) for o in trace.O[1:]])
            if k == 0:
                gains = [self._share_above_1(n, trace) for n in (0, 1)]
        said = np.concatenate(answers)
        hidden, output = np.mean(firing, axis=0)
        return {
            "held_out": float((said == labels).mean()),
            "commonest": float(np.bincount(said).max() / len(said)),
            "hidden": float(hidden),
            "output": float(output),
            "gains": gains,
        }

    def _share_above_1(self, n: int, trace: Trace) -> float:
        """Return the share of gains of a layer whose absolute value is above 1, as they are."""
        s = self.settings
        u, o, h, carry, gain, _ = self.layers[n].at(trace.U[1].shape[1])
        np.subtract(u, np.float32(self.neuron.v_th), out=h)
        surrogate(h, s, self.change.height)
        fill_gains(
            u, o, h, self.f, self.df, s.rule in CARRIES, s.rule in RESETS, carry, gain
        )
        return float((np.abs(gain) > 1).mean())

    def train(self) -> list[dict[str, Any]]:
        """Train, and return what each epoch showed."""
        points = []
        for number in range(self.settings.epochs):
            norms, updates = zip(*self.epoch(number), strict=True)
            last = self.p.copy()
            if self.settings.averaging:
                self.p[:] = self.average
            points.append({
                **self.look(number + 1),
                "norms": np.quantile(norms, QUANTILES).tolist(),
                "updates": np.quantile(updates, QUANTILES).tolist(),
            })  # fmt: skip
            self.p[:] = last
        return points


def flat(a: Array) -> Array:
    """Return (T, S, n) as (T S, n)."""
    return a.reshape(-1, a.shape[-1])


def surrogate(v: Array, settings: Settings, height: float) -> None:
    """Turn v into h(v) times a height, in place."""
    a = settings.a
    if settings.surrogate == "rectangle":
        np.copyto(
            v, np.where(np.abs(v) < a / 2, np.float32(height / a), np.float32(0))
        )  # h1
        return
    v *= v
    v *= -0.5 / a
    np.maximum(v, -60, out=v)  # the smallest floats slow the processor down
    np.exp(v, out=v)
    v *= height / math.sqrt(2 * math.pi * a)  # h4


def total(epsilon: Array, out: Array) -> None:
    """Fill the sum over steps and samples."""
    rows = flat(epsilon)
    np.matmul(np.ones(len(rows), rows.dtype), rows, out=out)
