"""A network as a graph of NIR."""

from collections.abc import Sequence

import nir
import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.any_neuron import AnyNeuron
from stbp_edu.nir.constants import DT, Discrete, discrete, neuron_of_each, scaled
from stbp_edu.parameters import Params, by_layer


def to_graph(
    params: Params, neuron: AnyNeuron | Sequence[AnyNeuron], dt: float = DT
) -> nir.NIRGraph:
    """Return the network as a graph: Input, weights and neurons for each layer, then Output.

    Weights are scaled so that readers find the resistance that they expect: r = 1 in LIF and LI,
    and in the others that which leaves the weights as they are.

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
    neurons = neuron_of_each(neuron, len(layers))
    inputs = np.array([params.sizes[0]])
    nodes: list[nir.NIRNode] = [nir.Input({"input": inputs})]
    for n, (layer, own) in enumerate(zip(layers, neurons, strict=True), 1):
        if layer["W"].ndim != 2:
            raise ValueError(
                f"params must be of fully connected layers for NIR, and layer {n} is a convolution;"
                " train one without"
            )
        nodes += _of_layer(layer, discrete(own, layer), dt)
    return nir.NIRGraph.from_list(nodes)


def _of_layer(layer: dict[str, Array], found: Discrete, dt: float) -> list[nir.NIRNode]:
    """Return the weights of a layer, and its neurons."""
    node, scale = _node(found, dt, recurrent="R" in layer)
    arrays = scaled(layer, found.gain / scale)
    weights = nir.Affine(weight=arrays["W"], bias=arrays["b"])
    if "R" in arrays:
        again = nir.Linear(weight=arrays["R"])
        node = _with_itself(node, again)
    return [weights, node]


def _node(found: Discrete, dt: float, *, recurrent: bool) -> tuple[nir.NIRNode, Array]:
    """Return the node of a layer's neurons, and the factor that it puts on its input."""
    leaks = _leaks(found)
    ones = np.ones(len(found.tau))
    spikes = found.v_th is not None
    given: dict[str, Array] = {}
    if found.v_th is not None:
        given["v_threshold"] = found.v_th
        given["v_reset"] = 0 * ones
    if not leaks:
        kind = nir.IF if spikes else nir.I
        return kind(r=ones / dt, **given), ones
    share = 1 - found.tau
    given["v_leak"] = 0 * ones
    if found.alpha is not None:
        slow = 1 - found.alpha
        given["tau_mem"] = dt / share
        given["tau_syn"] = dt / slow
        given["r"] = 1 / share
        given["w_in"] = 1 / slow
        kind = nir.CubaLIF if spikes else nir.CubaLI
        return kind(**given), ones
    given["tau"] = dt / share
    if not spikes:
        return nir.LI(r=ones, **given), share
    if recurrent:  # snnTorch reads no other
        return nir.LIF(r=1 / share, **given), ones
    return nir.LIF(r=ones, **given), share


def _leaks(found: Discrete) -> bool:
    """Return whether the neurons of a layer leak; all do, or none."""
    if (found.tau < 1).all():
        return True
    if not (found.tau == 1).all():
        raise ValueError(
            "neuron must leak in all neurons of a layer or in none for NIR, got tau from "
            f"{found.tau.min():g} to {found.tau.max():g}; give all of them tau < 1"
        )
    if found.alpha is not None:
        raise ValueError(
            "neuron must have tau < 1 where it has a synaptic current for NIR, got 1; give it "
            "a leak"
        )
    return False


def _with_itself(node: nir.NIRNode, again: nir.NIRNode) -> nir.NIRGraph:
    """Return neurons with recurrent weights: a graph as snnTorch writes it."""
    size = np.array([len(again.weight)])
    nodes = {
        "input": nir.Input({"input": size}),
        "neuron": node,
        "w_rec": again,
        "output": nir.Output({"output": size}),
    }
    edges = recurrent_edges("neuron", "w_rec")
    return nir.NIRGraph(nodes=nodes, edges=edges)


def recurrent_edges(neuron: str, weights: str) -> list[tuple[str, str]]:
    """Return the edges of neurons with weights to themselves, as snnTorch writes them."""
    return [
        ("input", neuron),
        (neuron, weights),
        (weights, neuron),
        (neuron, "output"),
    ]
