"""The same mathematics at full speed: layer by layer, all time steps in one matrix product.

Layer n at every step needs only layer n - 1 at every step (forward) or layer n + 1 at every step
(backward). So the input of a layer for all T steps is one product of a (T·S, n[n-1]) matrix with
W^n, and W^n is read once instead of T times. What remains is elementwise and runs step by step:
see :mod:`stbp_edu.engine.array_steps`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrays import Workspace
from stbp_edu.arrows import hard_reset, network, soft_reset, with_gain_limit
from stbp_edu.arrows.lines.program import steps_back
from stbp_edu.arrows.table import LOSS, Arrow
from stbp_edu.checks import Array
from stbp_edu.convolution import AnyParams, ConvParams
from stbp_edu.engine.array_steps import ArraySteps
from stbp_edu.engine.compiled import WIDE, CompiledSteps, are_rare, correlate, installed
from stbp_edu.engine.curve_source import compilable
from stbp_edu.engine.threads import one_blas_thread
from stbp_edu.engine.weights import Dense, Weights, distinct_steps, weights_into
from stbp_edu.losses import RATE, LossLike
from stbp_edu.losses.reading import Built, Direct, checked, direct_term
from stbp_edu.network import Gradients, Params, Spike, Trace, check_spike, check_spikes, check_trace
from stbp_edu.neuron import LIF
from stbp_edu.rules import ABLATIONS, RULES, check_gain_limit

MANY = 50_000
"""Weights of a network below which operations on whole arrays take less time than compiling."""


def forward(
    spikes: Array,
    params: AnyParams,
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

    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> forward(np.ones((3, 1, 1)), p, LIF(tau=0.5, v_th=2.0)).O[1].ravel()
    array([0., 1., 0.])
    """
    check_spikes(spikes, params, _kind(params))
    checks.instance("neuron", neuron, LIF)
    check_spike(spike)
    return Engine(params, neuron, work=_workspace(workspace)).forward(spikes, spike)


