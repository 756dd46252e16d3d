"""The five cases with indices i and j, for one sample s; and the sweep over all of them.

Every formula computes one number for one neuron i. Arguments are numbers or sequences of
numbers over the index that the formula sums; symbols work as well as floats. ``err`` is the
incoming signal: ε for the exact rule, δ · h(u) for the classic one.

| name          | meaning                                                         |
|---------------|-----------------------------------------------------------------|
| ``y``         | y_i, the target                                                 |
| ``o``         | o_i^{k,N} for k = 1..T: the output spikes of neuron i           |
| ``S``         | number of samples in the batch                                  |
| ``h``         | h(u_i^{t,n} - V_th), the surrogate of ∂g/∂u_i^{t,n}             |
| ``err_above`` | err_j^{t,n+1} for every j                                       |
| ``w_to``      | w_{ji}^{n+1} for every j: the weights from i to each j          |
| ``err_next``  | err_i^{t+1,n}                                                   |
| ``u``, ``df`` | u_i^{t,n} and f'(o_i^{t,n})                                     |
| ``f``         | f(o_i^{t,n})                                                    |
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.cases.vector import CASE_RULES, case_at, check_reset
from stbp_edu.forward_pass import Adjoints, Trace, check_trace
from stbp_edu.losses import RATE
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Gradients, Params

Scalar = Any
"""A float, a NumPy scalar or a SymPy expression."""


def c1_delta(y: Scalar, o: Sequence[Scalar], S: int) -> Scalar:
    """Return δ_i^{T,N} = -1/(TS) · (y_i - 1/T Σ_k o_i^{k,N}).

    >>> c1_delta(y=1.0, o=[0.0, 1.0], S=1)
    -0.25
    """
    T = len(o)
    return -(y - sum(o) / T) / (T * S)  # c1-delta


def c1_epsilon(delta: Scalar, h: Scalar) -> Scalar:
    """Return ε_i^{T,N} = δ_i^{T,N} · h.

    >>> c1_epsilon(delta=-0.25, h=0.5)
    -0.125
    """
    return delta * h  # c1-epsilon


def c2_delta(err_above: Sequence[Scalar], w_to: Sequence[Scalar]) -> Scalar:
    """Return δ_i^{T,n} = Σ_j err_j^{T,n+1} · w_{ji}^{n+1}.

    >>> c2_delta(err_above=[1.0, 2.0], w_to=[0.5, -1.0])
    -1.5
    """
    return sum(e * w for e, w in zip(err_above, w_to, strict=True))  # c2-delta, c2-delta-classic


def c2_epsilon(delta: Scalar, h: Scalar) -> Scalar:
    """Return ε_i^{T,n} = δ_i^{T,n} · h.

    >>> c2_epsilon(delta=-1.5, h=0.5)
    -0.75
    """
    return delta * h  # c2-epsilon


def c3_delta(direct: Scalar, err_next: Scalar, u: Scalar, df: Scalar) -> Scalar:
    """Return δ_i^{t,N} = ∂L/∂o_i^{t,N} + err_i^{t+1,N} · u_i^{t,N} · f'(o_i^{t,N}).

    The rate loss has the same ``direct``, ∂L/∂o_i^{t,N}, at every step: it is δ_i^{T,N}.

    >>> c3_delta(direct=-0.25, err_next=0.5, u=2.0, df=-1.0)
    -1.25
    """
    return direct + err_next * u * df  # c3-delta, c3-delta-classic


def c3_epsilon(delta: Scalar, h: Scalar, epsilon_next: Scalar, f: Scalar) -> Scalar:
    """Return ε_i^{t,N} = δ_i^{t,N} · h + ε_i^{t+1,N} · f(o_i^{t,N}).

    >>> c3_epsilon(delta=-1.25, h=0.5, epsilon_next=0.5, f=0.25)
    -0.5
    """
    return delta * h + epsilon_next * f  # c3-epsilon


def c4_delta(
    err_above: Sequence[Scalar], w_to: Sequence[Scalar], err_next: Scalar, u: Scalar, df: Scalar
) -> Scalar:
    """Return δ_i^{t,n} = Σ_j err_j^{t,n+1} w_{ji}^{n+1} + err_i^{t+1,n} u_i^{t,n} f'(o_i^{t,n}).

    >>> c4_delta(err_above=[1.0, 2.0], w_to=[0.5, -1.0], err_next=0.5, u=2.0, df=-1.0)
    -2.5
    """
    above = sum(e * w for e, w in zip(err_above, w_to, strict=True))
    return above + err_next * u * df  # c4-delta, c4-delta-classic


def c4_epsilon(delta: Scalar, h: Scalar, epsilon_next: Scalar, f: Scalar) -> Scalar:
    """Return ε_i^{t,n} = δ_i^{t,n} · h + ε_i^{t+1,n} · f(o_i^{t,n}).

    >>> c4_epsilon(delta=-2.5, h=0.5, epsilon_next=0.5, f=0.25)
    -1.125
    """
    return delta * h + epsilon_next * f  # c4-epsilon


def c5_b(epsilon: Sequence[Scalar]) -> Scalar:
    """Return ∂L/∂b_i^n = Σ_t ε_i^{t,n}, for one sample; add the samples up.

    >>> c5_b(epsilon=[0.5, -0.25])
    0.25
    """
    return sum(epsilon)  # c5-b


def c5_w(epsilon: Sequence[Scalar], o_below: Sequence[Scalar]) -> Scalar:
    """Return ∂L/∂w_{ij}^n = Σ_t ε_i^{t,n} · o_j^{t,n-1}, for one sample; add the samples up.

    >>> c5_w(epsilon=[0.5, -0.25], o_below=[1.0, 0.0])
    0.5
    """
    return sum(e * o for e, o in zip(epsilon, o_below, strict=True))  # c5-w


@dataclass(frozen=True)
class Sample:
    """What the formulas read of one sample, as numbers or letters; indexed [n][t][i].

    Attributes:
        o, u: spikes and potentials; ``o[0]`` is the input.
        h, f, df: the surrogate at each u, the gate and its slope at each o.
        W: weights, indexed [n][i][j].
        y: the sample's target.
        S: number of samples in the batch.
    """

    o: Any
    u: Any
    h: Any
    f: Any
    df: Any
    W: Any
    y: Any
    S: int = 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """Widths (n[0], ..., n[N])."""
        return tuple(len(o[0]) for o in self.o)

    @property
    def T(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of steps."""
        return len(self.o[0])

    @property
    def N(self) -> int:  # noqa: N802
        """Number of layers, the input not counted."""
        return len(self.o) - 1


