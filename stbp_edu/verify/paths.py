"""Oracle by paths: every path from a node to the loss, and the sum of their products.

The graph is that of :mod:`stbp_edu.arrows.unrolled`, which walks it: one edge for each arrow of the
neuron's table. It shares no backward pass with the package. Whether the table is right is shown by
``finite_difference`` and ``autodiff``, which do not read it.
"""

from itertools import product
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows import part_one
from stbp_edu.arrows.adjoints import LocalDerivatives
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.unrolled import Edge, Node, Path, edges_from, paths_from
from stbp_edu.arrows.unrolled import count_paths as count_kept
from stbp_edu.forward_pass import Adjoints, Trace, check_trace
from stbp_edu.losses import RATE, Direct, LossLike, Rate
from stbp_edu.losses.of_states import direct_term
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params
from stbp_edu.verify.comparison import at_every_node

__all__ = [
    "Edge",
    "Node",
    "Path",
    "count_paths",
    "derivatives",
    "edges_from",
    "paths_from",
    "unroll",
]


def unroll(
    trace: Trace, targets: Array, params: Params, neuron: LIF, loss: LossLike = RATE
) -> LocalDerivatives:
    """Return the graph of a forward pass, with the direct term of the loss.

    Raises:
        TypeError, ValueError: if the arguments do not fit together, or the loss reads spikes and
            potentials at once.
    """
    check_trace(trace, params)
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
    """Return every δ, every ε and both gradients, each summed over its own paths.

    Args:
        trace: the forward pass; float64.
        targets: Y, shape (S, n[N]).
        params: the parameters of that pass.
        neuron: the neuron of that pass.
        rule: which paths to keep: a name in :data:`stbp_edu.arrows.RULES`, or a rule of your own.
        loss: a loss of :mod:`stbp_edu.losses`, or its direct term.

    Raises:
        TypeError, ValueError: if the arguments do not fit together, or a node has too many paths.
    """
    T, S = check_trace(trace, params)
    direct = direct_term(loss, trace, targets)
    parts: tuple[LossLike, ...] = (loss,)
    if direct.o is not None and direct.u is not None:  # the sum of two losses
        parts = Direct(direct.o), Direct(None, direct.u)
    graphs = [unroll(trace, targets, params, neuron, part) for part in parts]

    def derivative(node: Node, s: int | None) -> Any:
        """Return dL/d(node), summed over all samples where none is named."""
        samples = range(S) if s is None else [s]
        kept: list[Path] = []
        for graph, sample in product(graphs, samples):
            kept += paths_from(node, graph, rule, sample)
        return sum(path.contribution for path in kept)

    return at_every_node(derivative, params, T, S)
