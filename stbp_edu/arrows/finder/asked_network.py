"""Which gate and rule has a network that is written in any framework?

It is asked: for its outputs, and for the gradients of its weights when an error comes to the
outputs. A framework needs a function that asks; :mod:`stbp_edu.torch.rule_finder` is PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.adjoints import derivatives_on
from stbp_edu.arrows.finder.comparison_of_rules import RuleFit, candidates
from stbp_edu.arrows.forward_run import forward
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.arrows.state_loss import Loss
from stbp_edu.arrows.table import LayerParams, Table, network, reading_output
from stbp_edu.neuron import GATES, LIF

TOLERANCE = 1e-4
"""How far two gradients may differ, relatively, that count as equal; rules do by hundredths."""
SAME = 1e-4
"""How far two potentials of a read-out may differ, relative to the largest."""
Gradient = Callable[[Array], LayerParams]
"""From the error that comes to every output, (T, S, n[N]), to the gradients of the weights."""
Ask = Callable[[Array], tuple[Array, Gradient]]
"""From an input (T, S, n[0]) to the outputs (T, S, n[N]), and the gradients for an error."""


@dataclass(frozen=True)
class Match:
    """Which gates and rules a network has.

    Attributes:
        rules: each gate and rule with its outputs and its gradient.
        gates: the gates that have its outputs; of a neuron of your own, "lines".
        nearest: by residual, the nearest first; empty where no gate has the outputs.
        differing: by gate, how many outputs differ.
    """

    rules: list[tuple[str, str]]
    gates: list[str]
    nearest: list[RuleFit]
    differing: dict[str, int]

    def __repr__(self) -> str:
        """Return the verdict in sentences."""
        if not self.gates:
            gate = min(self.differing, key=lambda gate: self.differing[gate])
            return (
                f"No gate has these outputs: nearest is {gate}, with {self.differing[gate]} that "
                "differ. Compare leak, threshold, the time of the reset, and scale=."
            )
        best = self.nearest[0]
        name = _called(best.gate, best.rule)
        if self.rules:
            equal = [_called(gate, rule) for gate, rule in self.rules]
            return f"{' = '.join(equal)}."
        if best.left < TOLERANCE:
            factors = ", ".join(f"{k:.4g}" for k in best.factors)
            return f"{name} times {factors} by layer."
        return (
            f"No rule has this gradient, though {' and '.join(self.gates)} has the outputs: "
            f"nearest is {name}, {best.residual:.1%} away. If your surrogate is another one, "
            "give it to the neuron: surrogate=SurrogateOf(your spike function)."
        )


def _called(gate: str, rule: str) -> str:
    """Return the name of a gate and a rule."""
    if gate == "lines":
        return rule
    return f"{gate} gate, {rule}"


def which_rule(
    ask: Ask, params: LayerParams, sizes: str, neurons: Any, spikes: Array
) -> Match:
    """Return which gates have a network's outputs, and which rules its gradient.

    Args:
        ask: runs the network from rest.
        params: its weights by layer, with the names that ``ask`` gives to gradients.
        sizes: its sizes, as :func:`stbp_edu.arrows.network` takes them.
        neurons: an ``LIF``, whose gate is not read, or a table for each layer.
        spikes: the input, (T, S, n[0]).

    Raises:
        ValueError: if the network does not answer twice alike, or not as asked for.
    """
    nets = {}
    if isinstance(neurons, LIF):
        for gate in GATES:
            neuron = from_lif(replace(neurons, gate=gate))
            nets[gate] = reading_output(sizes, neuron)
    else:
        nets["lines"] = network(sizes, neurons, Loss("given", neurons[-1].output))
    some = next(iter(nets.values()))
    output, found = _answer(ask, some, spikes)
    signal = _signal(output)
    differing = {}
    ranked = []
    for gate, net in nets.items():
        trace = forward(net, params, spikes)
        ours = trace[net.loss.state][-1]
        differing[gate] = _differing(ours, output)
        if not differing[gate]:
            local = derivatives_on(net, params, trace, signal)
            ranked += candidates([(local, found)], gate)
    ranked.sort(key=lambda one: one.rank(TOLERANCE))
    gates = [gate for gate, count in differing.items() if not count]
    rules = [(fit.gate, fit.rule) for fit in ranked if fit.residual < TOLERANCE]
    return Match(rules, gates, ranked, differing)


def _signal(output: Array) -> Array:
    """Return the error that comes to the outputs: the same for the same shape."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=output.shape)
    return signal.astype(output.dtype)


def _answer(ask: Ask, net: Table, spikes: Array) -> tuple[Array, LayerParams]:
    """Return the outputs of a network and its gradients, if they are those of a network."""
    output, gradient = ask(spikes)
    T, S = spikes.shape[:2]
    shape = (T, S, *net.shape_of(net.N))
    last = net.layers[-1].neuron
    spiking = net.loss.state == last.lines.spike
    if output.shape != shape or not output.any():
        raise ValueError(
            f"run must return outputs (T, S, n[N]) = {shape}, some of them not 0, got shape "
            f"{output.shape}, {np.count_nonzero(output)} spikes; stack those of each step, and "
            "lower the threshold or raise the weights"
        )
    if spiking and not np.isin(output, (0, 1)).all():
        odd = output[~np.isin(output, (0, 1))][0]
        raise ValueError(
            f"run must return spikes, 0 or 1, got {odd:.4g}; for a read-out that does not spike "
            "pass two neurons, (hidden, read-out), the second from stbp_edu.derive"
        )
    if not np.array_equal(output, ask(spikes)[0]):
        raise ValueError(
            "run must give the same outputs twice, got others the second time; call model.eval() "
            "if it has dropout or batch norm, and begin each run from rest"
        )
    found = gradient(_signal(output))
    in_layers = [any(map(np.any, layer.values())) for layer in found[1:]]
    if not any(in_layers):
        raise ValueError(
            "run must have a gradient of the weights, got none or zeros; leave out no_grad and "
            "detach, let all weights require gradients, or widen the surrogate"
        )
    return output, found


def _differing(ours: Array, yours: Array) -> int:
    """Return how many outputs differ: spikes at all, potentials by more than rounding."""
    if np.isin(ours, (0, 1)).all():
        return int(np.count_nonzero(ours != yours))
    difference = np.abs(ours - yours)
    largest = np.abs(ours).max()
    return int(np.count_nonzero(difference > SAME * largest))