def sweep(
    trace: Trace, targets: Array, params: Params, neuron: LIF, rule: str = "exact"
) -> Adjoints:
    """Return every δ, every ε and both gradients of a forward pass, one sample after the other.

    Arguments and errors are those of :func:`stbp_edu.cases.sweep`, but the loss is the rate loss,
    and the rule "exact" or "classic".
    """
    _, S = check_trace(trace, params, neuron)
    RATE.check(trace, targets)
    check_reset(neuron)
    found = []
    for s in range(S):
        u: list[Any] = [None, *(u[:, s] for u in trace.U[1:])]
        o = [o[:, s] for o in trace.O]
        h, f, df = (
            [None, *map(function, states[1:])]
            for function, states in ((neuron.h, u), (neuron.f, o), (neuron.df, o))
        )
        found.append(of_sample(Sample(o, u, h, f, df, params.W, targets[s], S), rule))

    def layers(array: Callable[[int], Any]) -> list[Any]:
        """Return an array for each layer."""
        return [None, *(array(n).astype(params.dtype) for n in range(1, params.N + 1))]

    return Adjoints(
        delta=layers(lambda n: np.stack([one.delta[n] for one in found], axis=1)),
        epsilon=layers(lambda n: np.stack([one.epsilon[n] for one in found], axis=1)),
        gradients=Gradients(
            W=layers(lambda n: sum(one.gradients.W[n] for one in found)),
            b=layers(lambda n: sum(one.gradients.b[n] for one in found)),
        ),
    )


def of_sample(net: Sample, rule: str = "exact") -> Adjoints:
    """Return every δ and ε of one sample, in arrays (T, n[n]), and what it adds to the gradients.

    ``rule`` is "exact" or "classic". The arrays hold whatever the sample does: numbers or letters.
    """
    checks.choice("rule", rule, CASE_RULES)
    sizes, N, T = net.sizes, net.N, net.T
    delta: list[Any] = [None, *(np.empty((T, m), object) for m in sizes[1:])]
    epsilon: list[Any] = [None, *(np.empty((T, m), object) for m in sizes[1:])]

    def err(t: int, n: int, i: int) -> Scalar:
        """Return the signal that comes in from (t, n, i)."""
        return delta[n][t, i] * net.h[n][t][i] if rule == "classic" else epsilon[n][t, i]

    def above(t: int, n: int, i: int) -> tuple[list[Scalar], list[Scalar]]:
        """Return the signal of each neuron j above, and the weight to it."""
        js = range(sizes[n + 1])
        return [err(t, n + 1, j) for j in js], [net.W[n + 1][j][i] for j in js]

    direct = [c1_delta(net.y[i], net.o[N][:, i], net.S) for i in range(sizes[N])]
    for t, n in product(reversed(range(T)), reversed(range(1, N + 1))):
        for i in range(sizes[n]):
            u, h, f, df = (factors[n][t][i] for factors in (net.u, net.h, net.f, net.df))
            match case_at(t, n, T, N):
                case 1:
                    d = direct[i]
                    e = c1_epsilon(d, h)
                case 2:
                    d = c2_delta(*above(t, n, i))
                    e = c2_epsilon(d, h)
                case 3:
                    d = c3_delta(direct[i], err(t + 1, n, i), u, df)
                    e = c3_epsilon(d, h, epsilon[n][t + 1, i], f)
                case 4:
                    d = c4_delta(*above(t, n, i), err(t + 1, n, i), u, df)
                    e = c4_epsilon(d, h, epsilon[n][t + 1, i], f)
            delta[n][t, i], epsilon[n][t, i] = d, e
    W: list[Any] = [None, *(np.empty((m, k), object) for k, m in pairwise(sizes))]
    b: list[Any] = [None, *(np.empty(m, object) for m in sizes[1:])]
    for n in range(1, N + 1):
        for i in range(sizes[n]):
            b[n][i] = c5_b(epsilon[n][:, i])
            for j in range(sizes[n - 1]):
                W[n][i, j] = c5_w(epsilon[n][:, i], net.o[n - 1][:, j])
    return Adjoints(delta, epsilon, Gradients(W, b))
