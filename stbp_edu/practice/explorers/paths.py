"""What the explorer of paths shows: the unrolled graph, and every path from a node to the loss."""

from __future__ import annotations

from itertools import product
from typing import Any

from stbp_edu.cases import sweep
from stbp_edu.checks import Array
from stbp_edu.network import Params, Trace
from stbp_edu.neuron import LIF
from stbp_edu.verify.paths import Path, paths_from
from stbp_edu.verify.unrolled import Node, Unrolled, edges_from, unroll

Json = dict[str, Any]


def paths_data(
    trace: Trace, targets: Array, params: Params, neuron: LIF, words: str = "", s: int = 0
) -> Json:
    """Return nodes, edges, and for each node its paths, their contributions and every total.

    Steps and neurons are counted from 1, as on paper. ``adjoint`` is δ or ε from the backward
    sweep, which the sum of all paths has to meet.

    >>> from stbp_edu.practice.explorers.pencil import smooth
    >>> e = smooth()
    >>> data = paths_data(e.trace, e.targets, e.params, e.neuron)
    >>> start = data["starts"]["o-2-1-2"]
    >>> len(start["paths"]), abs(start["totals"]["exact"] - start["adjoint"]) < 1e-15
    (2, True)
    """
    net = unroll(trace, targets, params, neuron, s)
    adjoints = sweep(trace, targets, params, neuron)
    known = {"o": adjoints.delta, "u": adjoints.epsilon}
    nodes = [
        Node(kind, n, i, t)
        for t in range(net.T)
        for n in range(1, net.N + 1)
        for i in range(net.sizes[n])
        for kind in "uo"
    ]
    return {
        "T": net.T,
        "N": net.N,
        "sizes": list(net.sizes),
        "words": words,
        "nodes": [_node(node) for node in nodes],
        "edges": [
            {"from": _id(e.source), "to": _id(e.target), "kind": e.kind, "factor": float(e.factor)}
            for node in nodes
            for e in edges_from(node, net)
        ],
        "starts": {
            _id(node): _start(node, net, float(known[node.kind][node.n][node.t, s, node.i]))
            for node in nodes
        },
    }


def key(rule: str, reset: bool, leak: bool) -> str:
    """Name a setting of the switches: ``"exact"``, ``"classic no-leak"``, and so on.

    >>> key("classic", True, False)
    'classic no-leak'
    """
    return rule + ("" if reset else " no-reset") + ("" if leak else " no-leak")


def _start(node: Node, net: Unrolled, adjoint: float) -> Json:
    """Return the paths of one node, the largest first, and what each setting keeps of them."""
    paths = sorted(paths_from(node, net), key=lambda p: -abs(p.contribution))
    settings = list(product(("exact", "classic"), (True, False), (True, False)))
    totals = {
        key(*setting): float(sum(p.contribution for p in paths if _kept(p, *setting)))
        for setting in settings
    }
    whole = sum(abs(float(p.contribution)) for p in paths)
    return {
        "adjoint": adjoint,
        "totals": totals,
        "paths": [
            {
                "nodes": [_id(n) for n in p.nodes],
                "kinds": [e.kind for e in p.edges],
                "factors": [float(e.factor) for e in p.edges],
                "value": float(p.contribution),
                "share": abs(float(p.contribution)) / whole if whole else 0.0,
                "kept": [key(*setting) for setting in settings if _kept(p, *setting)],
            }
            for p in paths
        ],
    }


def _kept(path: Path, rule: str, reset: bool, leak: bool) -> bool:
    """Whether a setting keeps a path."""
    kinds = {edge.kind for edge in path.edges}
    cut = (not reset and "reset" in kinds) or (not leak and "carry" in kinds)
    return not cut and not path.dropped_by(rule)


def _id(node: Node) -> str:
    """Name a node: kind, layer, neuron, step."""
    return "L" if node.kind == "L" else f"{node.kind}-{node.n}-{node.i + 1}-{node.t + 1}"


def _node(node: Node) -> Json:
    """Return where a node stands in the graph."""
    return {"id": _id(node), "kind": node.kind, "n": node.n, "i": node.i + 1, "t": node.t + 1}
