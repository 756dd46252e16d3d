"""Random forward lines, and networks of such neurons."""

import re
from contextlib import suppress
from dataclasses import replace

import numpy as np

from stbp_edu import Gaussian, derive
from stbp_edu.arrows import draw_params, network
from stbp_edu.arrows.adjoints import gradients, lambdas, local_derivatives
from stbp_edu.arrows.rules import as_rule
from stbp_edu.losses import RATE, Membrane

BELL = Gaussian(0.4)
TERMS = (
    *(
        "{c} * {p}",
        "{c} * {p} * (1 - o)",
        "-{c} * o",
        "{c} * {p} * o",
        "{c} * {p} * {q}",
    ),
    *(
        "{c} * tanh({p} * {q})",
        "{c} * exp(-{p} ** 2)",
        "{c} * sqrt(1 + {p} ** 2) * {q}",
    ),
    *(
        "{c} * {p} / (1 + {q} ** 2)",
        "log(1 + {p} ** 2)",
        "{c} * x * {p}",
        "gate({p}, {c}) * {q}",
    ),
    *("{c} * max({p}, {q})", "{c} * min({p}, 0.3)", "{c} * abs({p})"),
)
STEEP = "0.5 * u / ({c} + exp(18 * (1 - o)))"  # in the spike


def drawn(seed, spikes=True):
    """Random lines: one to four states, constants, which of them are learned."""
    rng = np.random.default_rng(seed)
    others = [str(s) for s in rng.permutation(["i", "a", "w"])[: rng.integers(0, 3)]]
    states = [*others, "u", "o"]
    if rng.random() < 0.2:  # the spike reads the last potential
        states = ["o", *others, "u"]
    if not spikes:
        states = [*others[:1], "u"]
    constants = {"v_th": rng.uniform(0.3, 0.8)} if spikes else {}
    lines = ["gate(s, c) = c * exp(-s * s / c)"]

    def constant():
        """Return a constant, an old one or a new one."""
        if len(constants) < 6 or rng.random() < 0.5:
            constants[f"c{len(constants)}"] = rng.uniform(0.2, 0.7)
        return str(rng.choice([*constants]))

    for state in states:
        if state == "o":
            more = f" - {constant()} * a" if "a" in states else ""
            lines.append(f"o = spike(u - v_th{more})")
            continue
        terms = [f"{constant()} * {state}"]
        for _ in range(rng.integers(1, 4)):
            form = str(rng.choice(TERMS))
            p, q = rng.choice([s for s in states if s != "o"], 2)
            term = form.format(c=constant(), p=p, q=q)
            terms.append(term if spikes else re.sub(r"\bo\b", p, term))
        if state == "u" and spikes and seed % 10 == 3:
            terms.append(STEEP.format(c=constant()))
        if state == "u" or rng.random() < 0.3:
            terms.append(str(rng.choice(["x", f"(1 - {constant()}) * x"])))
        lines.append(f"{state} = " + " + ".join(terms))
    text = "\n".join(lines)
    read = {c: v for c, v in constants.items() if re.search(rf"\b{c}\b", text)}
    mode = {c: rng.integers(3) for c in read}
    learned = [c for c in read if mode[c] == 1], [c for c in read if mode[c] == 2]
    return text, {c: float(v) for c, v in read.items()}, *learned


def derived(seed, spikes=True):
    """Return a drawn neuron."""
    for k in range(20):  # again where no line reads a state
        text, constants, layer, each = drawn(seed + 1000 * k, spikes)
        with suppress(ValueError):
            return derive(
                text, surrogate=BELL, learn=layer, learn_each=each, **constants
            )
    raise AssertionError(text)


def run_of(neuron, seed, sizes="3-4R-3R-2"):
    """Return (network, parameters, inputs, targets), the loss on spikes or potentials."""
    rng = np.random.default_rng(seed)
    net = network(
        sizes, neuron, RATE if seed % 2 and neuron.output == "o" else Membrane(None)
    )
    params = draw_params(net, rng)
    for n, p in enumerate(params[1:], 1):
        p["b"] = rng.normal(0.2, 0.3, p["b"].shape)
        for name in (arrow.source for arrow in net.layers[n].neuron.enters):
            value = neuron.lines.constants[name]
            p[name] = np.asarray(value * rng.uniform(0.9, 1.1, np.shape(p[name])))
    inputs = rng.normal(0.3, 0.6, (5, 2, *net.shape))
    return net, params, inputs, rng.random((2, net.shape_of(net.N)[0]))


def in_dtype(trace, dtype):
    """A run with its states in another precision."""
    return {
        k: [None if a is None else a.astype(dtype) for a in of]
        for k, of in trace.items()
    }


def assert_single(run_back, net, params, trace, y, rule):
    """Gradients in float32 are within 1e-5 of the sizes of what adds up to each; those of one run.

    Rounding goes by them: where they cancel, what is left may be as small as their last digits. In
    text 105, under truncated-1, a gradient of 0.005 is a sum of numbers like 10, and to round the
    parameters alone to float32 moves it by a ten-thousandth.
    """
    local = local_derivatives(net, params, in_dtype(trace, float), y)
    lam, start = lambdas(local, rule), as_rule(rule).start
    lam_sizes, factors = (
        [{k: np.abs(a) for k, a in of.items()} for of in parts]
        for parts in (lam, local.factors)
    )
    sized = replace(local, outputs=[np.abs(o) for o in local.outputs], factors=factors)
    expected, sizes = gradients(local, lam, start), gradients(sized, lam_sizes, start)
    if max(np.abs(g).max() for layer in expected[1:] for g in layer.values()) > 1e30:
        return  # float32 ends at 3e38, and what leads to such a number may be larger
    for of, wanted, size in zip(run_back()[1:], expected[1:], sizes[1:], strict=True):
        for k, g in wanted.items():
            assert of[k].dtype == np.float32
            assert np.abs(of[k] - g).max() < 1e-5 * max(size[k].max(), 1e-3), k
