"""One sample's network, unrolled in time: its quantities and local derivatives.

As numbers, out of a forward pass, or as free symbols: f(o), f'(o), h(u), u, o, y and w are
then letters of which nothing is known, so that what holds for them holds for every network of
that shape. The edges of the graph, each with its local derivative, where the soft reset has -V_th
for u f':

=========  ==========================  ==================================
edge       from, to                    local derivative
=========  ==========================  ==================================
enter      w_ij^n or b_i^n → u_i^{t,n}  o_j^{t,n-1}, or 1
spike      u_i^{t,n} → o_i^{t,n}        h(u_i^{t,n})
carry      u_i^{t,n} → u_i^{t+1,n}      f(o_i^{t,n})
reset      o_i^{t,n} → u_i^{t+1,n}      u_i^{t,n} f'(o_i^{t,n})
weight     o_i^{t,n} → u_j^{t,n+1}      w_ji^{n+1}
readout    o_i^{t,N} → L                ∂L/∂o_i^{t,N}
membrane   u_i^{t,N} → L                ∂L/∂u_i^{t,N}, if the loss reads it
=========  ==========================  ==================================
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.losses import RATE, Direct, LossLike, Rate
from stbp_edu.losses.reading import checked, direct_term
from stbp_edu.network import Adjoints, Params, Trace, check_trace
from stbp_edu.neuron import LIF
from stbp_edu.verify import require
from stbp_edu.verify.coordinates import Coordinate, Node, at_every_coordinate


class Edge(NamedTuple):
    """One local derivative: factor = d target / d source; kind is its row in the table above."""

    kind: str
    source: Node
    target: Node
    factor: Any


MOST_SYMBOLS = 10_000
"""A symbolic network of more is refused: it would take hours."""


@dataclass(frozen=True)
class Unrolled:
    """The quantities and local derivatives of one sample, as numbers or as symbols.

    Attributes:
        sizes: widths (n[0], ..., n[N]).
        T: number of steps.
        S: number of samples in the batch.
        u: potentials, indexed [n][t][i].
        o: spikes, as ``u``; ``o[0]`` is the input.
        h: the surrogate at each u.
        f: the gate at each o.
        moved: what a spike moves at the next step: u, or -V_th under the soft reset.
        df: how fast: f' at each o, or 1.
        W: weights, indexed [n][i][j].
        y: the sample's target of the rate loss; None under another.
        readout: ∂L/∂o_i^{t,N}, indexed [t][i].
        membrane: ∂L/∂u_i^{t,N}, as ``readout``; None where the loss reads no potential.
    """

    sizes: tuple[int, ...]
    T: int
    S: int
    u: Any
    o: Any
    h: Any
    f: Any
    moved: Any
    df: Any
    W: Any
    y: Any
    readout: Any
    membrane: Any = None

    @property
    def N(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of layers, the input not counted."""
        return len(self.sizes) - 1


def unroll(
    trace: Trace,
    targets: Array,
    params: Params,
    neuron: LIF,
    s: int = 0,
    loss: LossLike = RATE,
) -> Unrolled:
    """Return sample ``s`` of a forward pass as numbers, with the direct term of the loss.

    Raises:
        TypeError, ValueError: if trace, targets and parameters do not fit together.
    """
    T, S = check_trace(trace, params)
    read = checked(loss, trace, targets)
    checks.instance("neuron", neuron, LIF)
    if not 0 <= s < S:
        raise ValueError(f"s must be a sample from 0 to {S - 1}, got {s}; pick one of the batch")
    U, O, rate = trace.U, trace.O, type(read) is Rate
    direct = rate_slopes(O[-1], targets) if rate else direct_term(read, trace, targets, S)
    resets = [neuron.resets(u[:, s], o[:, s]) for u, o in zip(U[1:], O[1:], strict=True)]
    return Unrolled(
        sizes=params.sizes,
        T=T,
        S=S,
        u=[None, *(u[:, s] for u in U[1:])],
        o=[o[:, s] for o in O],
        h=[None, *(neuron.h(u[:, s]) for u in U[1:])],
        f=[None, *(neuron.f(o[:, s]) for o in O[1:])],
        moved=[None, *(moved for moved, _ in resets)],
        df=[None, *(speed for _, speed in resets)],
        W=params.W,
        y=targets[s] if rate else None,
        readout=np.zeros_like(O[-1][:, s]) if direct.o is None else direct.o[:, s],
        membrane=None if direct.u is None else direct.u[:, s],
    )


def rate_slopes(outputs: Array, targets: Array) -> Direct:
    """Return the direct term of the rate loss, written once more."""
    T, S, _ = outputs.shape
    misses = outputs.sum(axis=0) / T - targets
    return Direct(np.tile(misses / (T * S), (T, 1, 1)))


