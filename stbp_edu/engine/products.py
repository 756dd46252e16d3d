"""The same mathematics at full speed: layer by layer, all time steps in one matrix product.

Layer n at every step needs only layer n - 1 at every step (forward) or layer n + 1 at every step
(backward). So the input of a layer for all T steps is one product of a (T·S, n[n-1]) matrix with
W^n, and W^n is read once instead of T times. What remains is elementwise and runs step by step:
see :mod:`stbp_edu.engine.array_steps`.
"""

from dataclasses import dataclass, field, replace
from functools import cache

from stbp_edu import checks
from stbp_edu.arrays import Workspace, by_layer
from stbp_edu.arrows import network, with_gain_limit
from stbp_edu.arrows.lines.program import steps_back
from stbp_edu.arrows.part_one import by_name, of_lif
from stbp_edu.arrows.table import LOSS, Arrow
from stbp_edu.checks import Array
from stbp_edu.engine.array_steps import ArraySteps
from stbp_edu.engine.compiled import CompiledSteps, installed
from stbp_edu.engine.loop_source import compilable
from stbp_edu.engine.passes import Passes, States
from stbp_edu.engine.threads import one_blas_thread
from stbp_edu.engine.weights import Dense
from stbp_edu.losses import RATE, LossLike
from stbp_edu.losses.reading import Built, Direct, checked, direct_term
from stbp_edu.network import Gradients, Params, Spike, Trace, check_spike, check_spikes, check_trace
from stbp_edu.neuron import LIF
from stbp_edu.rules import ABLATIONS, RULES, check_gain_limit

MANY = 50_000
"""Weights of a network below which operations on whole arrays take less time than compiling."""


def forward(
    spikes: Array,
    params: Params,
    neuron: LIF,
    *,
    spike: Spike | None = None,
    workspace: Workspace | None = None,
) -> Trace:
    """Run the network: the results of :func:`stbp_edu.network.forward`, faster.

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
    return Engine(params, neuron, work=_workspace(workspace)).forward(spikes, spike)


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
    checks.choice("rule", rule, RULES + ABLATIONS)
    read = checked(loss, trace, targets)
    binary = all(((o == 0) | (o == 1)).all() for O in trace.O[1:] for o in O)
    limit = check_gain_limit(gain_limit)
    engine = Engine(params, neuron, rule, _workspace(workspace), read, limit)
    return engine.gradients(trace, targets, binary=binary)


def _workspace(given: Workspace | None) -> Workspace:
    """Return the buffers to use: those that were given, or new ones."""
    return Workspace() if given is None else checks.instance("workspace", given, Workspace)


@dataclass(frozen=True)
class Engine:
    """The passes through a network of Part I, for a caller that has checked the arguments.

    With Numba they are compiled loops, in which a spike costs one row of weights and silence
    nothing, as long as spikes are rare and layers wide; without it, operations on whole arrays.

    Attributes:
        rule: what flows backward; see :func:`backward`.
        work: the buffers in which traces and gradients live.
        loss: a loss of :mod:`stbp_edu.losses`, or the direct term of another.
        gain_limit: see :func:`backward`.
        backend: ``"numpy"``, or ``"auto"``: compiled where that is possible.
    """

    params: Params
    neuron: LIF
    rule: str = "exact"
    work: Workspace = field(default_factory=Workspace)
    loss: Built | Direct = RATE
    gain_limit: float | None = None
    backend: str = "auto"

    def forward(self, spikes: Array, spike: Spike | None = None) -> Trace:
        """Return what :func:`forward` returns."""
        passes = self.passes(twin=spike is not None)
        if spike is not None:
            v_th = self.neuron.v_th
            layers = [s and replace(s, fires=lambda v: spike(v + v_th)) for s in passes.layers]
            passes = replace(passes, layers=layers)
        with one_blas_thread():
            states = passes.forward(spikes)
        U, O = ([of[name] for of in states[1:]] for name in "uo")
        return Trace([None, *U], [spikes, *O])

    def gradients(self, trace: Trace, targets: Array | None, *, binary: bool = True) -> Gradients:
        """Return what :func:`backward` returns.

        Args:
            trace: the forward pass.
            targets: Y.
            binary: whether every spike is 0 or 1, so that a straight line can replace the gate.
        """
        layers = zip(trace.U[1:], trace.O[1:], strict=True)
        states: States = [{"o": trace.O[0]}, *({"u": u, "o": o} for u, o in layers)]
        terms = direct_term(self.loss, trace, targets, trace.O[0].shape[1])
        direct = {name: term for name, term in zip("ou", terms, strict=True) if term is not None}
        passes = self.passes("ou" if "u" in direct else "o", twin=not binary)
        with one_blas_thread():
            found = passes.gradients(
                states, direct, lambda n, _: self.work.like("gW", n, self.params.W[n])
            )
        return Gradients(**by_name(found))

    def passes(self, reads: str = "o", twin: bool = False) -> Passes:
        """Return the passes for a loss that reads these states; ``twin``: outputs may be any."""
        params, N = by_layer(self.params), self.params.N
        loops = self.backend != "numpy" and not twin and installed()
        loops = loops and sum(W.size for W in self.params.W[1:]) >= MANY
        kind = CompiledSteps if loops and compilable(self.neuron.surrogate) else ArraySteps
        given = self.rule, self.gain_limit, twin
        layers = [part_one_steps(kind, self.neuron, r, *given) for r in [""] * (N - 1) + [reads]]
        weights = map(Dense, self.params.W[1:])
        return Passes([None, *layers], [None, *weights], params, self.work)


@cache
def part_one_steps(
    kind: type[ArraySteps],
    neuron: LIF,
    reads: str,
    rule: str,
    gain_limit: float | None,
    twin: bool,
) -> ArraySteps:
    """Return the steps of a layer of Part I.

    Args:
        kind: on arrays, or compiled.
        neuron: constants and gate.
        reads: the states that the loss reads: ``"o"``, ``"ou"``, or ``""`` in a hidden layer.
        rule: a rule of Part I.
        gain_limit: see :func:`backward`.
        twin: whether outputs may be other numbers than 0 and 1.
    """
    net = network("1-1" if reads else "1-1-1", of_lif(neuron))
    back = steps_back(net, with_gain_limit(gain_limit, rule))[1]
    if "u" in reads:
        back = replace(back, leaving=[*back.leaving, Arrow("readout", "u", LOSS)])
    return kind(back, ("d_u", "d_u_owes") if rule == "classic" else ("d_u",), twin)
