"""What the explorer of paths shows: the unrolled graph, and every path from a node to the loss."""

from itertools import product
from typing import Any

from stbp_edu.arrows import LocalDerivatives, Node
from stbp_edu.practice.explorers.widget import node_id, picture, views
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.rules import RULES
from stbp_edu.verify.paths import Path, paths_from, unroll

Json = dict[str, Any]


def paths_data(net: ForwardPass) -> Json:
    """Return nodes, edges, and for each node its paths, their contributions and every total.

    The paths are those of the first sample. Steps and neurons are counted from 1, as on paper.
    ``adjoint`` is δ or ε from the backward sweep, which the sum of all paths has to meet.

    >>> from stbp_edu.practice.explorers.pencil_network import smooth
    >>> start = paths_data(smooth())["starts"]["o-2-2-1"]
    >>> len(start["paths"]), abs(start["totals"]["exact"] - start["adjoint"]) < 1e-15
    (2, True)
    """
    graph = unroll(net.trace, net.targets, net.params, net.neuron)
    exact = net.sweep("exact")
    adjoints = {"o": exact.delta, "u": exact.epsilon}
    shown = picture(graph, Node("u", n=1, t=0, i=0), {})
    nodes = [node for node in shown.nodes if node.kind != "L"]
    return {
        "T": graph.T,
        "N": graph.net.N,
        "sizes": list(graph.net.sizes),
        "words": net.description,
        "views": views(shown),
        "nodes": [
            {"id": node_id(node), "kind": node.kind, "n": node.n, "i": node.i + 1, "t": node.t + 1}
            for node in nodes
        ],
        "edges": [{"from": node_id(a.tail), "to": node_id(a.head)} for a in shown.arrows],
        "starts": {
            node_id(node): _start(
                node, graph, float(adjoints[node.kind][node.n][node.t, 0, node.i])
            )
            for node in nodes
        },
    }


def key(rule: str, reset: bool, leak: bool) -> str:
    """Return the name of a setting of the switches: ``"exact"``, ``"classic no-leak"``, and so on.

    >>> key("classic", True, False)
    'classic no-leak'
    """
    return rule + ("" if reset else " no-reset") + ("" if leak else " no-leak")


def _start(node: Node, graph: LocalDerivatives, adjoint: float) -> Json:
    """Return the paths of one node, the largest first, and what each setting keeps of them."""
    paths = sorted(paths_from(node, graph), key=lambda p: -abs(p.contribution))
    whole = sum(abs(float(p.contribution)) for p in paths) or 1.0
    settings = {key(*s): s for s in product(RULES, (True, False), (True, False))}
    return {
        "adjoint": adjoint,
        "totals": {
            name: float(sum(p.contribution for p in paths if _kept(p, *setting)))
            for name, setting in settings.items()
        },
        "paths": [
            {
                "nodes": [node_id(n) for n in p.nodes],
                "kinds": [e.kind for e in p.edges],
                "factors": [float(e.factor) for e in p.edges],
                "value": float(p.contribution),
                "share": abs(float(p.contribution)) / whole,
                "kept": [name for name, setting in settings.items() if _kept(p, *setting)],
            }
            for p in paths
        ],
    }


def _kept(path: Path, rule: str, reset: bool, leak: bool) -> bool:
    """Return whether a setting keeps a path."""
    kinds = {edge.kind for edge in path.edges}
    cut = (not reset and "reset" in kinds) or (not leak and "carry" in kinds)
    return not cut and not path.dropped_by(rule)
