"""Networks as graphs of NIR, the neuromorphic intermediate representation, and back.

NIR's neuron is an equation in continuous time, τ_m dv/dt = (v_leak - v) + r I, with a reset to a
value. A step of length dt makes it v ← (1 - dt/τ_m) v + (dt/τ_m) r I: the neuron of this package
with the linear gate, τ = 1 - dt/τ_m, and weights that are (dt/τ_m) r times as large. Its surrogate
and its training are not part of a graph. It comes with ``pip install 'stbp-edu[nir]'``; files are
read and written by ``nir.read`` and ``nir.write``.
"""

from collections.abc import Mapping
from typing import Any

import nir
import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params, by_layer
from stbp_edu.surrogates import Surrogate

Pair = tuple[AnyNeuron, AnyNeuron]
DT = 1e-4
"""The length of a step in seconds that snnTorch and SpikingJelly assume."""


def to_graph(params: Params, neuron: AnyNeuron | Pair, dt: float = DT) -> nir.NIRGraph:
    """Return the network as a graph: Input, then Affine and LIF for each layer, then Output.

    The resistance r is 1, which every reader takes, so that the weights in the graph are those of
    the network divided by dt/τ_m = 1 - τ. A last layer that does not spike is LI.

    Args:
        params: weights and biases, and constants that were learned.
        neuron: with the linear gate and τ < 1, or derived from lines that do the same: NIR has no
            other that equals one of ours. Or two, the second for the last layer, as
            ``Settings.make_neurons`` returns them.
        dt: the length of a step in seconds; > 0.

    Raises:
        TypeError, ValueError: if an argument is none of these, or a layer is recurrent.

    >>> params = Params(W=[None, np.array([[1.0, 2.0]])], b=[None, np.array([0.5])])
    >>> graph = to_graph(params, LIF(tau=0.75, v_th=1.0, gate="linear"))
    >>> list(graph.nodes), graph.nodes["affine"].weight.tolist()
    (['input', 'affine', 'lif', 'output'], [[4.0, 8.0]])
    """
    checks.instance("params", params, Params)
    dt = checks.number("dt", dt, positive=True)
    pair = (
        neuron if isinstance(neuron, tuple) and len(neuron) == 2 else (neuron, neuron)
    )
    layers = by_layer(params)[1:]
    nodes: list[nir.NIRNode] = [nir.Input({"input": np.array([params.sizes[0]])})]
    for n, layer in enumerate(layers, 1):
        if "R" in layer or layer["W"].ndim != 2:
            raise ValueError(
                f"params must be of fully connected layers for NIR, and layer {n} is recurrent or "
                "a convolution; train one without"
            )
        tau, v_th = _leak_and_threshold(pair[n == len(layers)], layer)
        share, ones, dtype = 1 - tau, np.ones(len(tau)), layer["b"].dtype
        W, b = (
            (layer["W"] / share[:, None]).astype(dtype),
            (layer["b"] / share).astype(dtype),
        )
        given = {"tau": ones * (dt / share), "r": ones, "v_leak": 0 * ones}
        if v_th is not None:
            given |= {"v_threshold": v_th, "v_reset": 0 * ones}
        nodes += [
            nir.Affine(weight=W, bias=b),
            (nir.LI if v_th is None else nir.LIF)(**given),
        ]
    return nir.NIRGraph.from_list(nodes)


