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
from stbp_edu.arrays import Workspace
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
from stbp_edu.engine.compiled import WIDE, CompiledSteps, are_rare, correlate, installed
from stbp_edu.engine.curve_source import compilable
from stbp_edu.engine.threads import multiply, one_blas_thread
from stbp_edu.engine.weights import distinct_steps


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
        work: buffers to use again; traces and gradients live in them. Without them each call makes
            new arrays.

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
    work: Workspace | None = None

    def __post_init__(self) -> None:
        """Check the network, the rule and the backend."""
        checks.instance("net", self.net, Network)
        object.__setattr__(self, "rule", as_rule(self.rule))
        object.__setattr__(self, "backend", chosen(self.backend, self.net))
        _ = self.layers  # which checks the rule and the neurons

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
        """The source of each layer's loops, which are compiled where Numba is installed.

        Where the surrogate is not of this package, that of the functions that arrays go through.
        """
        return "\n\n".join(
            f"# layer {n}\n{steps.loops.text if compilable(steps.curve) else steps.text}"
            for n, steps in _from_1(self.layers)
        )

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
            shape = (*below.shape[:2], net.sizes[n])
            states = {name: self._array(name, n, shape, dtype) for name in layer.neuron.order}
            spikes = flat(below) if self._events(n, below) else None
            if spikes is None:
                drive, distinct = states[layer.neuron.order[0]], distinct_steps(below)
                weigh(layer.link, distinct, p["W"], drive[: len(distinct)])
                drive[len(distinct) :] = drive[0]
            self.layers[n].forward(states, p, spikes)
            for name, series in states.items():
                by_layer = trace.setdefault(name, [None] * (net.N + 1))
                by_layer[n] = series.reshape(*shape[:2], *layer.link.shape)
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
        net, dtype = self.net, params[1]["W"].dtype
        result: LayerParams = [None] * (net.N + 1)
        errors: dict[str, Array] = {}
        for n in range(net.N, 0, -1):
            layer, steps = net.layers[n], self.layers[n]
            states = {k: flat(trace[k][n]).astype(dtype, copy=False) for k in layer.neuron.order}
            p = cast(layer, params[n], dtype)
            shape = (*direct.shape[:2], net.sizes[n])
            kept = [self._array(f"E {name}", n, shape, dtype) for name in steps.wanted]
            signals = dict(zip(steps.signals[:1], kept, strict=False))
            for name in steps.signals:
                if name not in signals:
                    signals[name] = self._array(name, n, shape, dtype)
                self._signal(n, name, errors, params, direct, signals[name])
            sums = steps.backward(kept, states, p, signals)
            errors = dict(zip(steps.wanted, kept, strict=True))
            below = trace[net.output_of(n - 1)][n - 1].astype(dtype, copy=False)
            if self._events(n, below):
                W = self._array("W", n, layer.link.weight_shape[::-1], dtype).T
                correlate(flat(below), kept[0], W)
            else:
                distinct, epsilon = distinct_steps(below), kept[0]
                if len(distinct) < len(epsilon):
                    epsilon = epsilon.sum(axis=0, keepdims=True)
                W = gradient(layer.link, epsilon, distinct)
            result[n] = {"W": W, **collected(layer, kept[0], states[layer.neuron.output], sums)}
        return result

    def _array(self, name: str, n: int, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return an array to be written to, a buffer if there are any."""
        work = Workspace() if self.work is None else self.work
        return work.array(name, n, shape, dtype)

    def _events(self, n: int, below: Array) -> bool:
        """Return whether layer n goes through what is below spike by spike."""
        dense = self.net.layers[n].link.maps == (Flatten(),)
        if self.backend == "numpy" or not dense or self.net.sizes[n] < WIDE:
            return False
        return below.flags.c_contiguous and are_rare(flat(below))

    def _signal(
        self,
        n: int,
        name: str,
        errors: Mapping[str, Array],
        params: LayerParams,
        direct: Array,
        out: Array,
    ) -> None:
        """Write what the loss and the layer above hand back to layer n."""
        out[...] = 0
        for arrow, q in self.layers[n].back.signals[name]:
            if arrow.target == LOSS:
                out[...] = flat(direct)
            elif arrow.layer:
                error = errors[self.layers[n + 1].back.name(arrow.target, q)]
                W = np.asarray(params[n + 1]["W"], error.dtype)
                hand_back(self.net.layers[n + 1].link, error, W, out)


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


def weigh(link: Link, below: Array, W: Array, out: Array) -> None:
    """Write what the weights bring to a layer, (T, S, m)."""
    if link.maps == (Flatten(),):
        multiply(rows(below, 2), W.T, rows(out, 2))
    else:
        out[...] = flat(link.forward(below, W))


def hand_back(link: Link, error: Array, W: Array, out: Array) -> None:
    """Write what the weights hand back to the layer below, Wᵀ err, (T, S, m)."""
    if link.maps == (Flatten(),):
        multiply(rows(error, 2), W, rows(out, 2))
    else:
        out[...] = flat(link.back(error.reshape(*error.shape[:2], *link.shape), W))


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
