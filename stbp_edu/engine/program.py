"""The derived program of a network: forward, and backward under any rule, at full speed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows.lines.program import StepBack, steps_back
from stbp_edu.arrows.link import Flatten, Link
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
from stbp_edu.engine.compiled import WIDE, CompiledSteps, are_rare, correlated, installed
from stbp_edu.engine.loop_source import compilable
from stbp_edu.engine.threads import multiply, one_blas_thread


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
        object.__setattr__(self, "backend", chosen(self.backend, self.net))
        _ = self.layers

    @cached_property
    def layers(self) -> list[Any]:
        """The steps of each layer; None for the input."""
        backs = steps_back(self.net, as_rule(self.rule))
        kind = CompiledSteps if self.backend == "compiled" else ArraySteps
        return [
            None,
            *(kind(back, _wanted(backs[n - 1], back), self.twin) for n, back in _from_1(backs)),
        ]

    @property
    def source(self) -> str:
        """The source of each layer's loops, or of the two functions that arrays go through."""
        return "\n\n".join(f"# layer {n}\n{steps.text}" for n, steps in _from_1(self.layers))

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
        with one_blas_thread() if self.backend == "compiled" else nullcontext():
            return self._forward(params, inputs)

    def _forward(self, params: LayerParams, inputs: Array) -> Series:
        """Return every state at every step."""
        net, dtype = self.net, params[1]["W"].dtype
        trace: Series = {"o": [np.asarray(inputs, dtype), *[None] * net.N]}
        for n in range(1, net.N + 1):
            layer, p = net.layers[n], cast(net.layers[n], params[n], dtype)
            below = trace[net.output_of(n - 1)][n - 1]
            for name, series in self._layer_forward(n, below, p).items():
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
        net = self.net
        check_params(net, params)
        here = check_run(net, trace)
        check_targets(net, targets, here)
        averaged = here if S is None else checks.count("S", S)
        direct: Any = net.loss.direct(trace[net.loss.state][net.N], targets) * (here / averaged)
        with one_blas_thread() if self.backend == "compiled" else nullcontext():
            return self._backward(params, trace, direct)

    def _backward(self, params: LayerParams, trace: Series, direct: Array) -> LayerParams:
        """Return the gradients, given what the loss hands back."""
        net, rule = self.net, as_rule(self.rule)
        result: LayerParams = [None] * (net.N + 1)
        above: dict[str, Array] = {}
        for n in range(net.N, 0, -1):
            layer, back, dtype = net.layers[n], self.layers[n].back, params[n]["W"].dtype
            states = {k: flat(trace[k][n]).astype(dtype, copy=False) for k in layer.neuron.order}
            signals = {name: self._signal(n, name, above, params, direct) for name in back.signals}
            start = back.name(layer.neuron.input, rule.start)
            above, sums = self.layers[n].backward(signals, states, cast(layer, params[n], dtype))
            below = trace[net.output_of(n - 1)][n - 1].astype(dtype, copy=False)
            output = states[layer.neuron.output]
            epsilon = above[start]
            events = self._events(n, below)
            W = correlated(flat(below), epsilon) if events else gradient(layer.link, epsilon, below)
            result[n] = {"W": W, **collected(layer, epsilon, output, sums)}
        return result

    def _layer_forward(self, n: int, below: Array, p: dict[str, Array]) -> dict[str, Array]:
        """Return the states of one layer."""
        layer = self.net.layers[n]
        if self._events(n, below):
            x = np.empty((*below.shape[:2], self.net.sizes[n]), below.dtype)
            return self.layers[n].forward(x, p, flat(below))
        return self.layers[n].forward(weighed(layer, below, p), p)

    def _events(self, n: int, below: Array) -> bool:
        """Return whether layer n goes through what is below spike by spike."""
        if self.backend == "numpy" or self.net.layers[n].link.maps != (Flatten(),):
            return False
        return self.net.sizes[n] >= WIDE and are_rare(np.ascontiguousarray(flat(below)))

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
                link, W = self.net.layers[n + 1].link, params[n + 1]["W"]
                total = total + handed_back(link, adjoint, W.astype(adjoint.dtype, copy=False))
        if isinstance(total, float):  # the layer's own next step alone
            return np.zeros((*direct.shape[:2], self.net.sizes[n]), params[n]["W"].dtype)
        return np.asarray(total)


