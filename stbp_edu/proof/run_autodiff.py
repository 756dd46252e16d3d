"""Gradients by automatic differentiation of the forward lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stbp_edu.arrows import Neuron
from stbp_edu.lines.expressions import evaluate
from stbp_edu.proof.run import Run
from stbp_edu.verify import require


def by_autodiff(run: Run, state: str) -> list[Any]:
    """Return the gradients of Σ weight · state by automatic differentiation of the lines."""
    autograd = require("autograd", "the proof of forward lines")
    neurons = [layer.neuron for layer in run.net.layers[1:]]
    spikes = [_spike(neuron, autograd) for neuron in neurons]

    def loss(layers: Any) -> Any:
        """Return Σ weight · state."""
        samples = run.inputs.shape[1]
        past = []
        for neuron, p in zip(neurons, layers, strict=True):
            rest = np.zeros((samples, len(p["b"])))
            past.append(dict.fromkeys(neuron.lines.lines, rest))
        value = 0.0
        for t, below in enumerate(run.inputs):
            for n, neuron in enumerate(neurons):
                p = layers[n]
                last = past[n]
                x = below @ p["W"].T + p["b"]
                if "R" in p and t:
                    sent = last[neuron.output]
                    x = x + sent @ p["R"].T
                past[n] = _step(neuron, last, x, p, spikes[n], autograd.numpy)
                below = past[n][neuron.output]
            weighted = run.weight[t] * past[-1][state]
            value = value + autograd.numpy.sum(weighted)
        return value

    gradients = autograd.grad(loss)
    return [None, *gradients(run.params[1:])]


def _spike(neuron: Neuron, autograd: Any) -> Callable[[Any], Any]:
    """Return the spike of a neuron, whose derivative is h."""
    h = neuron.surrogate.derivative

    def fires(v: Any) -> Any:
        """Return 1 where v >= 0, else 0."""
        return (v >= 0).astype(v.dtype)

    spike: Callable[[Any], Any] = autograd.extend.primitive(fires)
    autograd.extend.defvjp(spike, lambda ans, v: lambda signal: signal * h(v))
    return spike


def _step(
    neuron: Neuron, past: Any, x: Any, p: Any, spike: Callable[[Any], Any], xp: Any
) -> dict[str, Any]:
    """Return the states of a layer after one step, and its input, in a module like NumPy."""
    lines = neuron.lines
    zeros = np.zeros(x.shape)  # autograd's where does not broadcast
    known = {"x": x}
    for name, value in lines.constants.items():
        known[name] = p.get(name, value) + zeros
    for state in lines.lines:
        known[f"{state}_last"] = past[state]
    found = {"x": x}
    for state, line in lines.lines.items():
        value = evaluate(line, known, {"spike": spike}, xp)
        known[state] = value
        found[state] = value
    return found