def _leak_and_threshold(
    neuron: object, layer: Mapping[str, Any]
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return τ and V_th of each neuron of a layer; no V_th where it does not spike.

    Raises:
        ValueError: if the neuron does something else than leak, and be reset to 0.
    """
    table, ones = as_neuron(neuron), np.ones(len(layer["b"]))
    u, o = table.lines.potential, table.output

    def new(
        state: str, u_value: float, o_value: float = 0, x: float = 0
    ) -> NDArray[Any]:
        """Return a state after these values, for each neuron."""
        past = {o: o_value * ones, u: u_value * ones}
        return np.asarray(table.updated(state, past, past, x * ones, layer))

    fits = {u, o} == {*table.order}
    tau, v_th = new(u, 1) if fits else ones, None
    if fits and u != o:
        v_th = -new(o, 0)
        fits = not new(u, 3, 1).any() and np.allclose(new(o, 3), 3 - v_th)
    if (
        not fits
        or not np.allclose(new(u, -2, 0, 1), -2 * tau + 1)
        or not (tau < 1).all()
    ):
        states = f"the states {', '.join(sorted(table.order))}"
        raise ValueError(
            f"neuron must have gate='linear' and tau < 1 for NIR, whose neuron leaks and is reset "
            f"to a value, got {neuron if isinstance(neuron, LIF) else states}; train one of that "
            "kind, such as u = tau * u * (1 - o) + x; o = spike(u - v_th)"
        )
    return tau, v_th


def from_graph(
    graph: nir.NIRGraph, surrogate: Surrogate | None = None, dt: float = DT
) -> tuple[Params, LIF]:
    """Return the network of a graph: its parameters and its neuron, with the linear gate.

    Args:
        graph: a chain of weights (Affine or Linear) and LIF, one after the other.
        surrogate: the curve h, which a graph does not hold; the default of :class:`LIF` where
            None.
        dt: the length of a step in seconds; > 0.

    Raises:
        TypeError: if it is no graph.
        ValueError: if it is no such chain, has a node that this package does not, or its neurons
            are not all alike and at rest at 0.

    >>> params = Params(W=[None, np.array([[1.0, 2.0]])], b=[None, np.array([0.5])])
    >>> graph = to_graph(params, LIF(tau=0.75, v_th=1.0, gate="linear"))
    >>> found, neuron = from_graph(graph)
    >>> found.W[1], neuron.tau, neuron.v_th
    (array([[1., 2.]]), 0.75, 1.0)
    """
    checks.instance("graph", graph, nir.NIRGraph)
    dt = checks.number("dt", dt, positive=True)
    W: list[Any] = [None]
    b: list[Any] = [None]
    found = set()
    chain = _chain(graph)
    for k, (name, node) in enumerate(chain):
        kinds = (nir.LIF,) if k % 2 else (nir.Affine, nir.Linear)
        if not isinstance(node, kinds):
            raise ValueError(
                f"graph node {name!r} must be {' or '.join(kind.__name__ for kind in kinds)} "
                f"there, got {type(node).__name__}; this package has fully connected layers of LIF "
                "neurons"
            )
    for (_, weights), (name, neurons) in zip(chain[::2], chain[1::2], strict=True):
        tau, v_th, scale = _constants(name, neurons, dt)
        found.add((tau, v_th))
        weight = np.asarray(weights.weight)
        bias = np.asarray(getattr(weights, "bias", np.zeros(len(weight))))
        W.append((weight * scale).astype(weight.dtype))
        b.append((bias * scale).astype(weight.dtype))
    if len(found) != 1:
        raise ValueError(
            f"graph must have one tau and one threshold, got {sorted(found)} (tau, threshold); "
            "this package has the same neuron in every layer"
        )
    own: dict[str, Any] = {} if surrogate is None else {"surrogate": surrogate}
    return Params(W=W, b=b), LIF(*found.pop(), gate="linear", **own)


def _chain(graph: nir.NIRGraph) -> list[tuple[str, Any]]:
    """Return the nodes between Input and Output by name, in their order."""
    edges = sorted(set(graph.edges))
    following = dict(edges)
    name = next(
        (name for name, node in graph.nodes.items() if isinstance(node, nir.Input)),
        None,
    )
    chain: list[tuple[str, Any]] = []
    while name in following and len(chain) <= len(graph.nodes):
        name = following[name]
        chain.append((name, graph.nodes[name]))
    whole = len(chain) == len(edges) == len(graph.nodes) - 1 and len(chain) in range(
        3, 2**31, 2
    )
    if not whole or not isinstance(chain[-1][1], nir.Output):
        raise ValueError(
            "graph must be one chain of Input, then weights and LIF for each layer, then Output, "
            f"got the edges {', '.join(f'{a} to {b}' for a, b in edges)} between "
            f"{[type(node).__name__ for node in graph.nodes.values()]}; recurrent networks, and "
            "those that branch or merge, are not of this kind"
        )
    return chain[:-1]


def _constants(name: str, node: Any, dt: float) -> tuple[float, float, float]:
    """Return τ, V_th and the factor of the weights of a LIF node."""
    values = {}
    for what in ("tau", "r", "v_leak", "v_threshold", "v_reset"):
        found = np.unique(np.asarray(getattr(node, what), float))
        if len(found) != 1:
            raise ValueError(
                f"graph node {name!r} must have one {what} for all its neurons, got "
                f"{found[0]:g} to {found[-1]:g}; this package has the same neuron everywhere"
            )
        values[what] = float(found[0])
    if values["v_leak"] or values["v_reset"]:
        raise ValueError(
            f"graph node {name!r} must leak and be reset to 0, got v_leak {values['v_leak']:g}, "
            f"v_reset {values['v_reset']:g}; shift its potentials"
        )
    share = dt / values["tau"]
    if not 0 < share < 1:
        raise ValueError(
            f"graph node {name!r} must have tau > dt = {dt:g} s, got {values['tau']:g}; "
            "pass the dt that it was made for"
        )
    tau = round(
        1 - share, 12
    )  # 0.8 and not 0.8000000000000002, which the division made of it
    if abs(1 - tau - share) > 1e-9 * share:  # too near to 1 for that
        return 1 - share, values["v_threshold"], share * values["r"]
    return tau, values["v_threshold"], (1 - tau) * values["r"]