def batch_adjoints(
    of_sample: Callable[[Unrolled], Callable[[Node], Any]],
    trace: Trace,
    targets: Array,
    params: Params,
    neuron: LIF,
    loss: LossLike = RATE,
) -> Adjoints:
    """Return every δ, every ε and both gradients of a batch, the gradients summed over samples.

    ``of_sample`` makes, for one sample's network, the function from a node to dL/d(node).
    """
    T, S = check_trace(trace, params)
    samples = [of_sample(unroll(trace, targets, params, neuron, s, loss)) for s in range(S)]

    def derivative(of: Coordinate) -> Any:
        """Return the derivative by one quantity."""
        if of.kind in ("W", "b"):
            i, j = of.at if of.kind == "W" else (*of.at, -1)
            return sum(sample(Node(of.kind.lower(), of.n, i=i, j=j)) for sample in samples)
        t, s, i = of.at
        return samples[s](Node(of.kind, of.n, t, i))

    return at_every_coordinate(derivative, params, T, S)


def edges_from(node: Node, net: Unrolled) -> Iterator[Edge]:
    """Yield every edge that leaves a node."""
    kind, n, t, i, j = node
    if kind in ("w", "b"):
        for step in range(net.T):
            factor = net.o[n - 1][step][j] if kind == "w" else 1
            yield Edge("enter", node, Node("u", n, step, i), factor)
    elif kind == "u":
        yield Edge("spike", node, Node("o", n, t, i), net.h[n][t][i])
        if t + 1 < net.T:
            yield Edge("carry", node, Node("u", n, t + 1, i), net.f[n][t][i])
        if n == net.N and net.membrane is not None:
            yield Edge("membrane", node, Node("L"), net.membrane[t][i])
    elif kind == "o":
        if t + 1 < net.T:
            factor = net.moved[n][t][i] * net.df[n][t][i]
            yield Edge("reset", node, Node("u", n, t + 1, i), factor)
        if n < net.N:
            for k in range(net.sizes[n + 1]):
                yield Edge("weight", node, Node("u", n + 1, t, k), net.W[n + 1][k][i])
        else:
            yield Edge("readout", node, Node("L"), net.readout[t][i])


def symbols(sizes: Sequence[int], T: int, *, soft: bool = False) -> Unrolled:
    """Return a network of free symbols, one sample, with indices counted from 1 as on paper.

    ``soft``: with the soft reset, so τ in place of every f(o), and -V_{th} · 1 of u · f'(o).

    The read-out is found by SymPy: the derivative of the loss, written in o and y.

    Raises:
        ImportError: if SymPy is not installed.
        TypeError, ValueError: if a size or T is no integer >= 1.

    >>> net = symbols([1, 1], T=2)
    >>> net.h[1][0][0], net.W[1][0][0], net.readout[1][0]
    (h(u_{1}^{1,1}), w_{11}^{1}, o_{1}^{1,1}/4 + o_{1}^{2,1}/4 - y_{1}/2)
    """
    sympy = require("sympy", "the symbolic proof")
    T = checks.count("T", T)
    widths = checks.widths("sizes", sizes, at_least=2)
    N = len(widths) - 1
    if (letters := 4 * T * sum(widths) + sum(a * b for a, b in pairwise(widths))) > MOST_SYMBOLS:
        raise ValueError(
            f"sizes and T must need at most {MOST_SYMBOLS} symbols, got {letters} for {widths} and "
            f"T = {T}; choose a smaller network"
        )

    def table(rows: int, columns: int, name: Callable[[int, int], str]) -> Any:
        """Return a symbol for every row and column, both counted from 1."""
        across, down = range(1, columns + 1), range(1, rows + 1)
        return np.array([[sympy.Symbol(name(a, b)) for b in across] for a in down])

    def layer(name: str, n: int) -> Any:
        """Return a symbol for every (t, i) of a layer, such as "u_{i}^{t,n}"."""
        return table(T, widths[n], lambda t, i: name.format(f"_{{{i}}}^{{{t},{n}}}"))

    def weights(n: int) -> Any:
        """Return the weights into layer ``n``, indexed [i][j]."""
        return table(widths[n], widths[n - 1], lambda i, j: f"w_{{{i}{j}}}^{{{n}}}")

    o = [layer("o{}", n) for n in range(N + 1)]
    y = table(1, widths[N], lambda _, i: f"y_{{{i}}}")[0]
    loss = sum((y - o[N].sum(axis=0) / T) ** 2) / 2
    slope = np.vectorize(lambda spike: sympy.expand(sympy.diff(loss, spike)), otypes=[object])
    names = {"u": "u{}", "h": "h(u{})", "f": "f(o{})", "df": "f'(o{})"}
    layers = {k: [None, *(layer(name, n) for n in range(1, N + 1))] for k, name in names.items()}
    layers["moved"] = layers["u"]
    if soft:
        tau, V, one = sympy.Symbol("τ"), sympy.Symbol("V_{th}"), sympy.Integer(1)
        for name, value in (("f", tau), ("moved", -V), ("df", one)):
            layers[name] = [None, *(np.full_like(u, value) for u in layers["u"][1:])]
    W = [None, *map(weights, range(1, N + 1))]
    return Unrolled(widths, T, S=1, o=o, W=W, y=y, readout=slope(o[N]), **layers)
