"""Random networks described by words, and their gradients by autograd: a forward of its own."""

from dataclasses import dataclass

import autograd
import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian
from stbp_edu.arrows import (
    Loss,
    draw_params,
    forward,
    hard_reset,
    last_steps,
    membrane,
    network,
    rate,
    soft_reset,
    with_adaptation,
    with_current,
)
from stbp_edu.losses import CrossEntropy
from stbp_edu.surrogates import SURROGATES

LOSSES = {
    "rate": rate(),
    "last-2": last_steps(2),
    "cross-entropy": Loss("mine", fit=CrossEntropy()),
    "per-step": Loss("mine", fit=CrossEntropy(), per_step=True),
    "per-step-u": Loss("mine", "u", CrossEntropy(), per_step=True),
    "membrane": membrane(),
    "membrane-mean": membrane(None),
}
RESETS = ("exponential", "linear", "soft")
# dense, wide and deep; recurrent; a convolution; pooling; the paper's form in small
DENSE = ("3-2", "2-3-2", "2-2-3-2")
SIZES = (
    *DENSE,
    "3-3R-2R",
    "2-2R-2-2",
    "4x4-2C2-2",
    "4x4x2-P2-3-2",
    "6x6-2C3-P2-3R-2",
    "5x5-2C2-3C2-2",
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
        make = soft_reset if self.reset == "soft" else hard_reset
        neuron = make(self.lif, learn_leak=self.learned)
        neuron = with_adaptation(neuron, self.beta, self.rho) if self.adaptation else neuron
        neuron = with_current(neuron, self.alpha) if self.current else neuron
        return network(self.sizes, neuron, LOSSES[self.loss])

    def draw(self):
        """Random parameters, real-valued inputs (negative ones, too) and targets."""
        rng, net = np.random.default_rng(self.seed), self.net
        params = draw_params(net, rng, scale=1.3)
        for p in params[1:]:
            p["b"] = rng.normal(0.2, 0.3, p["b"].shape)
            if self.learned:
                p["tau"] = np.array(rng.uniform(0.3, 0.9))
        inputs = rng.normal(0.3, 0.8, (self.T, self.S, *net.shape))
        return params, inputs, rng.random((self.S, *net.shape_of(net.N)))

    def run(self):
        """The network, its parameters, its run, inputs and targets."""
        params, inputs, targets = self.draw()
        return self.net, params, forward(self.net, params, inputs, twin=self.twin), inputs, targets


@st.composite
def cases(draw, sizes=SIZES, max_steps=5, **fixed):
    """Any neuron × loss × connection."""
    curve = draw(st.sampled_from([*SURROGATES.values()]))
    return Case(
        sizes=draw(st.sampled_from(sizes)),
        reset=draw(st.sampled_from(RESETS)),
        current=draw(st.booleans()),
        adaptation=draw(st.booleans()),
        learned=draw(st.booleans()),
        loss=draw(st.sampled_from(sorted(LOSSES))),
        surrogate=curve(curve.proof_a * draw(st.sampled_from([0.8, 2.0]))),
        T=draw(st.integers(2, max_steps)),
        S=draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 2**32 - 1)),
        **{"twin": draw(st.booleans()), **fixed},
    )


def linear(x, part, pool, W):
    """Weights on the output below; pooling and convolution written out as sums."""
    if pool > 1:
        x = sum(x[..., a::pool, b::pool] for a in range(pool) for b in range(pool)) / pool**2
    if "C" not in part:
        return anp.dot(x.reshape(len(x), -1), W.T)
    k = W.shape[-1]
    h, w = x.shape[2] - k + 1, x.shape[3] - k + 1
    return sum(
        anp.einsum("oc,schw->sohw", W[:, :, a, b], x[:, :, a : a + h, b : b + w])
        for a in range(k)
        for b in range(k)
    )


