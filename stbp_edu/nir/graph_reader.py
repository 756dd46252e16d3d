"""A graph of NIR as a network."""

from typing import Any

import nir
import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.derived import derive
from stbp_edu.neuron import LIF
from stbp_edu.nir.constants import DT, Discrete, scaled
from stbp_edu.nir.graph_writer import recurrent_edges
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
    if surrogate is None:
        surrogate = LIF().surrogate
    layers: list[Any] = [None]
    neurons: list[AnyNeuron] = []
    names = _chain(graph)
    for below, own in zip(names[::2], names[1::2], strict=True):
        weights = graph.nodes[below]
        node, again = _neurons_of(graph, own)
        found = _discrete(own, node, dt)
        layer = scaled(_arrays(weights, again), found.gain)
        neuron, each = _neuron(found, surrogate, layer["W"].dtype)
        layers.append({**layer, **each})
        neurons.append(neuron)
    params = Params(**by_name(layers))
    if _are_alike(neurons):
        return params, neurons[0]
    return params, neurons


def _are_alike(neurons: list[AnyNeuron]) -> bool:
    """Return whether all layers have one kind of neuron."""
    first = as_neuron(neurons[0])
    for neuron in neurons:
        table = as_neuron(neuron)
        if table.lines != first.lines or table.each != first.each:
            return False
    return True


def _chain(graph: nir.NIRGraph) -> list[str]:
    """Return the names of the nodes between Input and Output, in their order."""
    edges = sorted(set(graph.edges))
    chain = _from_the_input(graph, dict(edges))
    whole = len(chain) == len(graph.nodes) == len(edges) + 1
    in_pairs = len(chain) >= 4 and len(chain) % 2 == 0
    if not whole or not in_pairs or not isinstance(graph.nodes[chain[-1]], nir.Output):
        shown = ", ".join(f"{a} to {b}" for a, b in edges)
        raise ValueError(
            "graph must be one chain of Input, then weights and neurons for each layer, then "
            f"Output, got the edges {shown} between {_kinds(graph)}; "
            "networks that branch or merge are not of this kind"
        )
    inside = chain[1:-1]
    for k, name in enumerate(inside):
        if k % 2 == 0:
            _check_kind(graph, name, WEIGHTS)
        else:
            _check_kind(graph, name, (*NEURONS, nir.NIRGraph))
    return inside


def _check_kind(graph: nir.NIRGraph, name: str, kinds: tuple[Any, ...]) -> None:
    """Raise ValueError if a node is of none of these kinds."""
    node = graph.nodes[name]
    if not isinstance(node, kinds):
        known = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(
            f"graph node {name!r} must be {known} there, got {type(node).__name__}; this "
            "package has fully connected layers of neurons"
        )


def _from_the_input(graph: nir.NIRGraph, following: dict[str, str]) -> list[str]:
    """Return the input and the nodes behind it, as far as edges lead, or until they repeat."""
    inputs = _of_kind(graph, nir.Input)
    if not inputs:
        return []
    last = inputs[0]
    chain = [last]
    while last in following and len(chain) <= len(graph.nodes):
        last = following[last]
        chain.append(last)
    return chain


def _of_kind(graph: nir.NIRGraph, kind: Any) -> list[str]:
    """Return the names of the nodes of a kind, or of one of several."""
    return [name for name, node in graph.nodes.items() if isinstance(node, kind)]


def _kinds(graph: nir.NIRGraph) -> list[str]:
    """Return the kind of each node, for an error."""
    return [type(node).__name__ for node in graph.nodes.values()]


def _neurons_of(graph: nir.NIRGraph, name: str) -> tuple[Any, Any]:
    """Return the neurons of a node, and their weights to themselves, or None."""
    node = graph.nodes[name]
    if not isinstance(node, nir.NIRGraph):
        return node, None
    neurons = _of_kind(node, NEURONS)
    weights = _of_kind(node, WEIGHTS)
    if len(neurons) == len(weights) == 1 and len(node.nodes) == 4:
        own, again = neurons[0], weights[0]
        expected = recurrent_edges(own, again)
        if set(node.edges) == set(expected):
            return node.nodes[own], node.nodes[again]
    raise ValueError(
        f"graph node {name!r} must be neurons with weights to themselves, got "
        f"{_kinds(node)} and the edges {sorted(node.edges)}; other "
        "graphs in a graph are not of this kind"
    )


