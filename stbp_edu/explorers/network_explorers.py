"""What the explorers of a network show: the sweep, cell by cell, every path, and one neuron.

Sweep and paths read the graph of the arrows. All is that of the first sample; steps and neurons
are counted from 1, as on paper. The neuron lab has a neuron at every setting of its sliders, and
every surrogate.
"""

from itertools import product
from typing import Any

import numpy as np

from stbp_edu.arrows import Edge, Node
from stbp_edu.case_rules import CASE_RULES
from stbp_edu.cases import case_at
from stbp_edu.explorers.widget import Json, node_id, picture, views
from stbp_edu.forward_pass import forward
from stbp_edu.neuron import HARD_GATES, LIF
from stbp_edu.parameters import Params
from stbp_edu.plotting.graph import subscript
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.surrogates import SURROGATES
from stbp_edu.verify.paths import Path, edges_from, paths_from, unroll

TAUS = (0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
THRESHOLDS = (0.5, 0.75, 1.0, 1.25, 1.5)
CURRENTS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 1.2)
WIDTHS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
STEPS = 15
DIGITS = 4
OFF = {"no-reset": "reset", "no-leak": "carry"}
SWITCHES = ("", " no-leak", " no-reset", " no-reset no-leak")
SETTINGS = [f"{rule}{off}" for rule, off in product(CASE_RULES, SWITCHES)]
"""What the switches of the paths can be set to: a rule, and what is off, ``"classic no-leak"``."""


def sweep_data(net: ForwardPass) -> Json:
    """Return the cells in the order of the sweep, for both rules.

    A term is a list of factors (name, value), with the cell that it comes from.

    >>> from stbp_edu.explorers.pencil_network import pencil
    >>> data = sweep_data(pencil())
    >>> [(c["t"], c["n"], c["case"]) for c in data["rules"]["exact"]][:3]
    [(3, 2, 1), (3, 1, 2), (2, 2, 3)]
    """
    T, _, N = net.shape
    return {
        "T": T,
        "N": N,
        "sizes": list(net.params.sizes),
        "words": net.description,
        "rules": {rule: _cells(net, rule) for rule in CASE_RULES},
    }


def _cells(net: ForwardPass, rule: str) -> list[Json]:
    """Return every cell, with the terms and the values of δ and ε of each of its neurons."""
    T, S, N = net.shape
    sweep = net.sweep(rule)
    trace = net.trace
    graph = unroll(trace, net.targets, net.params, net.neuron)
    adjoints = {"o": sweep.delta, "u": sweep.epsilon}

    def value(node: Node) -> float:
        """Return δ of a spike, or ε of a potential."""
        return float(adjoints[node.kind][node.n][node.t, 0, node.i])

    def incoming(node: Node, whole: bool = rule == "exact") -> list[Any]:
        """Return name and value of the signal that comes back from a potential: ε, or δ ⊙ h."""
        place = f"{subscript(node.i)}({node.t + 1},{node.n})"
        if whole:
            return [f"ε{place}", value(node)]
        h = net.neuron.h(trace.U[node.n][node.t])
        return [f"δ·h{place}", value(node._replace(kind="o")) * float(h[0, node.i])]

    def factors(edge: Edge) -> list[list[Any]]:
        """Return the error that comes back over an arrow, and its factor."""
        _, n, t, i, _ = edge.source
        target = edge.target
        factor = float(edge.factor)
        match edge.kind:
            case "readout":
                rate = trace.O[N][:, 0, i].mean()
                miss = float(net.targets[0, i] - rate)
                return [["-1/(TS)", -1 / (T * S)], ["y-rate", miss]]
            case "weight":
                w = f"w{subscript(target.i)}{subscript(i)}"
                return [incoming(target), [w, factor]]
            case "reset":
                u = float(trace.U[n][t, 0, i])
                df = net.neuron.df(trace.O[n][t])
                return [incoming(target), ["u", u], ["f'", float(df[0, i])]]
            case "spike":
                return [["δ", value(target)], ["h", factor]]
            case _:
                return [incoming(target, whole=True), ["f", factor]]

    def terms(node: Node) -> list[Json]:
        """Return a term for each arrow that leaves a node."""
        found = []
        for edge in sorted(edges_from(node, graph), key=lambda edge: edge.step):
            cell = None
            if edge.kind not in ("readout", "spike"):
                cell = (edge.target.t + 1, edge.target.n)
            found.append({"from": cell, "factors": factors(edge)})
        return found

    def neuron(n: int, t: int, i: int) -> Json:
        """Return the two sums of a neuron."""
        spike = Node("o", n, t, i)
        potential = Node("u", n, t, i)
        return {
            "delta": terms(spike),
            "epsilon": terms(potential),
            "i": i + 1,
            "deltaValue": value(spike),
            "epsilonValue": value(potential),
        }

    cells: list[Json] = []
    for t in reversed(range(T)):
        for n in reversed(range(1, N + 1)):
            case = case_at(t, n, T, N)
            neurons = [neuron(n, t, i) for i in range(net.params.sizes[n])]
            cells.append({"t": t + 1, "n": n, "case": case, "neurons": neurons})
    return cells