def series(case, params, inputs, nudges=None, stop=frozenset(), cuts=()):
    """The state read, at every step. ``stop``: "reset" or "time"; ``cuts``: steps that forget."""
    fire = autograd.extend.primitive(case.lif.H if case.twin else case.lif.g)
    autograd.extend.defvjp(fire, lambda ans, u: lambda g: g * case.lif.h(u))
    parts, pools, pool = [], [], 1
    for part in case.sizes.split("-")[1:]:
        if part.startswith("P"):
            pool *= int(part[1:])
        else:
            parts.append(part)
            pools.append(pool)
            pool = 1
    past = [{"u": 0.0, "o": 0.0, "i": 0.0, "a": 0.0} for _ in parts]
    read = []
    for t in range(case.T):
        if "time" in stop or t in cuts:
            past = [{k: getval(v) for k, v in p.items()} for p in past]
        below = inputs[t]
        for n, (part, pool) in enumerate(zip(parts, pools, strict=True)):
            p, old = params[n + 1], past[n]
            b = p["b"].reshape(-1, 1, 1) if "C" in part else p["b"]
            x = linear(below, part, pool, p["W"]) + b
            if "R" in part and t > 0:
                x = x + anp.dot(old["o"], p["R"].T)
            tau = p["tau"] if case.learned else case.tau
            o = getval(old["o"]) if "reset" in stop else old["o"]
            i = case.alpha * old["i"] + x if case.current else 0.0
            x = i if case.current else x
            if case.reset == "soft":
                u = tau * old["u"] + x - case.v_th * o
            elif case.reset == "linear":
                u = old["u"] * tau * (1 - o) + x
            else:
                u = old["u"] * tau * anp.exp(-o / tau) + x
            a = case.rho * old["a"] + old["o"] if case.adaptation else 0.0
            u = u if nudges is None else u + nudges["u"][n][t]
            o = fire(u - case.beta * a if case.adaptation else u)
            o = o if nudges is None else o + nudges["o"][n][t]
            past[n] = {"u": u, "o": o, "i": i, "a": a}
            below = o
        read.append(past[-1][LOSSES[case.loss].state])
    return anp.stack(read)


def loss(case, read, y):
    """The loss, written out."""

    def cross(z):
        top = getval(z).max(axis=1, keepdims=True)
        log = z - top - anp.log(anp.sum(anp.exp(z - top), axis=1, keepdims=True))
        return -anp.sum(y * log) / case.S

    def squared(z):
        return anp.sum((y - z) ** 2) / (2 * case.S)

    match case.loss:
        case "rate" | "membrane-mean":
            return squared(anp.mean(read, axis=0))
        case "last-2":
            return squared((read[-1] + read[-2]) / 2)
        case "cross-entropy":
            return cross(anp.mean(read, axis=0))
        case "per-step" | "per-step-u":
            return sum(cross(z) for z in read) / case.T
        case "membrane":
            return squared(read[-1])


def derivatives(case, params, inputs, y, stop=frozenset(), cuts=()):
    """Gradients and, for u and o, every adjoint by autograd."""
    net = case.net
    zeros = {
        k: [np.zeros((case.T, case.S, *net.shape_of(n))) for n in range(1, net.N + 1)] for k in "uo"
    }

    def value(p, nudges):
        return loss(case, series(case, [None, *p], inputs, nudges, stop, cuts), y)

    gradients, adjoints = autograd.grad(value, (0, 1))(params[1:], zeros)
    return [None, *gradients], {k: [None, *adjoints[k]] for k in "uo"}


def truncated(case, params, inputs, y, K):
    """Gradients along at most K steps: each step read by itself, forgetting what is older."""

    def direct(read):
        return loss(case, read, y)

    steps = autograd.grad(direct)(series(case, params, inputs))

    def value(p, t):
        return anp.sum(series(case, [None, *p], inputs, cuts=[max(t - K, 0)])[t] * steps[t])

    total = None
    for t in range(case.T):
        one = autograd.grad(value)(params[1:], t)
        total = (
            one
            if total is None
            else [{k: a[k] + b[k] for k in a} for a, b in zip(total, one, strict=True)]
        )
    return [None, *total]


def error(got, expected):
    """The largest difference of gradients, relative to the largest entry of each array."""
    worst = 0.0
    for n in range(1, len(expected)):
        assert set(got[n]) == set(expected[n])
        for k in expected[n]:
            assert np.shape(got[n][k]) == np.shape(expected[n][k]), (n, k)
            size = max(float(np.abs(expected[n][k]).max()), 1e-3)
            worst = max(worst, float(np.abs(got[n][k] - expected[n][k]).max()) / size)
    return worst


def layers(*lists):
    """Adjoints by layer as gradients, to compare them."""
    return [
        None,
        *(
            {str(k): a for k, a in enumerate(arrays)}
            for arrays in zip(*(x[1:] for x in lists), strict=True)
        ),
    ]
