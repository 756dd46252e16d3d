"""Which reset and rule has a network that is written in any framework?

It is asked: for its outputs, and for the gradients of its weights when an error comes to the
outputs. A framework needs a function that asks; :mod:`stbp_edu.torch.rule_finder` is PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array, check_finite
from stbp_edu.arrows.adjoints import LocalDerivatives, derivatives_on
from stbp_edu.arrows.arrow import Neuron, neuron_from
from stbp_edu.arrows.classifier import RuleFit, candidates, of_rule
from stbp_edu.arrows.forward_run import forward
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.arrows.table import LayerParams, Table, network
from stbp_edu.lines.text import read_lines
from stbp_edu.neuron import GATES, LIF
from stbp_edu.parameters import named_arrays
from stbp_edu.surrogates import Gaussian

TOLERANCE = 1e-4
"""How far two gradients may differ, relatively, that count as equal; rules do by hundredths."""
SAME = 1e-4
"""How far two potentials of a read-out may differ, relative to the largest."""
Gradient = Callable[[Array], LayerParams]
"""From the error that comes to every output, (T, S, n[N]), to the gradients of the weights."""
Ask = Callable[[Array], tuple[Array, Gradient]]
"""From an input (T, S, n[0]) to the outputs (T, S, n[N]), and the gradients for an error."""
OTHER_RESETS = {
    "soft reset within the step": "u = tau * u + x - tau * v_th * o; o = spike(u - v_th)",
    "no reset": "u = tau * u + x; o = spike(u - v_th)",
    "linear gate with a leak on the input, too": "u = tau * (u * (1 - o) + x); o = spike(u - v_th)",
    "soft gate with a leak on the input, too": "u = tau * (u + x) - v_th * o; o = spike(u - v_th)",
}
"""The resets of frameworks that no gate of an LIF has, as lines."""


@dataclass(frozen=True)
class Match:
    """Which resets and rules a network has.

    Attributes:
        nearest: the rules of the resets that have its outputs, by residual, the nearest first.
        agree_elsewhere: whether ``rules`` also agree with each other on a larger input and with a
            wide surrogate; if not, this input does not tell which of them it is.
        differing: by reset, how many outputs differ.
    """

    nearest: list[RuleFit]
    agree_elsewhere: bool
    differing: dict[str, int]

    @property
    def rules(self) -> list[tuple[str, str]]:
        """Each reset and rule with its outputs and its gradient."""
        return [
            (fit.gate, fit.rule) for fit in self.nearest if fit.residual < TOLERANCE
        ]

    @property
    def gates(self) -> list[str]:
        """The resets that have its outputs: gates of an LIF, those in ``OTHER_RESETS``; or "lines".

        The last is a neuron of your own.
        """
        return [gate for gate, count in self.differing.items() if not count]

    def __repr__(self) -> str:
        """Return the verdict in sentences."""
        if not self.gates:
            gate = min(self.differing, key=lambda gate: self.differing[gate])
            return (
                f"No reset has these outputs: nearest is {reset_name(gate)}, with "
                f"{self.differing[gate]} that differ. Compare leak, threshold, the time of the "
                "reset, and scale=."
            )
        best = self.nearest[0]
        name = _called(best.gate, best.rule)
        if self.rules:
            said = f"{' = '.join(_called(*pair) for pair in self.rules)}."
            if not self.agree_elsewhere:
                said += (
                    " This batch is too small to tell them apart: pass more steps or samples, "
                    "larger inputs, or a wider surrogate."
                )
            return said
        return (
            f"No rule has this gradient, though {' and '.join(map(reset_name, self.gates))} has "
            f"the outputs: nearest is {name}, {100 * best.residual:.2g} % away. Compare leak, "
            "threshold and scale=; if your surrogate is another one, give it to the neuron: "
            "surrogate=SurrogateOf(your spike function)."
        )


def reset_name(gate: str) -> str:
    """Return what to call a reset."""
    return f"{gate} gate" if gate in GATES else gate


def _called(gate: str, rule: str) -> str:
    """Return the name of a reset and a rule."""
    return rule if gate == "lines" else f"{reset_name(gate)}, {rule}"


def which_rule(
    ask: Ask, params: LayerParams, sizes: str, neurons: Any, spikes: Array
) -> Match:
    """Return which resets have a network's outputs, and which rules its gradient.

    Args:
        ask: runs the network from rest.
        params: its weights by layer, with the names that ``ask`` gives to gradients.
        sizes: its sizes, as :func:`stbp_edu.arrows.network` takes them.
        neurons: an ``LIF``, whose gate is not read, or a table for each layer.
        spikes: the input, (T, S, n[0]).

    Raises:
        ValueError: if the network does not answer twice alike, or not as asked for.
    """
    resets = resets_of(neurons) if isinstance(neurons, LIF) else {"lines": neurons}
    nets = {reset: network(sizes, neuron) for reset, neuron in resets.items()}
    output, gradients = _answer(ask, next(iter(nets.values())), spikes)
    differing = {}
    fits: list[RuleFit] = []
    for reset, net in nets.items():
        ours, local = run(net, params, spikes)
        differing[reset] = _differing(ours, output)
        if not differing[reset]:
            fits += candidates(local, gradients, reset)
    fits.sort(key=lambda fit: 0 if fit.residual < TOLERANCE else fit.residual)
    found = Match(fits, True, differing)
    return replace(found, agree_elsewhere=_agree_elsewhere(nets, params, found.rules))


def resets_of(neuron: LIF) -> dict[str, Neuron]:
    """Return the neurons that differ only in their reset, by its name."""
    possible = {gate: from_lif(replace(neuron, gate=gate)) for gate in GATES}
    for reset, text in OTHER_RESETS.items():
        lines = read_lines(text, {"tau": neuron.tau, "v_th": neuron.v_th})
        possible[reset] = neuron_from(lines, neuron.surrogate)
    return possible


def run(
    net: Table, params: LayerParams, inputs: Array
) -> tuple[Array, LocalDerivatives]:
    """Return the outputs of a run, and the factors of its arrows."""
    trace = forward(net, params, inputs)
    output: Array = trace[net.loss.state][-1]
    return output, derivatives_on(net, params, trace, _signal(output))


def _agree_elsewhere(
    nets: Mapping[str, Table], params: LayerParams, rules: list[tuple[str, str]]
) -> bool:
    """Return whether resets and rules have the same outputs and gradients on a larger input.

    There no path is missed because no potential comes near the threshold.
    """
    if len(rules) < 2:
        return True
    shape = next(iter(nets.values())).shape
    inputs = 3 * np.random.default_rng(1).random((24, 8, *shape))
    inputs = inputs.astype(params[1]["W"].dtype)

    def answer(reset: str, rule: str) -> list[Array]:
        """Return the outputs, and the gradients of all parameters."""
        output, local = run(_widened(nets[reset]), params, inputs)
        return [output, *named_arrays(of_rule(local, rule)).values()]

    first, *others = (answer(*pair) for pair in rules)
    return all(
        np.allclose(array, wanted, TOLERANCE, TOLERANCE * np.abs(wanted).max())
        for other in others
        for array, wanted in zip(other, first, strict=True)
    )


def _widened(net: Table) -> Table:
    """Return a network of the same neurons with wide surrogates."""
    layers: list[Any] = [None]
    for layer in net.layers[1:]:
        v_th = layer.neuron.lines.constants.get("v_th", 1.0)
        wide = replace(layer.neuron, surrogate=Gaussian(max(1.0, v_th**2)))
        layers.append(replace(layer, neuron=wide))
    return replace(net, layers=tuple(layers))


def _signal(output: Array) -> Array:
    """Return the error that comes to the outputs: the same for the same shape."""
    rng = np.random.default_rng(0)
    return rng.normal(size=output.shape).astype(output.dtype)


def _answer(ask: Ask, net: Table, spikes: Array) -> tuple[Array, LayerParams]:
    """Return the outputs of a network and its gradients, if they are those of a network."""
    output, gradient = ask(spikes)
    check_finite("the outputs of run", output)
    if not np.array_equal(output, ask(spikes)[0]):
        raise ValueError(
            "run must give the same outputs twice, got others the second time; begin each run from "
            "rest, with the states of your modules reset in it (functional.reset_net in "
            "SpikingJelly, utils.reset in snnTorch), and call model.eval() if it has dropout or "
            "batch norm"
        )
    T, S = spikes.shape[:2]
    shape = (T, S, *net.shape_of(net.N))
    last = net.layers[-1].neuron
    if output.shape != shape or not output.any():
        raise ValueError(
            f"run must return outputs (T, S, n[N]) = {shape}, some of them not 0, got shape "
            f"{output.shape}, {np.count_nonzero(output)} spikes; stack those of each step, and "
            "lower the threshold or raise the weights"
        )
    odd = output[~np.isin(output, (0, 1))]
    if net.loss.state == last.lines.spike and odd.size:
        raise ValueError(
            f"run must return spikes, 0 or 1, got {odd[0]:.4g}; for a read-out that does not spike "
            "pass two neurons, (hidden, read-out), the second from stbp_edu.derive"
        )
    found = gradient(_signal(output))
    for name, array in named_arrays(found).items():
        check_finite(f"the gradient of {name}", array)
    if not any(np.any(array) for layer in found[1:] for array in layer.values()):
        raise ValueError(
            "run must have a gradient of the weights, got none or zeros; leave out no_grad and "
            "detach, let all weights require gradients, or widen the surrogate"
        )
    return output, found


def _differing(ours: Array, yours: Array) -> int:
    """Return how many outputs differ by more than rounding, as spikes do at all."""
    far = np.abs(ours - yours) > SAME * np.abs(ours).max()
    return int(np.count_nonzero(far))
