"""A network as a graph of NIR."""

from collections.abc import Sequence
from typing import Any

import nir
import numpy as np

from stbp_edu._support import checks
from stbp_edu.arrows.any_neuron import AnyNeuron
from stbp_edu.nir.nodes import DT, constants_of, node_of, scaled
from stbp_edu.parameters import Params, by_layer


def check_exportable(neuron: AnyNeuron | Sequence[AnyNeuron]) -> None:
    """Raise ValueError if NIR has no such neuron: before training, not after."""
    given: Any = neuron if isinstance(neuron, list | tuple) else [neuron]
    for one in given:
        constants_of(one, {"b": np.zeros(1)})


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