def backward(
    trace: Trace,
    targets: Array | None,
    params: AnyParams,
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

    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> neuron = LIF(tau=0.5, v_th=2.0)
    >>> trace = forward(np.ones((3, 1, 1)), p, neuron)
    >>> backward(trace, np.array([[1.0]]), p, neuron).b[1].round(4)
    array([-0.2957])
    """
    _, S = check_trace(trace, params, _kind(params))
    checks.instance("neuron", neuron, LIF)
    checks.choice("rule", rule, RULES + ABLATIONS)
    read = checked(loss, trace, targets)
    binary = all(((o == 0) | (o == 1)).all() for O in trace.O[1:] for o in O)
    limit = check_gain_limit(gain_limit)
    engine = Engine(params, neuron, rule, _workspace(workspace), read, limit)
    return engine.gradients(trace, targets, S=S, binary=binary)


def _workspace(given: Workspace | None) -> Workspace:
    """Return the buffers to use: those that were given, or new ones."""
    return Workspace() if given is None else checks.instance("workspace", given, Workspace)


@dataclass(frozen=True)
class Engine:
    """The passes through one network, for a caller that has checked the arguments.

    With Numba they are compiled loops, in which a spike costs one row of weights and silence
    nothing, as long as spikes are rare and layers wide; without it, operations on whole arrays.

    Attributes:
        rule: what flows backward; see :func:`backward`.
        work: the buffers in which traces and gradients live.
        loss: a loss of :mod:`stbp_edu.losses`, or the direct term of another.
        gain_limit: see :func:`backward`.
        backend: ``"numpy"``, or ``"auto"``: compiled where that is possible.
    """

    params: AnyParams
    neuron: LIF
    rule: str = "exact"
    work: Workspace = field(default_factory=Workspace)
    loss: Built | Direct = RATE
    gain_limit: float | None = None
    backend: str = "auto"
    _rare: dict[int, tuple[Array, bool]] = field(default_factory=dict, init=False, repr=False)

    def forward(self, spikes: Array, spike: Spike | None = None) -> Trace:
        """Return what :func:`forward` returns."""
        T, S, _ = spikes.shape
        U: list[Any] = [None]
        O: list[Any] = [spikes]
        steps = self._steps("", twin=spike is not None)
        if spike is not None:
            v_th = self.neuron.v_th
            steps = replace(steps, fires=lambda v: spike(v + v_th))
        with one_blas_thread():
            for n in range(1, self.params.N + 1):
                b = self.params.b[n]
                u = self.work.array("U", n, (T, S, self.params.sizes[n]), b.dtype)
                o = self.work.array("O", n, u.shape, b.dtype)
                rare = isinstance(steps, CompiledSteps) and self._are_rare(n, O[n - 1])
                if not rare:
                    below = distinct_steps(O[n - 1])
                    self._weights(n).forward(below, u[: below.shape[0]])  # fwd-x, all steps at once
                    u[below.shape[0] :] = u[0]
                p = {"W": self.params.W[n], "b": np.tile(b, u.shape[2] // len(b))}
                steps.forward({"u": u, "o": o}, p, O[n - 1] if rare else None)
                U.append(u)
                O.append(o)
        return Trace(U=U, O=O)

    def gradients(
        self,
        trace: Trace,
        targets: Array | None,
        *,
        S: int,
        binary: bool = True,
        out: Gradients | None = None,
    ) -> Gradients:
        """Return what :func:`backward` returns.

        Args:
            trace: the forward pass, perhaps of some samples only.
            targets: Y of these samples.
            S: the number of samples that the loss averages.
            binary: whether every spike is 0 or 1, so that a straight line can replace the gate.
            out: where the gradients go, instead of the workspace.
        """
        W, N = self.params.W, self.params.N
        gW: list[Any] = [None] * (N + 1)
        gb: list[Any] = [None] * (N + 1)
        with one_blas_thread():
            for n, epsilon, _, of_b in self._down(trace, targets, S, binary):
                gW[n] = self.work.like("gW", n, W[n]) if out is None else out.W[n]
                self._weight_gradient(n, epsilon, trace.O[n - 1], gW[n], binary)
                by_position = of_b.reshape(-1, len(gW[n]))
                gb[n] = by_position.sum(axis=0, out=None if out is None else out.b[n])  # c5-b
        return Gradients(W=gW, b=gb)

    def input_gradient(self, trace: Trace, targets: Array) -> Array:
        """Return Σ_t δ^{t,0}, the derivative by an input that is the same at every step.

        δ of the input is that of case 2, δ^{t,0} = (W^1)ᵀ err^{t,1}, at every step: the input
        carries no potential on to the next one. The shape is (S, n[0]); spikes must be 0 or 1.
        """
        with one_blas_thread():
            *_, (_, _, err, _) = self._down(trace, targets, len(targets), binary=True)
            delta = np.empty((1, len(targets), self.params.sizes[0]), err.dtype)
            over_time = err.sum(axis=0, keepdims=True)
            self._weights(1).transpose(over_time, delta)  # c2-delta, c2-delta-classic
        return delta[0]

    def _weights(self, n: int) -> Weights:
        """Return the map from layer n - 1 to layer n."""
        return weights_into(self.params, n, self.work)

    def _steps(self, reads: str, twin: bool = False) -> ArraySteps:
        """Return the steps of a layer, of whose states the loss reads some."""
        small = sum(W.size for W in self.params.W[1:]) < MANY
        loops = not (twin or small or self.backend == "numpy") and installed()
        kind = CompiledSteps if loops and compilable(self.neuron.surrogate) else ArraySteps
        return part_one_steps(kind, self.neuron, self.rule, reads, self.gain_limit, twin)

    def _are_rare(self, n: int, below: Array) -> bool:
        """Return whether layer n goes through the spikes below one by one."""
        if len(self.params.b[n]) < WIDE or type(self._weights(n)) is not Dense:
            return False
        known = self._rare.get(n)
        if known is None or known[0] is not below:
            self._rare[n] = known = below, below.flags.c_contiguous and are_rare(below)
        return known[1]

    def _weight_gradient(
        self, n: int, epsilon: Array, spikes: Array, out: Array, binary: bool
    ) -> None:
        """Write the gradient of the weights of a layer."""
        loops = isinstance(self._steps("", twin=not binary), CompiledSteps)
        if loops and self._are_rare(n, spikes):
            correlate(spikes, epsilon, out)  # c5-w
            return
        below, error = distinct_steps(spikes), epsilon
        if below.shape[0] < len(epsilon):
            error = epsilon.sum(axis=0, keepdims=True)
        self._weights(n).gradient(error, below, out)  # c5-w

    def _down(
        self, trace: Trace, targets: Array | None, S: int, binary: bool
    ) -> Iterator[tuple[int, Array, Array, Array]]:
        """Yield n, ε, err and the sum of ε of each layer, from the last to the first."""
        N, dtype = self.params.N, self.params.dtype
        dL_do, dL_du = direct_term(self.loss, trace, targets, S)
        epsilon = self.work.array("epsilon", N, trace.O[N].shape, dtype)
        epsilon[...] = 0 if dL_do is None else dL_do  # the direct term
        for n in range(N, 0, -1):
            # The exact rule hands on ε itself; only the classic one needs a second buffer.
            classic = self.rule == "classic"
            err = self.work.array("err", n, epsilon.shape, dtype) if classic else None
            direct = dL_du if n == N else None
            steps = self._steps("" if n < N else "o" if direct is None else "ou", not binary)
            kept = [epsilon] if err is None else [epsilon, err]
            signals = {} if direct is None else {"signal_u": np.ascontiguousarray(direct)}
            sums = steps.backward(kept, {"u": trace.U[n], "o": trace.O[n]}, {}, signals)
            signal = epsilon if err is None else err
            yield n, epsilon, signal, sums["b"]
            if n > 1:
                epsilon = self.work.array("epsilon", n - 1, trace.O[n - 1].shape, dtype)
                self._weights(n).transpose(signal, epsilon)


@cache
def part_one_steps(
    kind: type[ArraySteps],
    neuron: LIF,
    rule: str,
    reads: str,
    gain_limit: float | None,
    twin: bool,
) -> ArraySteps:
    """Return the steps of a layer of Part I.

    Args:
        kind: on arrays, or compiled.
        neuron: constants and gate.
        rule: a rule of Part I.
        reads: the states that the loss reads: ``"o"``, ``"ou"``, or ``""`` in a hidden layer.
        gain_limit: see :func:`backward`.
        twin: whether outputs may be other numbers than 0 and 1.
    """
    derived = soft_reset(neuron) if neuron.gate == "soft" else hard_reset(neuron)
    net = network("1-1" if reads else "1-1-1", derived)
    back = steps_back(net, with_gain_limit(gain_limit, rule))[1]
    if "u" in reads:
        back = replace(back, leaving=[*back.leaving, Arrow("readout", "u", LOSS)])
    return kind(back, ("d_u", "d_u_owes") if rule == "classic" else ("d_u",), twin)


def _kind(params: Any) -> type:
    """Return the type to check parameters for: ``ConvParams`` if they are, else ``Params``."""
    return ConvParams if isinstance(params, ConvParams) else Params
