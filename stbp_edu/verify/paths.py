"""Oracle by paths: every path from a node to the loss, and the sum of their products.

The graph is that of :mod:`stbp_edu.arrows.unrolled`, which walks it: one edge for each arrow of the
neuron's table. It shares no recursion with the package: each adjoint is summed by itself. The
gradients that follow from the adjoints are those of :func:`stbp_edu.arrows.adjoints.gradients`, so
of case 5 it checks the five cases and the programs, not ``arrows``. Whether that function and the
table are right is shown by ``finite_difference`` and ``autodiff``, which read neither.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows import part_one
from stbp_edu.arrows.adjoints import Lambda, LocalDerivatives, gradients
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.unrolled import Node, paths_from
from stbp_edu.arrows.unrolled import count_paths as count_kept
from stbp_edu.forward_pass import Adjoints, Trace
from stbp_edu.losses import RATE, Direct, LossLike, Rate
from stbp_edu.losses.of_states import direct_term
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Gradients, Params, by_name


def unroll(
    trace: Trace, targets: Array, params: Params, neuron: LIF, loss: LossLike = RATE
) -> LocalDerivatives:
    """Return the graph of a forward pass, with the direct term of the loss.

    Raises:
        TypeError, ValueError: if the arguments do not fit together, or the loss reads spikes and
            potentials at once.
    """
    term = direct_term(loss, trace, targets)
    if type(loss) is Rate:
        term = rate_slopes(trace.O[-1], targets)
    return part_one.as_local(trace, targets, params, neuron, term)


def rate_slopes(outputs: Any, targets: Any) -> Direct:
    """Return the direct term of the rate loss, written once more; letters work as well."""
    T, S, _ = outputs.shape
    misses = outputs.sum(axis=0) / T - targets
    return Direct(np.tile(misses / (T * S), (T, 1, 1)))


def count_paths(start: Node, graph: LocalDerivatives) -> int:
    """Return the number of paths from a node to the loss, without walking them."""
    count, _ = count_kept(graph.net, graph.T, "exact", start)
    return count


def derivatives(
    trace: Trace,
    targets: Array,
    params: Params,
    neuron: LIF,
    rule: str | Rule = "exact",
    loss: LossLike = RATE,
) -> Adjoints:
    """Return every δ and every ε, each summed over its own paths, and the gradients that follow.

    Args:
        trace: the forward pass; float64.
        targets: Y, shape (S, n[N]).
        params: the parameters of that pass.
        neuron: the neuron of that pass.
        rule: which paths to keep: a name in :data:`stbp_edu.arrows.RULES`, or a rule of your own.
        loss: a loss of :mod:`stbp_edu.losses`, or its direct term.

    Raises:
        TypeError, ValueError: if the arguments do not fit together, a node has too many paths, or
            the loss reads spikes and potentials at once.
    """
    graph = unroll(trace, targets, params, neuron, loss)
    rule = as_rule(rule)
    lam = summed(graph, rule, graph.net.states)
    delta, epsilon = ([None, *(of[k, rule.start] for of in lam[1:])] for k in "ou")
    layers = gradients(graph, lam, rule.start)
    return Adjoints(delta, epsilon, Gradients(**by_name(layers)))


def summed(
    graph: LocalDerivatives, rule: Rule, states: Sequence[Sequence[str]]
) -> Lambda:
    """Return the adjoints of these states of each layer, each entry summed over its own paths."""
    net = graph.net
    T, S = graph.direct.shape[:2]
    lam: Lambda = [{}]
    for n in range(1, net.N + 1):
        lam.append({})
        for state in states[n]:
            sums = np.zeros((T, S, net.sizes[n]))
            for t, s, i in np.ndindex(sums.shape):
                for path in paths_from(Node(state, n, t, i), graph, rule, s):
                    sums[t, s, i] += path.contribution
            lam[n][state, rule.start] = sums
    return lam
