"""The derived program of a network: forward, and backward under any rule, at full speed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows.lines.program import steps_back
from stbp_edu.arrows.link import Flatten
from stbp_edu.arrows.models import (
    Layer,
    LayerParams,
    Network,
    Series,
    check_params,
    check_run,
    check_targets,
)
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.table import LOSS
from stbp_edu.checks import Array
from stbp_edu.engine.array_steps import ArraySteps


@dataclass(frozen=True)
class Program:
    """A network's passes, made of the two functions of each layer's derived neuron.

    Args:
        net: of neurons that were derived from forward lines, those of the course among them.
        rule: a name in ``arrows.RULES``, or an ``arrows.Rule``.
        backend: ``"numpy"``: on whole arrays; ``"compiled"``: as loops over samples, steps and
            spikes, which needs Numba; ``"auto"``: compiled where Numba is installed and the
            surrogate is one of this package.
        twin: whether the smooth twin H stands in place of the spike.

    Raises:
        ValueError: if a neuron has no forward lines, or the rule does not fit the network.
        ImportError: if ``"compiled"`` is asked for and Numba is missing.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> net = network("2-1", hard_reset(LIF(tau=0.5, v_th=0.5)))
    >>> params = [None, {"W": np.ones((1, 2)), "b": np.zeros(1)}]
    >>> program = Program(net, backend="numpy")
    >>> trace = program.forward(params, np.full((2, 1, 2), 0.1))
    >>> program.gradients(params, trace, np.ones((1, 1)))[1]["b"].round(4)
    array([-0.6364])
    """

    net: Network
    rule: Rule | str = "exact"
    backend: str = "auto"
    twin: bool = False

    def __post_init__(self) -> None:
        """Check the network, the rule and the backend."""
        checks.instance("net", self.net, Network)
        object.__setattr__(self, "rule", as_rule(self.rule))
        object.__setattr__(self, "backend", chosen(self.backend))
        _ = self.layers

    @cached_property
    def layers(self) -> list[Any]:
        """The steps of each layer; None for the input."""
        rule = as_rule(self.rule)
        return [None, *(ArraySteps(back, self.twin) for back in steps_back(self.net, rule)[1:])]

    def forward(self, params: LayerParams, inputs: Array) -> Series:
        """Return every state at every step, as :func:`stbp_edu.arrows.forward` does.

        Args:
            params: its parameters; the dtype of their weights is that of the computation.
            inputs: shape (T, S, *input shape); any real numbers.

        Raises:
            TypeError, ValueError: if the parameters or inputs do not fit the network.
        """
        net = self.net
        check_params(net, params)
        checks.array("inputs", inputs, f"(T, S, *{net.shape})", (None, None, *net.shape))
        dtype = params[1]["W"].dtype
        trace: Series = {"o": [np.asarray(inputs, dtype), *[None] * net.N]}
        for n in range(1, net.N + 1):
            layer, p = net.layers[n], cast(params[n], dtype)
            x = weighed(layer, trace[net.output_of(n - 1)][n - 1], p)
            for name, series in self.layers[n].forward(x, p).items():
                by_layer = trace.setdefault(name, [None] * (net.N + 1))
                by_layer[n] = series.reshape(*series.shape[:2], *layer.link.shape)
        return trace

    def gradients(
        self, params: LayerParams, trace: Series, targets: Array, S: int | None = None
    ) -> LayerParams:
        """Return the gradients of a forward run, as those of :func:`stbp_edu.arrows.backward`.

        Args:
            params: the parameters of that run.
            trace: the run, perhaps of some samples only.
            targets: shape (samples, n[N]).
            S: the number of samples that the loss averages; those of ``trace`` where None.

        Raises:
            TypeError, ValueError: if shapes do not fit.
        """
        net, rule = self.net, as_rule(self.rule)
        check_params(net, params)
        here = check_run(net, trace)
        check_targets(net, targets, here)
        averaged = here if S is None else checks.count("S", S)
        direct: Any = net.loss.direct(trace[net.loss.state][net.N], targets) * (here / averaged)
        result: LayerParams = [None] * (net.N + 1)
        above: dict[str, Array] = {}
        for n in range(net.N, 0, -1):
            layer, back, dtype = net.layers[n], self.layers[n].back, params[n]["W"].dtype
            states = {k: flat(trace[k][n]).astype(dtype, copy=False) for k in layer.neuron.order}
            signals = {name: self._signal(n, name, above, params, direct) for name in back.signals}
            start = back.name(layer.neuron.input, rule.start)
            p = cast(params[n], dtype)
            wanted = dict.fromkeys([start, *self._heard_below(n)])
            above, learned = self.layers[n].backward(signals, states, p, [*wanted])
            below = trace[net.output_of(n - 1)][n - 1].astype(dtype, copy=False)
            output = states[layer.neuron.output]
            result[n] = collected(layer, above[start], below, output, learned)
        return result

    def _heard_below(self, n: int) -> list[str]:
        """Return the names of the adjoints of layer n that the layer below reads."""
        if n == 1:
            return []
        back, into = self.layers[n].back, self.net.layers[n].neuron.input
        below = self.layers[n - 1].back.signals.values()
        heads = [q for moves in below for arrow, q in moves if arrow.kind == "weight"]
        return [back.name(into, q) for q in heads]

    def _signal(
        self, n: int, name: str, above: Mapping[str, Array], params: LayerParams, direct: Array
    ) -> Array:
        """Return what the loss and the layer above hand back to layer n."""
        total: Any = 0.0
        for arrow, q in self.layers[n].back.signals[name]:
            if arrow.target == LOSS:
                total = total + flat(direct).astype(params[n]["W"].dtype, copy=False)
            elif arrow.layer:
                adjoint = above[self.layers[n + 1].back.name(arrow.target, q)]
                link = self.net.layers[n + 1].link
                shaped = adjoint.reshape(*adjoint.shape[:2], *link.shape)
                total = total + flat(link.back(shaped, params[n + 1]["W"]))
        if isinstance(total, float):  # the layer's own next step alone
            return np.zeros((*direct.shape[:2], self.net.sizes[n]), params[n]["W"].dtype)
        return np.asarray(total)


def chosen(backend: str) -> str:
    """Return the backend that is used where one is asked for."""
    checks.choice("backend", backend, ("auto", "numpy"))
    return "numpy"


def flat(a: Array) -> Array:
    """Return (T, S, *shape) as (T, S, m)."""
    return a.reshape(*a.shape[:2], -1)


def cast(p: Mapping[str, Any], dtype: Any) -> dict[str, Array]:
    """Return the parameters of a layer in one dtype."""
    return {name: np.asarray(value, dtype) for name, value in p.items()}


def weighed(layer: Layer, below: Array, p: Mapping[str, Array]) -> Array:
    """Return what weights and biases bring to a layer, (T, S, m)."""
    link = layer.link
    x: Array
    if link.maps == (Flatten(),):
        x = flat(below).reshape(-1, p["W"].shape[1]) @ p["W"].T
        x = x.reshape(*below.shape[:2], -1)
    else:
        x = flat(link.forward(below, p["W"]))
    x += np.repeat(p["b"], math.prod(link.shape[1:]))
    return x


def collected(
    layer: Layer, epsilon: Array, below: Array, output: Array, learned: Mapping[str, Array]
) -> dict[str, Array]:
    """Return the gradients of a layer's parameters from the adjoint of what they enter."""
    T, S, m = epsilon.shape
    shaped = epsilon.reshape(T, S, *layer.link.shape)
    over = tuple(k for k in range(shaped.ndim) if k != 2)
    found = {"W": layer.link.gradient(shaped, below), "b": shaped.sum(axis=over)}
    if layer.recurrent:
        found["R"] = epsilon[1:].reshape(-1, m).T @ output[:-1].reshape(-1, m)
    each = {name: enter.each for name, enter in layer.neuron.enters}
    for name, g in learned.items():
        found[name] = g.reshape(layer.link.shape) if each[name] else np.asarray(g.sum())
    return found
