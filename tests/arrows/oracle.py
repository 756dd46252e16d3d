"""Random networks described by words, and gradients by autograd, which runs the text as Python."""

import math
import re
from dataclasses import dataclass
from functools import cache

import autograd
import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, arrows
from stbp_edu.losses import CrossEntropy
from stbp_edu.surrogates import SURROGATES

LOSSES = {
    "rate": arrows.rate(),
    "last-2": arrows.last_steps(2),
    "cross-entropy": arrows.Loss("mine", fit=CrossEntropy()),
    "per-step": arrows.Loss("mine", fit=CrossEntropy(), per_step=True),
    "last-2-per-step-u": arrows.Loss(
        "mine", "u", CrossEntropy(), last=2, per_step=True
    ),
    "membrane": arrows.membrane(),
    "membrane-mean": arrows.membrane(None),
}
RESETS = ("exponential", "linear", "soft")
SIZES = (
    *("3-2", "2-3-2", "2-2-3-2", "3-3R-2R", "2-2R-2-2"),  # dense, and recurrent
    *("4x4-2C2-2", "4x4x2-P2-3-2", "6x6-2C3-P2-3R-2", "5x5-2C2-3C2-2"),
)


@dataclass(frozen=True)
class Case:
    """What a network is: enough to build it twice."""

    sizes: str = "2-3-2"
    reset: str = "linear"
    current: bool = False
    adaptation: bool = False
    learned: bool = False
    loss: str = "rate"
    surrogate: object = Gaussian(0.7)
    T: int = 4
    S: int = 2
    twin: bool = False
    seed: int = 0
    alpha, beta, rho, tau, v_th = 0.7, 0.4, 0.8, 0.6, 0.5

    @property
    def lif(self):
        gate = "linear" if self.reset == "soft" else self.reset
        return LIF(self.tau, self.v_th, self.surrogate, gate)

    @property
    def net(self):
        make = arrows.soft_reset if self.reset == "soft" else arrows.hard_reset
        neuron = make(self.lif, learn_leak=self.learned)
        neuron = (
            arrows.with_adaptation(neuron, self.beta, self.rho)
            if self.adaptation
            else neuron
        )
        neuron = arrows.with_current(neuron, self.alpha) if self.current else neuron
        return arrows.network(self.sizes, neuron, LOSSES[self.loss])

    def draw(self):
        """Random parameters, real-valued inputs (negative ones, too) and targets."""
        rng, net = np.random.default_rng(self.seed), self.net
        params = arrows.draw_params(net, rng, scale=1.3)
        for p in params[1:]:
            p["b"] = rng.normal(0.2, 0.3, p["b"].shape)
            if self.learned:
                p["tau"] = np.array(rng.uniform(0.3, 0.9))
        inputs = rng.normal(0.3, 0.8, (self.T, self.S, *net.shape))
        return params, inputs, rng.random((self.S, *net.shape_of(net.N)))

    def run(self):
        """The network, its parameters, its run, inputs and targets."""
        params, inputs, targets = self.draw()
        trace = arrows.forward(self.net, params, inputs, twin=self.twin)
        return self.net, params, trace, inputs, targets

    def local(self):
        """The arrows of its run with their factors."""
        net, params, trace, _, targets = self.run()
        return arrows.local_derivatives(net, params, trace, targets)


@st.composite
def cases(draw, sizes=SIZES, max_steps=5, **fixed):
    """Any neuron × loss × connection."""
    curve = draw(st.sampled_from([*SURROGATES.values()]))
    T = draw(st.integers(1, max_steps))
    return Case(
        sizes=draw(st.sampled_from(sizes)),
        reset=draw(st.sampled_from(RESETS)),
        current=draw(st.booleans()),
        adaptation=draw(st.booleans()),
        learned=draw(st.booleans()),
        loss=draw(
            st.sampled_from([name for name in LOSSES if T > 1 or "last-2" not in name])
        ),
        surrogate=curve(curve.proof_a * draw(st.sampled_from([0.8, 2.0]))),
        T=T,
        S=draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 2**32 - 1)),
        **{"twin": draw(st.booleans()), **fixed},
    )


FUNCTION = re.compile(r"(\w+)\((.*?)\) = (.*)")
NAMES = {name: getattr(anp, name) for name in ("exp", "log", "tanh", "sqrt")} | {
    "max": lambda a, b: anp.where(a >= b, a, b),
    "min": lambda a, b: anp.where(b >= a, a, b),
    "abs": lambda a: anp.where(a >= 0, a, -a),
}


@cache
def bodies(text):
    """Each line of a text as Python: what it assigns, and its code."""
    lines = [FUNCTION.sub(r"\1 = lambda \2: \3", line) for line in text.splitlines()]
    return [(line.split(" = ")[0], compile(line, "text", "exec")) for line in lines]


def linear(x, link, W):
    """Weights on the output below; pooling and convolution written out as sums."""
    pool = math.prod(one.k for one in link.maps if isinstance(one, arrows.AveragePool))
    if pool > 1:
        x = (
            sum(x[..., a::pool, b::pool] for a in range(pool) for b in range(pool))
            / pool**2
        )
    if W.ndim == 2:
        return anp.dot(x.reshape(len(x), -1), W.T)
    k = W.shape[-1]
    h, w = x.shape[2] - k + 1, x.shape[3] - k + 1
    return sum(
        anp.einsum("oc,schw->sohw", W[:, :, a, b], x[:, :, a : a + h, b : b + w])
        for a in range(k)
        for b in range(k)
    )


