"""The derived program of a network: forward, and backward under any rule, at full speed.

:func:`forward` and :func:`backward` are those of Part I, whose neurons are derived, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrays import Workspace
from stbp_edu.arrows import forward_run, models, network, with_gain_limit
from stbp_edu.arrows.lines.program import steps_back
from stbp_edu.arrows.link import Flatten
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.table import LOSS, Arrow
from stbp_edu.checks import Array
from stbp_edu.engine.array_steps import ArraySteps
from stbp_edu.engine.compiled import CompiledSteps, chosen, one_blas_thread
from stbp_edu.engine.loop_source import LoopSource
from stbp_edu.engine.passes import Dense, Linked, Passes, States
from stbp_edu.forward_pass import Spike, Trace, check_spike, check_spikes, check_trace
from stbp_edu.losses import RATE, LossLike
from stbp_edu.losses.reading import direct_term
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Gradients, Params, by_layer, by_name
from stbp_edu.rules import ABLATIONS, CASE_RULES, check_gain_limit
from stbp_edu.surrogates import is_curve

MANY = 50_000
"""Weights of a network below which operations on whole arrays take less time than compiling."""


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
        reads: states of the last layer that a direct term may come to, beside that of the loss.

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
    reads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the network, the rule and the backend."""
        checks.fields(
            "program", self, net=models.Network, twin=bool, to_input=bool, reads=tuple
        )
        checks.fields("program", self, work=(Workspace, type(None)))
        for state in self.reads:
            checks.choice("reads", state, self.net.states[self.net.N])
        object.__setattr__(self, "rule", as_rule(self.rule))
        object.__setattr__(self, "backend", chosen(self.backend, self.net))
        _ = self.layers  # which checks the rule and the neurons

    @cached_property
    def layers(self) -> list[Any]:
        """The steps of each layer; None for the input."""
        backs = steps_back(self.net, as_rule(self.rule))
        more = [Arrow("readout", state, LOSS) for state in self.reads]
        backs[-1] = replace(backs[-1], leaving=[*backs[-1].leaving, *more])
        kind = CompiledSteps if self.backend == "compiled" else ArraySteps
        layers: list[Any] = [None]
        for below, back in pairwise(backs):
            wanted = [
                back.start
            ]  # which parameters read; then what the layer below does
            for moves in below.signals.values() if below else ():
                wanted += [
                    back.name(arrow.target, q) for arrow, q in moves if arrow.layer
                ]
            if (
                below is None
                and self.to_input
                and (name := back.behind(back.rule.start))
            ):
                wanted.append(name)
            wanted = [*dict.fromkeys(wanted)]
            layers.append(kind(back.only(wanted), tuple(wanted), self.twin))
        return layers

    @property
    def source(self) -> str:
        """The source of each layer's loops, which are compiled where Numba is installed.

        Where the surrogate is not of this package, that of the functions that run on arrays.
        """
        found = []
        for n, steps in enumerate(self.layers[1:], 1):
            source = steps.program.source()
            if is_curve(steps.program.neuron.surrogate):
                source = LoopSource(steps.program, steps.wanted, steps.twin).text
            found.append(f"# layer {n}\n{source}")
        return "\n\n".join(found)

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
        checks.array(
            "inputs", inputs, f"(T, S, *{net.shape})", (None, None, *net.shape)
        )
        inputs = np.asarray(inputs, params[1]["W"].dtype)
        with one_blas_thread(self.backend == "compiled"):
            states = self.passes(params).forward(flat(inputs))
        trace: models.Series = {"o": [inputs, *[None] * net.N]}
        for n, of_layer in enumerate(states[1:], 1):
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
        forward_run.check_run(net, trace, targets)
        direct = net.loss.direct(trace[net.loss.state][net.N], targets)
        dtype = params[1]["W"].dtype
        states: list[Any] = [{"o": flat(trace["o"][0]).astype(dtype, copy=False)}]
        for n in range(1, net.N + 1):
            order = net.layers[n].neuron.order
            states.append(
                {k: flat(trace[k][n]).astype(dtype, copy=False) for k in order}
            )
        with one_blas_thread(self.backend == "compiled"):
            return self.passes(params).gradients(states, {net.loss.state: flat(direct)})

    def passes(
        self, params: models.LayerParams, work: Workspace | None = None
    ) -> Passes:
        """Return the passes with these parameters, which are not checked, perhaps in buffers."""
        work = work or self.work or Workspace()
        dtype = params[1]["W"].dtype
        cast = [
            {name: np.asarray(value, dtype) for name, value in p.items()}
            for p in params[1:]
        ]
        weights = (
            Dense(p["W"])
            if layer.link.maps == (Flatten(),)
            else Linked(p["W"], layer.link)
            for p, layer in zip(cast, self.net.layers[1:], strict=True)
        )
        return Passes(self.layers, [None, *weights], [None, *cast], work)


def flat(a: Array) -> Array:
    """Return (T, S, *shape) as (T, S, m)."""
    return a.reshape(*a.shape[:2], -1)