def paths_data(net: ForwardPass) -> Json:
    """Return nodes, edges, and for each node its paths, their contributions and every total.

    ``adjoint`` is δ or ε from the backward sweep, which the sum of all paths has to meet. A total
    is what one of ``SETTINGS`` keeps.

    >>> from stbp_edu.explorers.pencil_network import smooth
    >>> start = paths_data(smooth())["starts"]["o-2-2-1"]
    >>> len(start["paths"]), abs(start["totals"]["exact"] - start["adjoint"]) < 1e-15
    (2, True)
    """
    graph = unroll(net.trace, net.targets, net.params, net.neuron)
    exact = net.sweep("exact")
    adjoints = {"o": exact.delta, "u": exact.epsilon}
    shown = picture(graph, Node("u", n=1, t=0, i=0), {})
    nodes = [node for node in shown.nodes if node.kind != "L"]
    listed = []
    starts = {}
    for node in nodes:
        listed.append(
            {
                "id": node_id(node),
                "kind": node.kind,
                "n": node.n,
                "i": node.i + 1,
                "t": node.t + 1,
            }
        )
        adjoint = adjoints[node.kind][node.n][node.t, 0, node.i]
        kept = _kept(paths_from(node, graph))
        starts[node_id(node)] = {"adjoint": float(adjoint), **kept}
    return {
        "T": graph.T,
        "sizes": list(graph.net.sizes),
        "words": net.description,
        "views": views(shown),
        "nodes": listed,
        "edges": [
            {"from": node_id(arrow.tail), "to": node_id(arrow.head)}
            for arrow in shown.arrows
        ],
        "starts": starts,
    }


def _kept(paths: list[Path]) -> Json:
    """Return the paths of one node, the largest first, and what each setting keeps of them."""
    paths = sorted(paths, key=lambda path: -abs(path.contribution))
    whole = sum(abs(float(path.contribution)) for path in paths) or 1.0
    totals = {}
    for setting in SETTINGS:
        kept = [path.contribution for path in paths if _keeps(setting, path)]
        totals[setting] = float(sum(kept))
    listed = []
    for path in paths:
        value = float(path.contribution)
        listed.append(
            {
                "nodes": [node_id(node) for node in path.nodes],
                "kinds": [edge.kind for edge in path.edges],
                "factors": [float(edge.factor) for edge in path.edges],
                "value": value,
                "share": abs(value) / whole,
                "kept": [setting for setting in SETTINGS if _keeps(setting, path)],
            }
        )
    return {"totals": totals, "paths": listed}


def _keeps(setting: str, path: Path) -> bool:
    """Return whether a setting keeps a path."""
    rule, *off = setting.split()
    if path.dropped_by(rule):
        return False
    return not any(OFF[switch] in path.word for switch in off)


def lab_data() -> Json:
    """Return potentials and spikes for every setting, and every curve.

    >>> data = lab_data()
    >>> list(data["curves"]) == list(SURROGATES), len(data["runs"])
    (True, 480)
    """
    v = np.linspace(-3, 3, 121)
    curves = {}
    for name, surrogate in SURROGATES.items():
        of_widths = []
        for width in WIDTHS:
            curve = surrogate(width)
            h = _rounded(curve.derivative(v))
            of_widths.append({"h": h, "H": _rounded(curve.antiderivative(v))})
        curves[name] = of_widths
    spike = np.array([0.0, 1.0])
    f = []
    for gate in HARD_GATES:
        neurons = [LIF(tau, gate=gate) for tau in TAUS]
        f.append([_rounded(neuron.f(spike)) for neuron in neurons])
    settings = product(HARD_GATES, TAUS, THRESHOLDS, CURRENTS)
    return {
        "gates": list(HARD_GATES),
        "taus": list(TAUS),
        "thresholds": list(THRESHOLDS),
        "currents": list(CURRENTS),
        "widths": list(WIDTHS),
        "steps": STEPS,
        "f": f,
        "runs": [_run(*setting) for setting in settings],
        "v": _rounded(v),
        "curves": curves,
    }


def _run(gate: str, tau: float, v_th: float, current: float) -> Json:
    """Return one neuron under a constant input."""
    neuron = LIF(tau=tau, v_th=v_th, gate=gate)
    params = Params(W=[None, np.array([[current]])], b=[None, np.zeros(1)])
    trace = forward(np.ones((STEPS, 1, 1)), params, neuron)
    u = trace.U[1].ravel()
    o = trace.O[1].ravel()
    spikes = [str(int(spike)) for spike in o]
    return {"u": _rounded(u), "o": "".join(spikes)}


def _rounded(values: Any) -> list[float]:
    """Return floats with a few digits, to keep the file small."""
    return [float(x) for x in np.round(values, DIGITS)]
