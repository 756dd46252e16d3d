"""One run of the experiments on tasks of time, with one thing that is changed: its arm."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.networks import network
from stbp_edu.parameters import named_arrays
from stbp_edu.training import Dataset, Settings, initial_state
from stbp_edu.training.encoders import encode

EPOCH, TEST = 1, 2  # streams of random numbers, as stbp_edu.training draws them
STILL = 0.01  # of the learning rate: a parameter that moves by less is called frozen
CHUNK = 500  # examples that are evaluated together

Change = Callable[["Run", Array], Array]


def signs(run: "Run", g: Array) -> Array:
    """Return the sign of every entry."""
    return np.sign(g)


def signs_of(*names: str) -> Change:
    """Return a change that takes the sign of some parameters' gradients only."""

    def change(run: "Run", g: Array) -> Array:
        g = g.copy()
        for name in names:
            g[run.places[name]] = np.sign(g[run.places[name]])
        return g

    return change


def unit_norm(run: "Run", g: Array) -> Array:
    """Return the gradient over its norm: every batch counts alike, coordinates do not."""
    return g / max(float(np.linalg.norm(g)), 1e-30)


def signs_with_norm(run: "Run", g: Array) -> Array:
    """Return the sign times the gradient's norm: coordinates count alike, batches do not."""
    return np.sign(g) * np.float32(np.linalg.norm(g) / math.sqrt(len(g)))


def sizes_shuffled(run: "Run", g: Array) -> Array:
    """Return every entry's sign with the absolute value of another one, drawn anew each time."""
    return np.sign(g) * np.abs(run.rng.permutation(g))


def clipped_entries(limit: float) -> Change:
    """Return a change that clips every entry."""
    return lambda run, g: g.clip(-limit, limit)


def clipped_norm(limit: float) -> Change:
    """Return a change that clips the norm of the whole gradient."""
    return lambda run, g: g * min(1.0, limit / max(float(np.linalg.norm(g)), 1e-30))


def clipped_neurons(limit: float) -> Change:
    """Return a change that clips the norm of each neuron's row of every parameter."""

    def change(run: "Run", g: Array) -> Array:
        g = g.copy()
        for name, shape in run.shapes.items():
            rows = g[run.places[name]].reshape(shape[0], -1)  # a view
            norms = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
            rows *= np.minimum(1, limit / np.maximum(norms, 1e-30)).astype(g.dtype)
        return g

    return change