def series(net, params, inputs, twin=False, nudges=None, stop=frozenset(), cuts=()):
    """The state read, at every step; the forward lines are run as the body of a loop in Python.

    ``stop``: "reset", "adapt", "recur" or "time"; ``cuts``: steps that forget.
    """
    curve = net.layers[1].neuron.surrogate
    fire = autograd.extend.primitive(
        curve.antiderivative if twin else lambda v: (v >= 0) * 1.0
    )
    autograd.extend.defvjp(fire, lambda ans, v: lambda g: g * curve.derivative(v))
    zeros = [np.zeros((inputs.shape[1], *net.shape_of(n))) for n in range(net.N + 1)]
    past = [
        dict.fromkeys(net.layers[n].neuron.order, zeros[n]) for n in range(1, net.N + 1)
    ]
    read = []
    for t, below in enumerate(inputs):
        if "time" in stop or t in cuts:
            past = [{k: getval(v) for k, v in p.items()} for p in past]
        for n, layer in enumerate(net.layers[1:]):
            p, neuron = params[n + 1], layer.neuron
            b = (
                p["b"].reshape(-1, *[1] * (p["W"].ndim - 2))
                if p["W"].ndim == 4
                else p["b"]
            )
            x = linear(below, layer.link, p["W"]) + b
            if "R" in p:
                sent = past[n][neuron.output]
                sent = getval(sent) if "recur" in stop else sent
                x = x + anp.dot(sent, p["R"].T)
            own = {k: p.get(k, value) for k, value in neuron.lines.constants.items()}
            space = {**NAMES, "spike": fire, **own, **past[n], "x": x}
            for state, code in bodies(neuron.lines.text):
                o = space.get("o")
                if {"u": "reset", "a": "adapt"}.get(state) in stop:
                    space["o"] = getval(o)
                exec(code, space)
                space["o"] = space["o"] if state == "o" else o
                if nudges and state in nudges:
                    space[state] = space[state] + nudges[state][n][t]
            past[n] = {state: space[state] for state in neuron.order}
            below = past[n][neuron.output]
        read.append(past[-1][net.loss.state])
    return anp.stack(read)


def loss(name, read, y):
    """The loss, written out."""

    def cross(z):
        top = getval(z).max(axis=1, keepdims=True)
        log = z - top - anp.log(anp.sum(anp.exp(z - top), axis=1, keepdims=True))
        return -anp.sum(y * log) / len(y)

    def squared(z):
        return anp.sum((y - z) ** 2) / (2 * len(y))

    match name:
        case "rate" | "membrane-mean":
            return squared(anp.mean(read, axis=0))
        case "last-2":
            return squared((read[-1] + read[-2]) / 2)
        case "cross-entropy":
            return cross(anp.mean(read, axis=0))
        case "per-step":
            return sum(cross(z) for z in read) / len(read)
        case "last-2-per-step-u":
            return (cross(read[-1]) + cross(read[-2])) / 2
        case "membrane":
            return squared(read[-1])


def by_autograd(net, params, inputs, y):
    """Gradients of the squared error of the mean that the loss reads."""
    with np.errstate(
        over="ignore"
    ):  # autograd squares cosh(x) for the derivative of tanh
        value = autograd.grad(
            lambda p: loss("rate", series(net, [None, *p], inputs), y)
        )
        return [None, *value(params[1:])]


def derivatives(case, params, inputs, y, stop=frozenset(), cuts=()):
    """Gradients and, for u and o, every adjoint by autograd."""
    net = case.net
    shapes = [(case.T, case.S, *net.shape_of(n)) for n in range(1, net.N + 1)]
    zeros = {k: [np.zeros(shape) for shape in shapes] for k in "uo"}

    def value(p, nudges):
        read = series(net, [None, *p], inputs, case.twin, nudges, stop, cuts)
        return loss(case.loss, read, y)

    gradients, adjoints = autograd.grad(value, (0, 1))(params[1:], zeros)
    return [None, *gradients], {k: [None, *adjoints[k]] for k in "uo"}


def truncated(case, params, inputs, y, K):
    """Gradients along at most K steps: each step read by itself, forgetting what is older."""

    def read(p, **more):
        return series(case.net, [None, *p], inputs, case.twin, **more)

    steps = autograd.grad(lambda read: loss(case.loss, read, y))(read(params[1:]))

    def value(p, t):
        return anp.sum(read(p, cuts=[max(t - K, 0)])[t] * steps[t])

    total = None
    for t in range(case.T):
        one = autograd.grad(value)(params[1:], t)
        pairs = zip(total or one, one, strict=True)
        total = [{k: a[k] + b[k] for k in a} for a, b in pairs] if total else one
    return [None, *total]


def error(got, expected):
    """The largest difference of gradients, relative to the largest entry of each array."""
    worst = 0.0
    for of, wanted in zip(got[1:], expected[1:], strict=True):
        assert set(of) == set(wanted)
        for k, array in wanted.items():
            assert np.shape(of[k]) == np.shape(array), k
            size = max(float(np.abs(array).max()), 1e-3)
            worst = np.maximum(worst, np.abs(of[k] - array).max() / size)  # a NaN stays
    return worst


def by_layer(adjoints):
    """δ and ε by layer, as gradients are, to compare them."""
    both = zip(adjoints["o"][1:], adjoints["u"][1:], strict=True)
    return [None, *({"delta": delta, "epsilon": epsilon} for delta, epsilon in both)]
