"""What the explorer of the backward sweep shows: every cell with its formula and its numbers."""

from itertools import product
from typing import Any

from stbp_edu.arrows import Edge, Node
from stbp_edu.cases import case_at
from stbp_edu.plotting.graph import subscript
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.rules import RULES
from stbp_edu.verify.paths import edges_from, unroll

Json = dict[str, Any]


def sweep_data(net: ForwardPass) -> Json:
    """Return the cells of the first sample in the order of the sweep, for both rules.

    Steps are counted from 1, as on paper. A term is a list of factors (name, value), with the
    cell that it comes from.

    >>> from stbp_edu.practice.explorers.pencil_network import pencil
    >>> data = sweep_data(pencil())
    >>> [(c["t"], c["n"], c["case"]) for c in data["rules"]["exact"]][:3]
    [(3, 2, 1), (3, 1, 2), (2, 2, 3)]
    """
    T, S, N = net.shape
    return {
        "T": T,
        "S": S,
        "N": N,
        "sizes": list(net.params.sizes),
        "words": net.description,
        "rules": {rule: _cells(net, rule) for rule in RULES},
    }


def _cells(net: ForwardPass, rule: str) -> list[Json]:
    """Return every cell, with the terms and the values of δ and ε of each of its neurons."""
    (T, S, N), sweep, trace = net.shape, net.sweep(rule), net.trace
    graph = unroll(trace, net.targets, net.params, net.neuron)

    def value(node: Node) -> float:
        """Return δ of a spike, or ε of a potential."""
        of = sweep.delta if node.kind == "o" else sweep.epsilon
        return float(of[node.n][node.t, 0, node.i])

    def incoming(node: Node, letter: str) -> list[Any]:
        """Return name and value of the signal that comes back from a potential."""
        _, n, t, i, _ = node
        signal = value(node)
        if letter == "δ·h":
            signal = value(node._replace(kind="o")) * float(net.neuron.h(trace.U[n][t])[0, i])
        return [f"{letter}{subscript(i)}({t + 1},{n})", signal]

    def term(edge: Edge) -> Json:
        """Return the term of an arrow: what comes back over it, and its factor."""
        (_, n, t, i, _), target = edge.source, edge.target
        err = "ε" if rule == "exact" or edge.kind == "carry" else "δ·h"
        match edge.kind:
            case "readout":
                miss = float(net.targets[0, i] - trace.O[N][:, 0, i].mean())
                name, factors = "loss", [["-1/(TS)", -1 / (T * S)], ["y-rate", miss]]
            case "weight":
                weight = [f"w{subscript(target.i)}{subscript(i)}", float(edge.factor)]
                name, factors = "above", [incoming(target, err), weight]
            case "reset":
                df = ["f'", float(net.neuron.df(trace.O[n][t])[0, i])]
                u = ["u", float(trace.U[n][t, 0, i])]
                name, factors = "next step", [incoming(target, err), u, df]
            case "spike":
                name, factors = "own spike", [["δ", value(target)], ["h", float(edge.factor)]]
            case _:
                name, factors = "leak", [incoming(target, err), ["f", float(edge.factor)]]
        comes = (target.t + 1, target.n) if edge.kind not in ("readout", "spike") else None
        return {"name": name, "from": comes, "factors": factors}

    def neuron(n: int, t: int, i: int) -> Json:
        """Return the two sums of a neuron: one term for each arrow that leaves."""
        spike, potential = (Node(kind, n, t, i) for kind in "ou")
        terms = [
            [term(edge) for edge in sorted(edges_from(node, graph), key=lambda edge: edge.step)]
            for node in (spike, potential)
        ]
        return {
            **{"delta": terms[0], "epsilon": terms[1], "i": i + 1},
            **{"deltaValue": value(spike), "epsilonValue": value(potential)},
        }

    return [
        {
            **{"t": t + 1, "n": n, "case": case_at(t, n, T, N)},
            "neurons": [neuron(n, t, i) for i in range(net.params.sizes[n])],
        }
        for t, n in product(reversed(range(T)), reversed(range(1, N + 1)))
    ]
