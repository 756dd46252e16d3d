"""What the explorers of a network show: its graph, the sweep by cells, every path, and one neuron.

The graph is unrolled in time from one node on, with every neuron. Sweep and paths read the graph of
the arrows. All is that of the first sample; steps and neurons are counted from 1, as on paper. The
neuron lab has a neuron at every setting of its sliders, and every surrogate.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from stbp_edu.arrows import Edge, LocalDerivatives, Node, edges_from, paths_from
from stbp_edu.cases import CASE_RULES, case_at
from stbp_edu.forward_pass import Adjoints, forward
from stbp_edu.neuron import HARD_GATES, LIF
from stbp_edu.parameters import Params
from stbp_edu.plotting import drawing
from stbp_edu.plotting.case_grid import sweep_order
from stbp_edu.plotting.drawing import Drawing, DrawnArrow, Label, Laid
from stbp_edu.plotting.graph import edges_on, network_graph, subscript
from stbp_edu.plotting.palette import PHONE
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.surrogates import SURROGATES
from stbp_edu.verify.paths import unroll

Json = dict[str, Any]
COLUMN = 150  # pixels
BESIDE = 24  # pixels beside the outermost nodes on a phone, for the words of the rows
VALUES: dict[str, tuple[str, tuple[float, float]]] = {
    "o": ("end", (-20, -13)),
    "u": ("middle", (0, 34)),
    "L": ("start", (26, 5)),
}
"""Where the value of a node is written: its anchor, and how far from the node."""


def node_id(node: Node) -> str:
    """Return the name of a node: kind, layer, step, neuron, counted from 1."""
    if node.kind == "L":
        return "L"
    return f"{node.kind}-{node.n}-{node.t + 1}-{node.i + 1}"


def rounded(x: float) -> float:
    """Return six digits, which do not differ from machine to machine."""
    return float(f"{x:.6g}")


def picture(
    graph: LocalDerivatives, start: Node, factors: Mapping[Edge, str]
) -> Drawing:
    """Return the graph from a node on, with these factors, and with room for a value at each node.

    The node has the first step and the lowest layer.
    """
    arrows = [
        DrawnArrow(edge.source, edge.target, factor=factors.get(edge, ""))
        for edge in edges_on(graph, start)
    ]
    shown = network_graph(graph.net, arrows, start)
    kept = [
        Label(node.at, "−00/00", *VALUES[name.kind])
        for name, node in shown.nodes.items()
        if name.kind != "L"
    ]
    return replace(shown, kept=kept)


def wide(shown: Drawing) -> Laid:
    """Return a drawing as wide as its columns need."""
    columns = [node.at[0] for node in shown.nodes.values()]
    across = max(columns) - min(columns) or 1
    room = 2 * drawing.SIDE + (56 if shown.rows else 0)
    return Laid(shown, round(room + COLUMN * across))


def graph_data(net: ForwardPass, shown: Drawing) -> Json:
    """Return the graph of a network by its names, laid out wide and for a phone."""
    beside = BESIDE if shown.rows else drawing.SIDE
    return {
        "T": net.shape[0],
        "sizes": list(net.params.sizes),
        "words": net.description,
        "views": [wide(shown).data(), Laid(shown, PHONE, beside).data()],
        "nodes": [
            {"id": node_id(name), "label": node.label}
            for name, node in shown.nodes.items()
        ],
        "edges": [
            {"from": node_id(arrow.tail), "to": node_id(arrow.head)}
            for arrow in shown.arrows
        ],
    }


TAUS = (0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
THRESHOLDS = (0.5, 0.75, 1.0, 1.25, 1.5)
CURRENTS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 1.2)
WIDTHS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
STEPS = 15
DIGITS = 4


def sweep_data(net: ForwardPass) -> Json:
    """Return the cells in the order of the sweep, for both rules.

    A term is a list of factors (name, value), with the cell that it comes from.

    >>> from stbp_edu.explorers.pencil_network import pencil
    >>> data = sweep_data(pencil())
    >>> [(c["t"], c["n"], c["case"]) for c in data["rules"]["exact"]][:3]
    [(3, 2, 1), (3, 1, 2), (2, 2, 3)]
    """
    T, _, N = net.shape
    graph = unroll(net.trace, net.targets, net.params, net.neuron)
    rules = {}
    for rule in CASE_RULES:
        swept = net.sweep(rule)
        rules[rule] = [
            {
                "t": t,
                "n": n,
                "case": case_at(t - 1, n, T, N),
                "neurons": [
                    _neuron((n, t - 1, i), net, graph, swept, rule)
                    for i in range(net.params.sizes[n])
                ],
            }
            for t, n in sweep_order(T, N)
        ]
    return {
        "T": T,
        "N": N,
        "sizes": list(net.params.sizes),
        "words": net.description,
        "rules": rules,
    }


def _neuron(
    at: tuple[int, int, int],
    net: ForwardPass,
    graph: LocalDerivatives,
    swept: Adjoints,
    rule: str,
) -> Json:
    """Return the two sums of a neuron, with a term for each arrow that leaves its state."""
    nodes = {"delta": Node("o", *at), "epsilon": Node("u", *at)}
    sums = {}
    for name, node in nodes.items():
        edges = sorted(edges_from(node, graph), key=lambda edge: edge.step)
        sums[name] = [_term(edge, net, swept, rule) for edge in edges]
    values = {f"{name}Value": adjoint(swept, node) for name, node in nodes.items()}
    return {**sums, "i": at[2] + 1, **values}


def _term(edge: Edge, net: ForwardPass, swept: Adjoints, rule: str) -> Json:
    """Return the term that comes back over an arrow: the cell it comes from, and its factors."""
    _, n, t, i, _ = edge.source
    target = edge.target
    factor = float(edge.factor)
    if edge.kind == "readout":
        T, S, N = net.shape
        miss = float(net.targets[0, i] - net.trace.O[N][:, 0, i].mean())
        residual = [["−1/(TS)", -1 / (T * S)], ["(y − rate)", miss]]
        return {"from": None, "factors": residual}
    error = adjoint(swept, target)
    if edge.kind == "spike":
        return {"from": None, "factors": [["δ", error], ["h", factor]]}
    letter = "ε"
    # the classic rule passes on by its other arrows only what a potential has from its spike
    if rule == "classic" and edge.kind != "carry":
        letter = "δ·h"
        h = net.neuron.h(net.trace.U[target.n][target.t])
        error = adjoint(swept, target._replace(kind="o")) * float(h[0, target.i])
    place = f"{subscript(target.i)}({target.t + 1},{target.n})"
    factors = {
        "weight": [[f"w{subscript(target.i)}{subscript(i)}", factor]],
        "carry": [["f", factor]],
        "reset": [
            ["u", float(net.trace.U[n][t, 0, i])],
            ["f′", float(net.neuron.df(net.trace.O[n][t])[0, i])],
        ],
    }
    from_ = (target.t + 1, target.n)
    return {"from": from_, "factors": [[letter + place, error], *factors[edge.kind]]}


def adjoint(adjoints: Adjoints, node: Node) -> float:
    """Return δ of a spike, or ε of a potential."""
    of = adjoints.delta if node.kind == "o" else adjoints.epsilon
    return float(of[node.n][node.t, 0, node.i])


def paths_data(net: ForwardPass) -> Json:
    """Return the graph, and for each node its paths, the largest first.

    ``adjoint`` is δ or ε from the backward sweep, which the sum of all paths has to meet.

    >>> from stbp_edu.explorers.pencil_network import smooth
    >>> start = paths_data(smooth())["starts"]["o-2-2-1"]
    >>> total = sum(path["value"] for path in start["paths"])
    >>> len(start["paths"]), abs(total - start["adjoint"]) < 1e-15
    (2, True)
    """
    graph = unroll(net.trace, net.targets, net.params, net.neuron)
    exact = net.sweep("exact")
    shown = picture(graph, Node("u", n=1, t=0, i=0), {})
    starts = {
        node_id(node): {"adjoint": adjoint(exact, node), "paths": _paths(node, graph)}
        for node in shown.nodes
        if node.kind != "L"
    }
    return {**graph_data(net, shown), "starts": starts}


def _paths(start: Node, graph: LocalDerivatives) -> list[Json]:
    """Return every path from a node to the loss, the largest contribution first."""
    paths = paths_from(start, graph)
    paths.sort(key=lambda path: -abs(path.contribution))
    return [
        {
            "nodes": [*map(node_id, path.nodes)],
            "kinds": path.word,
            "factors": [float(edge.factor) for edge in path.edges],
            "value": float(path.contribution),
            "droppedBy": [rule for rule in CASE_RULES if path.dropped_by(rule)],
        }
        for path in paths
    ]


def lab_data() -> Json:
    """Return potentials and spikes for every setting, and every curve.

    >>> data = lab_data()
    >>> list(data["curves"]) == list(SURROGATES), len(data["runs"])
    (True, 480)
    """
    v = np.linspace(-3, 3, 121)
    curves = {
        name: [
            {
                "h": _few_digits(surrogate(width).derivative(v)),
                "H": _few_digits(surrogate(width).antiderivative(v)),
            }
            for width in WIDTHS
        ]
        for name, surrogate in SURROGATES.items()
    }
    spike = np.array([0.0, 1.0])
    weights = np.array(CURRENTS)[:, None]  # a neuron for each current
    params = Params(W=[None, weights], b=[None, np.zeros(len(CURRENTS))])
    runs = []
    for gate, tau, v_th in product(HARD_GATES, TAUS, THRESHOLDS):
        trace = forward(
            np.ones((STEPS, 1, 1)), params, LIF(tau=tau, v_th=v_th, gate=gate)
        )
        for u, o in zip(trace.U[1][:, 0].T, trace.O[1][:, 0].T, strict=True):
            runs.append({"u": _few_digits(u), "o": "".join(str(int(x)) for x in o)})
    return {
        "gates": list(HARD_GATES),
        "taus": TAUS,
        "thresholds": THRESHOLDS,
        "currents": CURRENTS,
        "widths": WIDTHS,
        "steps": STEPS,
        "f": [
            [_few_digits(LIF(tau, gate=gate).f(spike)) for tau in TAUS]
            for gate in HARD_GATES
        ],
        "runs": runs,
        "v": _few_digits(v),
        "curves": curves,
    }


def _few_digits(values: Any) -> list[float]:
    """Return floats with a few digits, to keep the file small."""
    return [float(x) for x in np.round(values, DIGITS)]