def _arrays(weights: Any, again: Any) -> dict[str, Array]:
    """Return the arrays of a layer by name; ``again`` has its recurrent weights, or is None."""
    W = np.asarray(weights.weight)
    b = getattr(weights, "bias", np.zeros(len(W)))
    arrays = {"W": W}
    if again is not None:
        arrays["R"] = np.asarray(again.weight)
        b = b + getattr(again, "bias", 0.0)
    arrays["b"] = np.asarray(b)
    return arrays


def _discrete(name: str, node: Any, dt: float) -> Discrete:
    """Return the constants of a node's steps of length dt."""
    _check_rest(name, node)
    v_th = getattr(node, "v_threshold", None)
    if v_th is not None:
        v_th = np.asarray(v_th, float)
    r = np.asarray(node.r, float)
    if isinstance(node, nir.IF | nir.I):
        return Discrete(
            tau=np.ones(len(r)),
            v_th=v_th,
            alpha=None,
            gain=dt * r,
        )
    if isinstance(node, nir.CubaLIF | nir.CubaLI):
        share = _share(name, node.tau_mem, dt)
        slow = _share(name, node.tau_syn, dt)
        w_in = np.asarray(node.w_in)
        return Discrete(
            tau=1 - share,
            v_th=v_th,
            alpha=1 - slow,
            gain=share * r * slow * w_in,
        )
    share = _share(name, node.tau, dt)
    return Discrete(
        tau=1 - share,
        v_th=v_th,
        alpha=None,
        gain=share * r,
    )


def _check_rest(name: str, node: Any) -> None:
    """Raise ValueError if a node's neurons do not leak to 0, or are not reset to 0."""
    for what in ("v_leak", "v_reset"):
        values = np.asarray(getattr(node, what, 0.0))
        if values.any():
            raise ValueError(
                f"graph node {name!r} must leak and be reset to 0, got {what} {values.max():g}; "
                "shift its potentials"
            )


def _share(name: str, tau: Any, dt: float) -> Array:
    """Return dt/τ, without what the division that made τ of it has added.

    So a neuron gets τ = 0.8, and not 0.8000000000000002.
    """
    share = dt / np.asarray(tau, float)
    leaks = (share > 0) & (share < 1)
    if not leaks.all():
        raise ValueError(
            f"graph node {name!r} must have tau > dt = {dt:g} s, got {np.min(tau):g}; pass the dt "
            "that it was made for"
        )
    near = 1 - np.round(1 - share, 12)
    added = np.abs(near - share)
    return np.where(added <= 1e-9 * share, near, share)


def _neuron(
    found: Discrete, surrogate: Surrogate, dtype: Any
) -> tuple[AnyNeuron, dict[str, Array]]:
    """Return the neuron of a layer, and the constants that differ between its neurons."""
    constants = {"tau": found.tau, "v_th": found.v_th, "alpha": found.alpha}
    each: dict[str, Array] = {}
    first: dict[str, Any] = {}
    for name, values in constants.items():
        if values is None:
            continue
        first[name] = float(values.flat[0])
        if np.ptp(values):
            each[name] = values.astype(dtype)
    if not each and {*first} == {"tau", "v_th"}:
        return LIF(gate="linear", surrogate=surrogate, **first), {}
    lines = _lines_of(found)
    return derive(lines, surrogate=surrogate, learn_each=[*each], **first), each


def _lines_of(found: Discrete) -> str:
    """Return the forward lines of a neuron with these constants."""
    lines, driving, kept = [], "x", "tau * u"
    if found.alpha is not None:
        lines.append("i = alpha * i + x")
        driving = "i"
    if found.v_th is not None:
        kept = "tau * u * (1 - o)"
    lines.append(f"u = {kept} + {driving}")
    if found.v_th is not None:
        lines.append("o = spike(u - v_th)")
    return "\n".join(lines)
