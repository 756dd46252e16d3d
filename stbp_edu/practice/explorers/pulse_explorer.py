"""What the explorer of the error pulse shows: one pulse that runs back from the loss to a node."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows import Node
from stbp_edu.network import Params, forward
from stbp_edu.neuron import LIF
from stbp_edu.plotting.palette import TERMS
from stbp_edu.practice.explorers.pulse_picture import Layout, node_id
from stbp_edu.practice.explorers.pulse_steps import SYMBOLS, Writer
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.rules import RULES
from stbp_edu.surrogates import Rectangle
from stbp_edu.verify.paths import edges_from, paths_from, unroll

Json = dict[str, Any]
FIRST = Node("o", n=1, t=0, i=0)


def one_neuron() -> ForwardPass:
    """Return one neuron for three steps: four paths lead from its first spike to the loss."""
    neuron = LIF(tau=0.5, v_th=1.0, surrogate=Rectangle(a=4 / 3), gate="linear")
    params = Params(W=[None, np.array([[0.5, 0.125]])], b=[None, np.array([0.0])])
    spikes = np.array([[[1.0, 0.0]], [[1.0, 0.0]], [[1.0, 1.0]]])
    trace = forward(spikes, params, neuron)
    words = "linear gate, τ = 1/2, V_th = 1, rectangle of width 4/3"
    return ForwardPass(trace, np.array([[1.0]]), params, neuron, words)


def pulse_data(
    net: ForwardPass,
    start: Node = FIRST,
    rules: Sequence[str] = RULES,
    rule: str = "exact",
) -> Json:
    """Return the graph from a node on, with every step of the pulse, for each of the rules.

    The paths are those of the first sample. Steps and neurons are counted from 1, as on paper.

    Args:
        net: the network, small: every path is walked.
        start: the spike or potential that the pulse runs back to.
        rules: the rules to choose from.
        rule: the one that is shown first.

    Raises:
        ValueError: if the network has no such node, or there is no such rule.

    >>> data = pulse_data(one_neuron())
    >>> [data["rules"][rule]["arrived"] for rule in ("exact", "classic")]
    [4, 3]
    """
    for name in (*rules, rule):
        checks.choice("rule", name, tuple(rules) if name == rule else RULES)
    graph = unroll(net.trace, net.targets, net.params, net.neuron)
    checks.choice("start kind", checks.instance("start", start, Node).kind, ("o", "u"))
    paths = paths_from(start, graph)
    layout = Layout(graph, start)
    edges = [edge for node in layout.nodes for edge in edges_from(node, graph)]
    writer = Writer(graph, start, paths, edges)
    return {
        "T": graph.T,
        "sizes": list(graph.net.sizes),
        "words": net.description,
        "size": [layout.width, layout.height],
        "axes": layout.axes(),
        "nodes": [
            {"id": node_id(n), "kind": n.kind, "at": layout.at[n], "label": writer.letter(n)}
            for n in (*layout.nodes, Node("L"))
        ],
        "edges": [
            {
                "from": node_id(e.source),
                "to": node_id(e.target),
                "symbol": SYMBOLS[e.kind],
                "colour": TERMS[e.kind],
                "d": layout.curve(e),
                "head": layout.head(e),
                "mid": layout.middle(e),
                "beside": layout.beside(e),
            }
            for e in edges
        ],
        "used": sorted({edges.index(edge) for path in paths for edge in path.edges}),
        "start": node_id(start),
        "goal": writer.name(start),
        "rule": rule,
        "rules": {name: writer.rule(name) for name in rules},
    }
