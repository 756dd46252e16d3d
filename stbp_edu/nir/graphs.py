"""A network as a graph of NIR."""

from collections.abc import Iterable, Sequence
from typing import Any

import nir
import numpy as np

from stbp_edu._support import checks
from stbp_edu.derived import derive
from stbp_edu.networks.arguments import AnyNeuron, as_neuron, for_layers
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
    neurons = for_layers(neuron, len(layers))
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
    ends = {"input": nir.Input({"input": size}), "output": nir.Output({"output": size})}
    nodes = {**ends, "neuron": node, "w_rec": again}
    return nir.NIRGraph(nodes=nodes, edges=recurrent_edges(nodes))


def recurrent_edges(nodes: Iterable[str]) -> list[tuple[str, str]]:
    """Return the edges between input, output, neurons and their weights to themselves."""
    first, last, neuron, weights = nodes
    return [(first, neuron), (neuron, weights), (weights, neuron), (neuron, last)]


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
    following = dict(graph.edges)
    chain = [name for name, node in graph.nodes.items() if isinstance(node, nir.Input)]
    while chain and chain[-1] in following:
        chain.append(following.pop(chain[-1]))
    layers = max(1, len(graph.nodes) // 2 - 1)
    kinds = [nir.Input, *[WEIGHTS, (*NEURONS, nir.NIRGraph)] * layers, nir.Output]
    nodes = [graph.nodes[name] for name in chain]
    fits = len(nodes) == len(kinds) == len(graph.nodes) == len({*graph.edges}) + 1
    if not fits or not all(map(isinstance, nodes, kinds)):
        shown = ", ".join(f"{a} to {b}" for a, b in sorted(graph.edges))
        raise ValueError(
            "graph must be one chain of Input, then weights (Affine, Linear) and neurons "
            f"({', '.join(kind.__name__ for kind in NEURONS)}) for each layer, then Output, got "
            f"{kinds_in(graph)} and the edges {shown}; this package has networks of this kind only"
        )
    return chain[1:-1]


def kinds_in(graph: nir.NIRGraph) -> str:
    """Return the name and the kind of each node, for an error."""
    return ", ".join(
        f"{name}: {type(node).__name__}" for name, node in graph.nodes.items()
    )


def parts_of(graph: nir.NIRGraph, name: str) -> tuple[Any, Any]:
    """Return the neurons of a node, and their weights to themselves, or None."""
    node = graph.nodes[name]
    if not isinstance(node, nir.NIRGraph):
        return node, None
    order: Any = nir.Input, nir.Output, NEURONS, WEIGHTS
    inside = [
        name for of in order for name, one in node.nodes.items() if isinstance(one, of)
    ]
    if len(inside) == len(node.nodes) == len(order):
        _, _, own, again = inside
        if {*node.edges} == {*recurrent_edges(inside)}:
            return node.nodes[own], node.nodes[again]
    raise ValueError(
        f"graph node {name!r} must be neurons with weights to themselves, got {kinds_in(node)} and "
        f"the edges {sorted(node.edges)}; other graphs in a graph are not of this kind"
    )


def weights_of(weights: Any, again: Any) -> dict[str, Any]:
    """Return the arrays of a layer by name; ``again`` has its recurrent weights, or is None."""
    W = np.asarray(weights.weight)
    found = {"W": W, "b": getattr(weights, "bias", 0.0) + np.zeros(len(W), W.dtype)}
    if again is not None:
        found["R"] = np.asarray(again.weight)
        found["b"] = found["b"] + getattr(again, "bias", 0.0)
    return found