def forward(
    spikes: Array,
    params: Params,
    neuron: LIF,
    *,
    spike: Spike | None = None,
    workspace: Workspace | None = None,
) -> Trace:
    """Run the network: the results of :func:`stbp_edu.forward_pass.forward`, faster.

    ``fwd-x`` of a layer is one product for all steps; ``fwd-u`` and ``fwd-o`` go step by step.

    Args:
        spikes: the input O^0, shape (T, S, n[0]): spikes, or any finite numbers. If all steps are
            one in memory, as ``np.broadcast_to`` makes them, its product is computed once.
        params: weights and biases; their dtype decides the computation's.
        neuron: constants and gate.
        spike: the function o(u); ``neuron.g`` where None, ``neuron.H`` for the smooth twin.
        workspace: buffers to use again; the trace lives in them.

    Raises:
        TypeError, ValueError: if ``spikes`` has the wrong rank, shape or dtype, or is not finite.

    >>> import numpy as np
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> forward(np.ones((3, 1, 1)), p, LIF(tau=0.5, v_th=2.0)).O[1].ravel()
    array([0., 1., 0.])
    """
    check_spikes(spikes, params)
    checks.instance("neuron", neuron, LIF)
    check_spike(spike)
    passes = _passes(params, neuron, workspace, twin=spike is not None)
    if spike is not None:
        fires = lambda v: spike(v + neuron.v_th)  # noqa: E731
        passes = replace(
            passes, layers=[s and replace(s, fires=fires) for s in passes.layers]
        )
    with one_blas_thread():
        states = passes.forward(spikes)
    U, O = ([of[name] for of in states[1:]] for name in "uo")
    return Trace([None, *U], [spikes, *O])


def backward(
    trace: Trace,
    targets: Array | None,
    params: Params,
    neuron: LIF,
    rule: str = "exact",
    loss: LossLike = RATE,
    *,
    gain_limit: float | None = None,
    workspace: Workspace | None = None,
) -> Gradients:
    """Return dL/dW and dL/db: the gradients of :func:`stbp_edu.cases.sweep`, faster.

    In float32, adjoints below about 3e-18 are rounded to zero, since the smallest floats slow the
    processor down: a gradient of 1e-14 may be off by a thousandth, one of 1e-17 be zero.

    Layer by layer from the last: δ and ε at every step (``err-exact`` or ``err-classic``), then
    ``c5-w`` and ``c5-b``.

    Args:
        trace: the forward pass.
        targets: Y, shape (S, n[N]); not read where ``loss`` is a direct term.
        params: the parameters of that pass.
        neuron: the neuron of that pass.
        rule: ``"exact"``, ``"classic"``, or an ablation of :mod:`stbp_edu.rules`.
        loss: a loss of :mod:`stbp_edu.losses`, or its direct term ∂L/∂o^{t,N}, (T, S, n[N]).
        gain_limit: the size that no neuron's gain from step to step may exceed; None for none.
        workspace: buffers to use again; the gradients live in them.

    Raises:
        TypeError, ValueError: if shapes or dtypes do not fit, or the rule is unknown.

    >>> import numpy as np
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> neuron = LIF(tau=0.5, v_th=2.0)
    >>> trace = forward(np.ones((3, 1, 1)), p, neuron)
    >>> backward(trace, np.array([[1.0]]), p, neuron).b[1].round(4)
    array([-0.2957])
    """
    check_trace(trace, params)
    checks.instance("neuron", neuron, LIF)
    checks.choice("rule", rule, CASE_RULES + ABLATIONS)
    terms = direct_term(loss, trace, targets)
    binary = all(((o == 0) | (o == 1)).all() for O in trace.O[1:] for o in O)
    limit = check_gain_limit(gain_limit)
    direct = {
        name: term for name, term in zip("ou", terms, strict=True) if term is not None
    }
    layers = zip(trace.U[1:], trace.O[1:], strict=True)
    states: States = [{"o": trace.O[0]}, *({"u": u, "o": o} for u, o in layers)]
    reads = ("u",) if "u" in direct else ()
    given: dict[str, Any] = {
        "rule": rule,
        "gain_limit": limit,
        "twin": not binary,
        "reads": reads,
    }
    passes = _passes(params, neuron, workspace, **given)
    with one_blas_thread():
        return Gradients(**by_name(passes.gradients(states, direct)))


def _passes(
    params: Params, neuron: LIF, work: Workspace | None, twin: bool, **given: Any
) -> Passes:
    """Return the passes through a network of Part I."""
    if work is not None:
        checks.instance("workspace", work, Workspace)
    large = sum(W.size for W in params.W[1:]) >= MANY
    backend = "auto" if large and not twin else "numpy"
    program = _part_one(params.sizes, neuron, backend=backend, twin=twin, **given)
    return program.passes(by_layer(params), work)


@lru_cache(maxsize=64)
def _part_one(
    sizes: Sequence[int], neuron: LIF, *, gain_limit: float | None = None, **given: Any
) -> Program:
    """Return the program of a network of Part I."""
    rule = with_gain_limit(gain_limit, given.pop("rule", "exact"))
    return Program(network(sizes, from_lif(neuron)), rule, **given)
