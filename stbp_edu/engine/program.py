"""The derived program of a network: forward, and backward under any rule, at full speed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrays import Workspace
from stbp_edu.arrows import forward_run, models
from stbp_edu.arrows.lines.program import StepBack, steps_back
from stbp_edu.arrows.link import Flatten
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.table import Arrow
from stbp_edu.checks import Array
from stbp_edu.engine.array_steps import ArraySteps
from stbp_edu.engine.compiled import CompiledSteps, installed
from stbp_edu.engine.loop_source import compilable
from stbp_edu.engine.passes import Passes
from stbp_edu.engine.weights import Dense, Linked


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
        to_input: whether the passes keep what the input's gradient needs, too.
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

    net: models.Network
    rule: Rule | str = "exact"
    backend: str = "auto"
    twin: bool = False
    work: Workspace | None = None
    to_input: bool = False

    def __post_init__(self) -> None:
        """Check the network, the rule and the backend."""
        checks.fields("program", self, net=models.Network, twin=bool, to_input=bool)
        checks.fields("program", self, work=(Workspace, type(None)))
        object.__setattr__(self, "rule", as_rule(self.rule))
        object.__setattr__(self, "backend", chosen(self.backend, self.net))
        _ = self.layers  # which checks the rule and the neurons

    @cached_property
    def layers(self) -> list[Any]:
        """The steps of each layer; None for the input."""
        backs = steps_back(self.net, as_rule(self.rule))
        kind = CompiledSteps if self.backend == "compiled" else ArraySteps
        wanted = [_wanted(backs[n - 1], back, self.to_input) for n, back in _from_1(backs)]
        made = (kind(back, of, self.twin) for back, of in zip(backs[1:], wanted, strict=True))
        return [None, *made]

    @property
    def source(self) -> str:
        """The source of each layer's loops, which are compiled where Numba is installed.

        Where the surrogate is not of this package, that of the functions that arrays go through.
        """
        return "\n\n".join(
            f"# layer {n}\n{steps.loops.text if compilable(steps.curve) else steps.back.source()}"
            for n, steps in _from_1(self.layers)
        )

    def forward(self, params: models.LayerParams, inputs: Array) -> models.Series:
        """Return every state at every step, as :func:`stbp_edu.arrows.forward` does.

        Args:
            params: its parameters; the dtype of their weights is that of the computation.
            inputs: shape (T, S, *input shape); any real numbers.

        Raises:
            TypeError, ValueError: if the parameters or inputs do not fit the network.
        """
        net = self.net
        forward_run.check_params(net, params)
        checks.array("inputs", inputs, f"(T, S, *{net.shape})", (None, None, *net.shape))
        inputs = np.asarray(inputs, params[1]["W"].dtype)
        states = self.passes(params).forward(flat(inputs))
        trace: models.Series = {"o": [inputs, *[None] * net.N]}
        for n, of_layer in _from_1(states):
            for name, series in of_layer.items():
                by_layer = trace.setdefault(name, [None] * (net.N + 1))
                by_layer[n] = series.reshape(*inputs.shape[:2], *net.shape_of(n))
        return trace

    def gradients(
        self, params: models.LayerParams, trace: models.Series, targets: Array
    ) -> models.LayerParams:
        """Return the gradients of a forward run, as those of :func:`stbp_edu.arrows.backward`.

        Args:
            params: the parameters of that run.
            trace: the run.
            targets: shape (S, n[N]).

        Raises:
            TypeError, ValueError: if shapes do not fit.
        """
        net = self.net
        forward_run.check_params(net, params)
        forward_run.check_targets(net, targets, forward_run.check_run(net, trace))
        direct = net.loss.direct(trace[net.loss.state][net.N], targets)
        dtype = params[1]["W"].dtype
        states: list[Any] = [{"o": flat(trace["o"][0]).astype(dtype, copy=False)}]
        for n in range(1, net.N + 1):
            order = net.layers[n].neuron.order
            states.append({k: flat(trace[k][n]).astype(dtype, copy=False) for k in order})
        passes = self.passes(params)
        return passes.gradients(states, {net.loss.state: flat(direct)})

    def passes(self, params: models.LayerParams) -> Passes:
        """Return the passes with these parameters, which are not checked."""
        work = Workspace() if self.work is None else self.work
        dtype = params[1]["W"].dtype
        cast: list[Any] = [None]
        weights: list[Any] = [None]
        for n in range(1, self.net.N + 1):
            link = self.net.layers[n].link
            p = {name: np.asarray(value, dtype) for name, value in params[n].items()}
            dense = link.maps == (Flatten(),)
            weights.append(Dense(p["W"]) if dense else Linked(p["W"], link))
            cast.append(p)
        return Passes(self.layers, weights, cast, work)


def _from_1(of: list[Any]) -> Iterator[tuple[int, Any]]:
    """Yield the number of each layer, from 1, and what it has."""
    return ((n, one) for n, one in enumerate(of) if n)


def _wanted(below: StepBack | None, back: StepBack, to_input: bool) -> tuple[str, ...]:
    """Return the adjoints that parameters and the layer below read, the parameters' first."""
    into, heads = back.neuron.input, [back.rule.start]
    for moves in below.signals.values() if below else ():
        heads += [q for arrow, q in moves if arrow.layer]
    if below is None and to_input:
        q = back.rule.move(
            back.rule.start, Arrow("weight", "o", into, layer=1, link=back.net.layers[1].link)
        )
        heads += [q] if q and (into, q) in back.nodes else []
    return tuple(dict.fromkeys(back.name(into, q) for q in heads))


def chosen(backend: str, net: models.Network) -> str:
    """Return the backend that is used where one is asked for.

    Raises:
        ImportError: if ``"compiled"`` is asked for and Numba is missing.
        TypeError: if it is asked for a surrogate that is not of this package.
    """
    if checks.choice("backend", backend, ("auto", "numpy", "compiled")) == "numpy":
        return backend
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
    return "compiled" if installed() and not odd else "numpy"


def flat(a: Array) -> Array:
    """Return (T, S, *shape) as (T, S, m)."""
    return a.reshape(*a.shape[:2], -1)
