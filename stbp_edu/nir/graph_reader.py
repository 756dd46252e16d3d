"""A graph of NIR as a network."""

from typing import Any

import nir
import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.derived import derive
from stbp_edu.neuron import LIF
from stbp_edu.nir.constants import DT, Discrete
from stbp_edu.nir.graph_writer import RECURRENT
from stbp_edu.parameters import Params, by_name
from stbp_edu.surrogates import Surrogate

WEIGHTS = (nir.Affine, nir.Linear)
NEURONS = (nir.LIF, nir.IF, nir.CubaLIF, nir.LI, nir.I, nir.CubaLI)


def from_graph(
    graph: nir.NIRGraph, surrogate: Surrogate | None = None, dt: float = DT
) -> tuple[Params, AnyNeuron | list[AnyNeuron]]:
    """Return the network of a graph: its parameters, and its neuron, or a list of one a layer.

    Constants that are not the same in a layer become parameters that each neuron learns.

    Args:
        graph: a chain of weights (Affine or Linear) and neurons (LIF, IF, CubaLIF, LI, I, CubaLI),
            one after the other; neurons may have recurrent weights, in a graph in the graph.
        surrogate: the curve h, which a graph does not hold; the default of :class:`LIF` where
            None.
        dt: the length of a step in seconds; > 0.

    Raises:
        TypeError: if it is not a graph.
        ValueError: if it is not such a chain, has a node that this package does not, or its neurons
            are not at rest at 0.

    >>> from stbp_edu.nir import to_graph
    >>> params = Params(W=[None, np.array([[1.0, 2.0]])], b=[None, np.array([0.5])])
    >>> graph = to_graph(params, LIF(tau=0.75, v_th=1.0, gate="linear"))
    >>> found, neuron = from_graph(graph)
    >>> found.W[1], neuron.tau, neuron.v_th
    (array([[1., 2.]]), 0.75, 1.0)
    """
    checks.instance("graph", graph, nir.NIRGraph)
    dt = checks.number("dt", dt, positive=True)
    surrogate = LIF().surrogate if surrogate is None else surrogate
    layers: list[Any] = [None]
    neurons: list[AnyNeuron] = []
    chain = _chain(graph)
    for (_, weights), (name, node) in zip(chain[::2], chain[1::2], strict=True):
        again = None
        if isinstance(node, nir.NIRGraph):
            node, again = _parts(name, node)
        found = _discrete(name, node, dt)
        kind = np.asarray(weights.weight).dtype
        neuron, own = _neuron(found, surrogate, kind)
        layer = {
            "W": weights.weight,
            "b": getattr(weights, "bias", np.zeros(len(weights.weight))),
        }
        if again is not None:
            layer["R"] = again.weight
            layer["b"] = layer["b"] + getattr(again, "bias", 0.0)
        factors = {"W": found.gain[:, None], "R": found.gain[:, None], "b": found.gain}
        scaled = {
            key: (np.asarray(a) * factors[key]).astype(kind) for key, a in layer.items()
        }
        layers.append({**scaled, **own})
        neurons.append(neuron)
    tables = [as_neuron(neuron) for neuron in neurons]
    kinds = [(table.lines, table.each) for table in tables]
    same = all(kind == kinds[0] for kind in kinds)
    return Params(**by_name(layers)), neurons[0] if same else neurons


def _chain(graph: nir.NIRGraph) -> list[tuple[str, Any]]:
    """Return the nodes between Input and Output by name, in their order."""
    edges = sorted(set(graph.edges))
    following = dict(edges)
    names = graph.nodes.items()
    name = next((name for name, node in names if isinstance(node, nir.Input)), None)
    chain: list[tuple[str, Any]] = []
    while name in following and len(chain) <= len(graph.nodes):
        name = following[name]
        chain.append((name, graph.nodes[name]))
    whole = len(chain) == len(edges) == len(graph.nodes) - 1 and len(chain) % 2 == 1
    if not whole or len(chain) < 3 or not isinstance(chain[-1][1], nir.Output):
        found = [type(node).__name__ for node in graph.nodes.values()]
        raise ValueError(
            "graph must be one chain of Input, then weights and neurons for each layer, then "
            f"Output, got the edges {', '.join(f'{a} to {b}' for a, b in edges)} between {found}; "
            "networks that branch or merge are not of this kind"
        )
    for k, (name, node) in enumerate(chain[:-1]):
        kinds = (*NEURONS, nir.NIRGraph) if k % 2 else WEIGHTS
        if not isinstance(node, kinds):
            named = " or ".join(kind.__name__ for kind in kinds)
            raise ValueError(
                f"graph node {name!r} must be {named} there, got {type(node).__name__}; this "
                "package has fully connected layers of neurons"
            )
    return chain[:-1]