def _from_1(of: list[Any]) -> Iterator[tuple[int, Any]]:
    """Yield the number of each layer, from 1, and what it has."""
    return ((n, one) for n, one in enumerate(of) if n)


def _wanted(below: StepBack | None, back: StepBack) -> tuple[str, ...]:
    """Return the adjoints that parameters and the layer below read, the parameters' first."""
    into = back.neuron.input
    moves = [move for of in below.signals.values() for move in of] if below else []
    heads = [back.rule.start, *(q for arrow, q in moves if arrow.layer)]
    return tuple(dict.fromkeys(back.name(into, q) for q in heads))


def chosen(backend: str, net: Network) -> str:
    """Return the backend that is used where one is asked for.

    Raises:
        ImportError: if ``"compiled"`` is asked for and Numba is missing.
        TypeError: if it is asked for a surrogate that is not of this package.
    """
    checks.choice("backend", backend, ("auto", "numpy", "compiled"))
    odd = [n for n, layer in _from_1(list(net.layers)) if not compilable(layer.neuron.surrogate)]
    if backend == "compiled":
        if not installed():
            raise ImportError(
                "backend='compiled' needs Numba, which is not installed: "
                "pip install 'stbp-edu[fast]', or use backend='numpy'"
            )
        if odd:
            raise TypeError(
                f"the surrogate of layer {odd[0]} cannot be compiled: it is not a Curve with "
                "methods h and twin; use backend='numpy'"
            )
    return "compiled" if backend != "numpy" and installed() and not odd else "numpy"


def flat(a: Array) -> Array:
    """Return (T, S, *shape) as (T, S, m)."""
    return a.reshape(*a.shape[:2], -1)


def cast(layer: Layer, p: Mapping[str, Any], dtype: Any) -> dict[str, Array]:
    """Return the parameters of a layer in one dtype, the bias of a channel for each neuron."""
    found = {name: np.asarray(value, dtype) for name, value in p.items()}
    return found | {"b": np.repeat(found["b"], math.prod(layer.link.shape[1:]))}


def weighed(layer: Layer, below: Array, p: Mapping[str, Array]) -> Array:
    """Return what the weights bring to a layer, (T, S, m)."""
    link, W = layer.link, p["W"]
    if link.maps != (Flatten(),):
        return flat(link.forward(below, W))
    x = np.empty((*below.shape[:2], len(W)), W.dtype)
    multiply(rows(below, 2), W.T, rows(x, 2))
    return x


def handed_back(link: Link, adjoint: Array, W: Array) -> Array:
    """Return what the weights hand back to the layer below, Wᵀ err, (T, S, m)."""
    if link.maps != (Flatten(),):
        return flat(link.back(adjoint.reshape(*adjoint.shape[:2], *link.shape), W))
    x = np.empty((*adjoint.shape[:2], W.shape[1]), W.dtype)
    multiply(rows(adjoint, 2), W, rows(x, 2))
    return x


def gradient(link: Link, epsilon: Array, below: Array) -> Array:
    """Return ∂L/∂W, Σ ε oᵀ over steps and samples."""
    if link.maps != (Flatten(),):
        return np.asarray(link.gradient(epsilon.reshape(*epsilon.shape[:2], *link.shape), below))
    found = np.empty(link.weight_shape, epsilon.dtype)
    multiply(rows(epsilon, 2).T, rows(below, 2), found)
    return found


def rows(a: Array, lead: int) -> Array:
    """Return an array as a matrix, its first axes for rows."""
    return a.reshape(math.prod(a.shape[:lead]), -1)


def collected(
    layer: Layer, epsilon: Array, output: Array, sums: Mapping[str, Array]
) -> dict[str, Array]:
    """Return the gradients of a layer's parameters, but for W, from the adjoint that b enters."""
    m, shape = epsilon.shape[2], layer.link.shape
    found = {"b": sums["b"].reshape(shape[0], -1).sum(axis=1)}
    if layer.recurrent:
        found["R"] = epsilon[1:].reshape(-1, m).T @ output[:-1].reshape(-1, m)
    for name, enter in layer.neuron.enters:
        g = sums[name]
        found[name] = g.reshape(shape) if enter.each else np.asarray(g.sum())
    return found
