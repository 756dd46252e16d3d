"""The forms under test: the package's own recursions, as results that an oracle can check."""

from dataclasses import dataclass
from itertools import product
from typing import Any

from stbp_edu import arrows, engine, network
from stbp_edu.arrays import by_layer
from stbp_edu.arrows import Node, part_one
from stbp_edu.arrows.neurons import from_lif
from stbp_edu.cases import case_at, scalar, sweep
from stbp_edu.checks import Array
from stbp_edu.engine import Program
from stbp_edu.losses import RATE, LossLike
from stbp_edu.network import Adjoints, Gradients, Params, Spike, Trace
from stbp_edu.neuron import LIF
from stbp_edu.rules import RULES
from stbp_edu.verify.comparison import Problem, at_every_node


@dataclass(frozen=True)
class Quantities:
    """What the index formulas read of one sample, as numbers or letters; indexed [n][t][i].

    Attributes:
        o, u: spikes and potentials; ``o[0]`` is the input.
        h, f, df: the surrogate at each u, the gate and its slope at each o.
        W: weights, indexed [n][i][j].
        y: the sample's target.
        S: number of samples in the batch.
        readout: ∂L/∂o_i^{t,N}, indexed [t][i], and
        graph: the graph to walk paths on; of letters alone.
    """

    o: Any
    u: Any
    h: Any
    f: Any
    df: Any
    W: Any
    y: Any
    S: int = 1
    readout: Any = None
    graph: Any = None

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


def scalar_sweep(net: Quantities, rule: str = "exact") -> dict[Node, Any]:
    """Return dL/d(node) of one sample by the index formulas of :mod:`stbp_edu.cases.scalar`.

    Numbers and symbols alike, in the order of the sweep. ``rule`` is "exact" or "classic".
    """
    T, N, found = net.T, net.N, dict[Node, Any]()

    def err(t: int, n: int, i: int) -> Any:
        """Return the signal that comes in from (t, n, i)."""
        if rule == "classic":
            return found[Node("o", n, t, i)] * net.h[n][t][i]
        return found[Node("u", n, t, i)]

    for t, n in product(range(T - 1, -1, -1), range(N, 0, -1)):
        for i in range(net.sizes[n]):
            above: Any
            case, carried = case_at(t, n, T, N), tuple[Any, ...]()
            if n < N:
                js = range(net.sizes[n + 1])
                above = [err(t, n + 1, j) for j in js], [net.W[n + 1][j][i] for j in js]
            else:
                own = net.y[i], [net.o[N][k][i] for k in range(T)], net.S
                above = own if case == 1 else [scalar.c1_delta(*own)]
            if t < T - 1:
                above = *above, err(t + 1, n, i), net.u[n][t][i], net.df[n][t][i]
                carried = found[Node("u", n, t + 1, i)], net.f[n][t][i]
            delta = getattr(scalar, f"c{case}_delta")(*above)
            epsilon = getattr(scalar, f"c{case}_epsilon")(delta, net.h[n][t][i], *carried)
            found[Node("o", n, t, i)], found[Node("u", n, t, i)] = delta, epsilon
    for n in range(1, N + 1):
        steps, (units, below) = range(T), (net.sizes[n], net.sizes[n - 1])
        over_time = [[found[Node("u", n, t, i)] for t in steps] for i in range(units)]
        for i in range(units):
            found[Node("b", n, i=i)] = scalar.c5_b(over_time[i])
        for i, j in product(range(units), range(below)):
            spikes = [net.o[n - 1][t][j] for t in steps]
            found[Node("W", n, i=i, j=j)] = scalar.c5_w(over_time[i], spikes)
    return found


def scalar_adjoints(
    trace: Trace, targets: Array, params: Params, neuron: LIF, rule: str = "exact"
) -> Adjoints:
    """Return every δ, every ε and both gradients of a whole batch by the index formulas."""
    T, S = network.check_trace(trace, params)
    of_sample = []
    for s in range(S):
        u, o = [None, *(u[:, s] for u in trace.U[1:])], [o[:, s] for o in trace.O]
        h, f, df = (
            [None, *map(function, states[1:])]
            for function, states in ((neuron.h, u), (neuron.f, o), (neuron.df, o))
        )
        net = Quantities(o, u, h, f, df, params.W, targets[s], S)
        of_sample.append(scalar_sweep(net, rule))

    def derivative(node: Node, s: int | None) -> Any:
        """Return dL/d(node), summed over all samples where none is named."""
        return sum(found[node] for found in of_sample) if s is None else of_sample[s][node]

    return at_every_node(derivative, params, T, S)


Forms = dict[str, Adjoints | Gradients]
"""Results of the package, by the name of the form."""


def all_forms(problem: Problem, rule: str, spike: Spike | None, loss: LossLike = RATE) -> Forms:
    """Return the results of the index formulas, the sweep, the engine and the program, by name.

    The five cases have a hard reset; with the soft one there are the last two alone. The index
    formulas and the program have the rate loss, and the former the two rules.
    """
    spikes, targets, params, neuron = problem
    rest, forms = (targets, params, neuron, rule), Forms()
    if neuron.gate != "soft":
        slow = network.forward(spikes, params, neuron, spike=spike)
        if loss is RATE and rule in RULES:
            forms["scalar"] = scalar_adjoints(slow, *rest)
        forms["vector"] = sweep(slow, *rest, loss)
    if loss is RATE:
        forms["program"] = by_program(problem, rule, "numpy", twin=spike is not None)
    fast = engine.forward(spikes, params, neuron, spike=spike)
    return {**forms, "engine": engine.backward(fast, *rest, loss)}


def by_program(problem: Problem, rule: str, backend: str, twin: bool = False) -> Gradients:
    """Return the gradients by the program that is derived from the neuron's forward lines."""
    spikes, targets, params, neuron = problem
    net = arrows.network(params.sizes, from_lif(neuron))
    program, given = Program(net, rule, backend, twin), by_layer(params)
    found = program.gradients(given, program.forward(given, spikes), targets)
    return Gradients(**part_one.by_name(found))
