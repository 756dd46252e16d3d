"""A network as a graph of NIR."""

from collections.abc import Sequence
from typing import Any

import nir
import numpy as np

from stbp_edu._support import checks
from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.derived import derive
from stbp_edu.neuron import LIF
from stbp_edu.nir.nodes import (
    DT,
    NEURONS,
    ByNeuron,
    constants_of,
    constants_of_node,
    lines_of,
    node_of,
    scaled,
)
from stbp_edu.parameters import Params, by_layer, by_name
from stbp_edu.surrogates import Surrogate


def to_graph(
    params: Params, neuron: AnyNeuron | Sequence[AnyNeuron], dt: float = DT
) -> nir.NIRGraph:
    """Return the network as a graph: Input, weights and neurons for each layer, then Output.

    Weights are scaled so that readers find the resistance that they expect: r = 1 in LIF and LI,
    and in the others that which leaves the weights as they are. ``graph.metadata["dt"]`` is dt.

    Args:
        params: weights and biases, recurrent weights, and constants that were learned.
        neuron: one for all layers; a list of two, the second for the last layer, as
            ``Settings.make_neurons`` returns them; or a list with one for each layer.
        dt: the length of a step in seconds; > 0.

    Raises:
        TypeError, ValueError: if an argument is none of these, or NIR has no such neuron.

    >>> from stbp_edu import LIF, Params
    >>> params = Params(W=[None, np.array([[1.0, 2.0]])], b=[None, np.array([0.5])])
    >>> graph = to_graph(params, LIF(tau=0.75, v_th=1.0, gate="linear"))
    >>> list(graph.nodes), graph.nodes["affine"].weight.tolist()
    (['input', 'affine', 'lif', 'output'], [[4.0, 8.0]])
    """
    checks.instance("params", params, Params)
    dt = checks.number("dt", dt, positive=True)
    layers = by_layer(params)[1:]
    neurons: Any = neuron if isinstance(neuron, list | tuple) else [neuron, neuron]
    if len(neurons) == 2:
        neurons = [neurons[0]] * (len(layers) - 1) + [neurons[1]]
    if len(neurons) != len(layers):
        raise ValueError(
            f"neuron must be one, a list of two, or one for each of {len(layers)} layers, got "
            f"{len(neurons)}; the second of two is the last layer's"
        )
    nodes: list[Any] = [nir.Input({"input": np.array([params.sizes[0]])})]
    for n, (layer, own) in enumerate(zip(layers, neurons, strict=True), 1):
        if layer["W"].ndim != 2:
            raise ValueError(
                f"params must be of fully connected layers for NIR, and layer {n} is a convolution;"
                " train one without"
            )
        constants = constants_of(own, layer)
        node, factor = node_of(constants, dt, recurrent="R" in layer)
        arrays = scaled(layer, constants["gain"] / factor)
        if "R" in arrays:
            node = with_itself(node, nir.Linear(weight=arrays["R"]))
        nodes += [nir.Affine(weight=arrays["W"], bias=arrays["b"]), node]
    graph = nir.NIRGraph.from_list(nodes)
    graph.metadata["dt"] = dt
    return graph


def with_itself(node: nir.NIRNode, again: nir.NIRNode) -> nir.NIRGraph:
    """Return neurons with recurrent weights: a graph as snnTorch writes it."""
    size = np.array([len(again.weight)])
    nodes = {
        "input": nir.Input({"input": size}),
        "neuron": node,
        "w_rec": again,
        "output": nir.Output({"output": size}),
    }
    return nir.NIRGraph(nodes=nodes, edges=recurrent_edges("neuron", "w_rec"))


def recurrent_edges(neuron: str, weights: str) -> list[tuple[str, str]]:
    """Return the edges of neurons with weights to themselves, as snnTorch writes them."""
    return [
        ("input", neuron),
        (neuron, weights),
        (weights, neuron),
        (neuron, "output"),
    ]


WEIGHTS = (nir.Affine, nir.Linear)


