"""Random networks described by words, and their gradients by automatic differentiation."""

import math
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from autograd.tracer import getval
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, arrows
from stbp_edu.arrows import Loss
from stbp_edu.arrows.online_form import traces_of
from stbp_edu.losses import CrossEntropy, LastSteps, Membrane, StepCrossEntropy
from stbp_edu.surrogates import SURROGATES, fires
from stbp_edu.verify.autodiff import of_any

LOSSES = {
    "rate": Loss(),
    "last-2": Loss(fit=LastSteps(2)),
    "cross-entropy": Loss(fit=CrossEntropy()),
    "per-step": Loss(fit=StepCrossEntropy()),
    "per-step-u": Loss("u", CrossEntropy(), per_step=True),
    "membrane": Loss("u", Membrane()),
    "membrane-mean": Loss("u"),
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


def by_autodiff(net, params, inputs, y, twin=False):
    """Gradients and the adjoints of every state, by layer and name, by autograd on the lines.

    A loss has the derivatives of Σ slope · state, where the slopes are its direct term. Each map is
    written as its whole matrix, which shares no code with a map that goes back.
    """
    layers, state = net.layers[1:], net.loss.state
    neurons = [layer.neuron for layer in layers]
    again = ["R" if layer.recurrent else "" for layer in layers]
    sizes = [f"{m}{r}" for m, r in zip(net.sizes, ["", *again], strict=True)]
    dense = [None]
    for layer, p in zip(layers, params[1:], strict=True):
        rows = math.prod(layer.link.shape) // layer.link.units
        rest = {k: np.reshape(a, -1) if np.ndim(a) else a for k, a in p.items()}
        W, b = layer.link.matrix(p["W"]), np.repeat(p["b"], rows)
        dense.append({**rest, "W": W, "b": b, **{k: p[k] for k in "R" if k in p}})

    def lost(outputs, _):
        read = np.stack([getval(now[state]) for now in outputs])
        pairs = zip(net.loss.direct(read, y), outputs, strict=True)
        return sum((slope * now[state]).sum() for slope, now in pairs)

    spike = neurons[0].surrogate.antiderivative if twin else fires
    net_of_matrices = arrows.network(sizes, neurons, net.loss)
    flat = inputs.reshape(*inputs.shape[:2], -1)
    with np.errstate(over="ignore"):  # autograd squares cosh(x) for the slope of tanh
        adjoints, gradients = of_any(net_of_matrices, dense, flat, lost, spike)
    for layer, p, g in zip(layers, params[1:], gradients[1:], strict=True):
        ones = np.eye(p["W"].size).reshape(-1, *p["W"].shape)
        by_weight = [(g["W"] * layer.link.matrix(one)).sum() for one in ones]
        g |= {"W": np.array(by_weight), "b": g["b"].reshape(len(p["b"]), -1).sum(1)}
        g |= {name: np.reshape(g[name], np.shape(p[name])) for name in g}
    return gradients, [None, *adjoints[1:]]


def by_traces(local, rule):
    """Gradients of dense layers' W, step by step forward: what each synapse carries × its signal.

    A signal is what a step by itself hands back, so no factor of another step is read.
    """
    net, rule = local.net, arrows.RULES[rule]
    steps = []
    for t in range(local.T):
        now = slice(t, t + 1)
        one = replace(
            local,
            direct=local.direct[now],
            factors=[
                {kind: factor[now] for kind, factor in layer.items()}
                for layer in local.factors
            ],
        )
        steps.append((one, arrows.lambdas(one, rule)))
    found = [None]
    for n, layer in enumerate(net.layers[1:], 1):
        traces, e, total = traces_of(net, rule, n), {}, 0.0
        start = layer.neuron.input, rule.start
        for t, (one, lam) in enumerate(steps):
            last, e = e, dict.fromkeys(traces.sums, 0.0)
            for node in product(layer.neuron.order, rule.moves):
                for arrow, tail in traces.sums.get(node, ()):
                    if t or not arrow.step:
                        of, past = (last, steps[t - 1][0]) if arrow.step else (e, one)
                        factor = past.factor(arrow, n, rule)[0][..., None]
                        e[node] = e[node] + factor * of[tail]
                if node == start:
                    e[node] = e[node] + local.outputs[n - 1][t][:, None, :]
            for arrow, q, node in traces.leaving:
                if not arrow.step:
                    signal = one.handed_back(rule, lam, arrow, q, 0, n)
                    total = total + (signal[..., None] * e[node]).sum(axis=0)
        found.append(total)
    return found


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