def _parts(name: str, graph: nir.NIRGraph) -> tuple[Any, Any]:
    """Return the neurons of a graph in the graph, and their weights to themselves."""
    nodes = [*graph.nodes.values()]
    neurons = [key for key, node in graph.nodes.items() if isinstance(node, NEURONS)]
    weights = [key for key, node in graph.nodes.items() if isinstance(node, WEIGHTS)]
    if len(neurons) == len(weights) == 1 and len(nodes) == 4:
        named = {"neuron": neurons[0], "w_rec": weights[0]}
        edges = {(named.get(a, a), named.get(b, b)) for a, b in RECURRENT}
        if edges == {*graph.edges}:
            return graph.nodes[neurons[0]], graph.nodes[weights[0]]
    raise ValueError(
        f"graph node {name!r} must be neurons with weights to themselves, got "
        f"{[type(node).__name__ for node in nodes]} and the edges {sorted(graph.edges)}; other "
        "graphs in a graph are not of this kind"
    )


def _discrete(name: str, node: Any, dt: float) -> Discrete:
    """Return the constants of a node's steps of length dt."""
    for what in ("v_leak", "v_reset"):
        values = np.asarray(getattr(node, what, 0.0))
        if values.any():
            raise ValueError(
                f"graph node {name!r} must leak and be reset to 0, got {what} {values.max():g}; "
                "shift its potentials"
            )
    v_th = getattr(node, "v_threshold", None)
    v_th = None if v_th is None else np.asarray(v_th, float)
    r = np.asarray(node.r, float)
    if isinstance(node, nir.IF | nir.I):
        return Discrete(np.ones(len(r)), v_th, None, dt * r)
    if isinstance(node, nir.CubaLIF | nir.CubaLI):
        share, slow = _share(name, node.tau_mem, dt), _share(name, node.tau_syn, dt)
        return Discrete(
            1 - share, v_th, 1 - slow, share * r * slow * np.asarray(node.w_in)
        )
    share = _share(name, node.tau, dt)
    return Discrete(1 - share, v_th, None, share * r)


def _share(name: str, tau: Any, dt: float) -> Array:
    """Return dt/τ, without what the division that made τ of it has added.

    So a neuron gets τ = 0.8, and not 0.8000000000000002.
    """
    share = dt / np.asarray(tau, float)
    if not ((share > 0) & (share < 1)).all():
        raise ValueError(
            f"graph node {name!r} must have tau > dt = {dt:g} s, got {np.min(tau):g}; pass the dt "
            "that it was made for"
        )
    near = 1 - np.round(1 - share, 12)
    return np.where(np.abs(near - share) <= 1e-9 * share, near, share)


def _neuron(
    found: Discrete, surrogate: Surrogate, dtype: Any
) -> tuple[AnyNeuron, dict[str, Array]]:
    """Return the neuron of a layer, and the constants that differ between its neurons."""
    named = {"tau": found.tau, "v_th": found.v_th, "alpha": found.alpha}
    given = {name: values for name, values in named.items() if values is not None}
    each = {k: values.astype(dtype) for k, values in given.items() if np.ptp(values)}
    first: Any = {name: float(values.flat[0]) for name, values in given.items()}
    if not each and {*given} == {"tau", "v_th"}:
        return LIF(gate="linear", surrogate=surrogate, **first), {}
    lines = []
    if found.alpha is not None:
        lines.append("i = alpha * i + x")
    kept = "tau * u" if found.v_th is None else "tau * u * (1 - o)"
    lines.append(f"u = {kept} + {'x' if found.alpha is None else 'i'}")
    if found.v_th is not None:
        lines.append("o = spike(u - v_th)")
    neuron = derive("\n".join(lines), surrogate=surrogate, learn_each=[*each], **first)
    return neuron, each