@dataclass(frozen=True)
class Arm:
    """One thing that is changed.

    Attributes:
        settings: changes of the settings of the run.
        gradient: a change of the gradient before the optimiser sees it.
        update: how updates are made; see :meth:`Run.step`.
        eps: Adam's ε.
        height: a factor on the surrogate in the backward pass.
        gains: "absolute" for each gain's absolute value; "random" for as many reduced gains as a
            limit of 1 reduces, by the same factors, at places that are drawn.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    gradient: Change | None = None
    update: str = "adam"
    eps: float = 1e-8
    height: float = 1.0
    gains: str = ""

    @property
    def changes_gains(self) -> bool:
        """Whether the backward pass is not that of the package."""
        return bool(self.gains) or self.height != 1


class Run:
    """One run: parameters and optimiser as flat arrays, gradients by the package's network."""

    def __init__(self, settings: Settings, data: Dataset, arm: Arm = Arm()) -> None:
        self.settings, self.data, self.arm = settings, data, arm
        self.params = initial_state(settings, data).params
        self.arrays = named_arrays(self.params)
        self.shapes = {name: a.shape for name, a in self.arrays.items()}
        ends = np.cumsum([0, *(a.size for a in self.arrays.values())])
        places = (slice(*pair) for pair in pairwise(ends))
        self.places = dict(zip(self.arrays, places, strict=True))
        self.p = self.flat(self.arrays)
        self.m, self.v, self.most, self.m_sign, self.v_sign = (
            np.zeros_like(self.p) for _ in range(5)
        )
        self.done = 0
        self.moved: list[tuple[float, float]] = []
        self.rng = np.random.default_rng([settings.seed, 99])
        self.answers = np.eye(data.classes, dtype=np.float32)
        self.loss, self.rule = settings.make_loss(), settings.make_rule()
        hidden, last = settings.make_neurons()
        self.net = network(
            settings.shape(data.shape, data.classes),
            [*[hidden] * len(settings.hidden), last],
            self.loss,
            settings.backend,
        )
        dense = all(isinstance(width, int) for width in settings.hidden)
        lif = dense and not (settings.neuron or settings.readout)
        if arm.changes_gains and not (lif and settings.rule == "exact"):
            raise ValueError(
                "arms that change gains need the exact rule and dense layers of LIF neurons"
            )

    def flat(self, arrays: Any) -> Array:
        """Return arrays by name as one."""
        return np.concatenate([arrays[name].ravel() for name in self.shapes])

    def forward(self, images: Array, rng: np.random.Generator) -> Any:
        """Return all states, from newly drawn spikes of images."""
        s = self.settings
        seen = images if s.encoder == "rows" else images.reshape(len(images), -1)
        steps = 1 if s.encoder == "direct" else s.T
        shown = encode(s.encoder, seen, steps, rng, hold=s.hold).astype(np.float32)
        for name, place in self.places.items():
            self.arrays[name][...] = self.p[place].reshape(self.shapes[name])
        shown = np.broadcast_to(shown, (s.T, *shown.shape[1:]))
        return self.net.forward(shown, self.params)

    def gradient(self, images: Array, labels: Array, rng: np.random.Generator) -> Array:
        """Return the gradient on a batch as one array."""
        trace, targets = self.forward(images, rng), self.answers[labels]
        if self.arm.changes_gains:
            return self.flat(self.with_gains(trace, targets))
        grads = self.net.backward(trace, targets, self.params, self.rule)
        return self.flat(named_arrays(grads))

    def with_gains(self, trace: Any, targets: Array) -> dict[str, Array]:
        """Return the exact rule's gradients with the arm's surrogate and gains.

        The gain is f + u f' h, the factor from a neuron's error at t + 1 to its error at t.
        """
        neuron, found = self.settings.make_neuron(), {}
        delta = self.loss.direct(trace, targets).o
        for n in range(len(trace.U) - 1, 0, -1):
            u, o = trace.U[n], trace.O[n]
            h = self.arm.height * neuron.h(u)
            gain = self.used(neuron.f(o) + u * neuron.df(o) * h)
            epsilon = delta * h
            for t in range(len(u) - 2, -1, -1):
                epsilon[t] += gain[t] * epsilon[t + 1]
            found[f"W{n}"] = np.tensordot(epsilon, trace.O[n - 1], ((0, 1), (0, 1)))
            found[f"b{n}"] = epsilon.sum(axis=(0, 1))
            delta = epsilon @ self.params.W[n]
        return found

    def used(self, gain: Array) -> Array:
        """Return the gains to use."""
        if self.arm.gains == "absolute":
            return np.abs(gain)
        if self.arm.gains == "random":
            factor = (1 / np.abs(gain).clip(min=1)).reshape(len(gain), -1)
            others = factor[:, self.rng.permutation(factor.shape[1])]
            return gain * others.reshape(gain.shape)
        return gain

    def adam(self, g: Array, m: Array, v: Array) -> Array:
        """Return Adam's step over the learning rate, and change its means in place."""
        beta1, beta2 = self.settings.momentum, self.settings.beta2
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        if self.arm.update == "amsgrad":
            v = np.maximum(self.most, v, out=self.most)
        root = math.sqrt(1 - beta2**self.done)
        return m * (root / (1 - beta1**self.done)) / (np.sqrt(v) + self.arm.eps * root)

    def step(self, g: Array) -> Array:
        """Return an update over the learning rate, which is to be subtracted.

        "size of sign" has the direction of Adam's step and the norm of the step that Adam would
        make of the signs; "direction of sign" is the reverse. "noise" adds to Adam's step half a
        learning rate of a random sign in every coordinate, "noise where frozen" only where the
        step is below a hundredth of it, and "noise where moving" only where it is not. "warm-up"
        raises the learning rate over 200 updates.
        """
        kind, beta = self.arm.update, self.settings.momentum
        if kind == "sgd":
            self.m = beta * self.m + g
            return self.m
        if kind == "lion":  # Chen and others (2023)
            step = np.sign(beta * self.m + (1 - beta) * g)
            self.m += 0.01 * (g - self.m)
            return step
        step = self.adam(g, self.m, self.v)
        if kind.endswith("of sign"):
            other = self.adam(np.sign(g), self.m_sign, self.v_sign)
            sizes = [max(float(np.linalg.norm(x)), 1e-30) for x in (step, other)]
            if kind == "size of sign":
                return step * np.float32(sizes[1] / sizes[0])
            return other * np.float32(sizes[0] / sizes[1])
        if kind.startswith("noise"):
            kick = self.rng.choice(np.array([-0.5, 0.5], np.float32), len(step))
            still = np.abs(step) < STILL
            where = {"noise where frozen": still, "noise where moving": ~still}
            return step + kick * where.get(kind, 1)
        return step * np.float32(min(1, self.done / 200) if kind == "warm-up" else 1)

    def update(self, g: Array, lr: float) -> None:
        """Change the parameters."""
        if not np.isfinite(g).all():
            raise FloatingPointError("a gradient is not finite")
        self.done += 1
        step = self.step(self.arm.gradient(self, g) if self.arm.gradient else g)
        self.p -= np.float32(lr) * step
        size = float(np.sqrt(np.mean(step * step)))
        self.moved.append((size, float(np.mean(np.abs(step) < STILL))))

    def batches(self, epoch: int) -> Iterator[tuple[Array, Array, np.random.Generator]]:
        """Yield the images and labels of an epoch, and the generator of their spikes."""
        order_rng = np.random.default_rng([self.settings.seed, EPOCH, epoch])
        (spikes,) = order_rng.spawn(1)
        order = order_rng.permutation(len(self.data.train_labels))
        for start in range(0, len(order), self.settings.batch):
            chosen = order[start : start + self.settings.batch]
            yield self.data.train_images[chosen], self.data.train_labels[chosen], spikes

    def train(self) -> dict[str, Any]:
        """Train; return the accuracy at the end, and how large updates were in each third.

        The size of an update is 1 where each parameter moves by the learning rate; ``frozen`` is
        the share of parameters that move by less than a hundredth of it.
        """
        s, found = self.settings, {}
        steps = s.epochs * -(-len(self.data.train_labels) // s.batch)
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                for epoch in range(s.epochs):
                    for batch in self.batches(epoch):
                        g = self.gradient(*batch)
                        self.update(g, s.learning_rate(self.done / steps))
        except FloatingPointError:
            return {"accuracy": round(1 / self.data.classes, 4), "diverged": self.done}
        for name, values in zip(
            ("size", "frozen"), zip(*self.moved, strict=True), strict=True
        ):
            thirds = np.array_split(values, 3)
            found[name] = [round(float(np.median(part)), 4) for part in thirds]
        return {"accuracy": round(self.accuracy(), 4), **found}

    def accuracy(self) -> float:
        """Return the share of right answers on what is held out."""
        images, labels = self.data.test_images, self.data.test_labels
        rng = np.random.default_rng([self.settings.seed, TEST, self.settings.epochs])
        right = 0
        for k in range(0, len(images), CHUNK):
            trace = self.forward(images[k : k + CHUNK], rng)
            scores = self.loss.scores(trace)
            right += int((scores.argmax(axis=1) == labels[k : k + CHUNK]).sum())
        return right / len(images)