def from_graph(
    graph: nir.NIRGraph, surrogate: Surrogate | None = None, dt: float | None = None
) -> tuple[Params, AnyNeuron | list[AnyNeuron]]:
    """Return the network of a graph: its parameters, and its neuron, or a list of one a layer.

    Constants that are not the same in a layer become parameters that each neuron learns.

    Args:
        graph: a chain of weights (Affine or Linear) and neurons (LIF, IF, CubaLIF, LI, I, CubaLI),
            one after the other; neurons may have recurrent weights, in a graph in the graph.
        surrogate: the curve h, which a graph does not hold; the default of :class:`LIF` where
            None.
        dt: the length of a step in seconds, > 0; where None, the one that ``graph.metadata`` names,
            or 0.1 ms.

    Raises:
        TypeError: if it is not a graph.
        ValueError: if it is not such a chain, has a node that this package does not, or its neurons
            are not at rest at 0.

    >>> from stbp_edu.nir import to_graph
    >>> params = Params(W=[None, np.array([[1.0, 2.0]])], b=[None, np.array([0.5])])
    >>> graph = to_graph(params, LIF(tau=0.75, v_th=1.0, gate="linear"), dt=1e-3)
    >>> found, neuron = from_graph(graph)
    >>> found.W[1], neuron.tau, neuron.v_th
    (array([[1., 2.]]), 0.75, 1.0)
    """
    checks.instance("graph", graph, nir.NIRGraph)
    dt = graph.metadata.get("dt", DT) if dt is None else dt
    dt = checks.number("dt", dt, positive=True)
    layers: list[Any] = [None]
    neurons: list[AnyNeuron] = []
    names = chain_of(graph)
    for below, own in zip(names[::2], names[1::2], strict=True):
        node, again = parts_of(graph, own)
        constants = constants_of_node(own, node, dt)
        layer = scaled(weights_of(graph.nodes[below], again), constants.pop("gain"))
        each = {
            k: a.astype(layer["W"].dtype) for k, a in constants.items() if np.ptp(a)
        }
        layers.append({**layer, **each})
        neurons.append(neuron_with(constants, [*each], surrogate or LIF().surrogate))
    params = Params(**by_name(layers))
    kinds = [as_neuron(one) for one in neurons]
    if all(one.lines == kinds[0].lines and one.each == kinds[0].each for one in kinds):
        return params, neurons[0]
    return params, neurons


def neuron_with(
    constants: ByNeuron, each: list[str], surrogate: Surrogate
) -> AnyNeuron:
    """Return a neuron with these constants, of which those in ``each`` differ in its layer."""
    first: dict[str, Any] = {
        name: float(values.flat[0]) for name, values in constants.items()
    }
    if not each and {*first} == {"tau", "v_th"}:
        return LIF(gate="linear", surrogate=surrogate, **first)
    return derive(lines_of(constants), surrogate=surrogate, learn_each=each, **first)


def chain_of(graph: nir.NIRGraph) -> list[str]:
    """Return the names of the nodes between Input and Output, in their order."""
    edges = sorted(set(graph.edges))
    following = dict(edges)
    chain = [name for name, node in graph.nodes.items() if isinstance(node, nir.Input)]
    while chain and chain[-1] in following and len(chain) <= len(graph.nodes):
        chain.append(following[chain[-1]])
    whole = len(chain) == len(graph.nodes) == len(edges) + 1
    in_pairs = len(chain) >= 4 and len(chain) % 2 == 0
    if not whole or not in_pairs or not isinstance(graph.nodes[chain[-1]], nir.Output):
        shown = ", ".join(f"{a} to {b}" for a, b in edges)
        raise ValueError(
            "graph must be one chain of Input, then weights and neurons for each layer, then "
            f"Output, got the edges {shown} between {kinds_in(graph)}; "
            "networks that branch or merge are not of this kind"
        )
    for k, name in enumerate(chain[1:-1]):
        known: Any = (*NEURONS, nir.NIRGraph) if k % 2 else WEIGHTS
        node = graph.nodes[name]
        if not isinstance(node, known):
            raise ValueError(
                f"graph node {name!r} must be {' or '.join(kind.__name__ for kind in known)} "
                f"there, got {type(node).__name__}; this package has fully connected layers of "
                "neurons"
            )
    return chain[1:-1]


def kinds_in(graph: nir.NIRGraph) -> list[str]:
    """Return the kind of each node, for an error."""
    return [type(node).__name__ for node in graph.nodes.values()]


def parts_of(graph: nir.NIRGraph, name: str) -> tuple[Any, Any]:
    """Return the neurons of a node, and their weights to themselves, or None."""
    node = graph.nodes[name]
    if not isinstance(node, nir.NIRGraph):
        return node, None
    inside = node.nodes
    neurons = [name for name, one in inside.items() if isinstance(one, NEURONS)]
    weights = [name for name, one in inside.items() if isinstance(one, WEIGHTS)]
    if len(neurons) == len(weights) == 1 and len(inside) == 4:
        (own,), (again,) = neurons, weights
        if {*node.edges} == {*recurrent_edges(own, again)}:
            return inside[own], inside[again]
    raise ValueError(
        f"graph node {name!r} must be neurons with weights to themselves, got {kinds_in(node)} and "
        f"the edges {sorted(node.edges)}; other graphs in a graph are not of this kind"
    )


def weights_of(weights: Any, again: Any) -> dict[str, Any]:
    """Return the arrays of a layer by name; ``again`` has its recurrent weights, or is None."""
    W = np.asarray(weights.weight)
    b = getattr(weights, "bias", np.zeros(len(W)))
    if again is None:
        return {"W": W, "b": np.asarray(b)}
    b = b + getattr(again, "bias", 0.0)
    return {"W": W, "b": np.asarray(b), "R": np.asarray(again.weight)}
