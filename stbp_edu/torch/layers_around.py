"""The networks that a layer is taken to be in, which decide which errors it keeps apart."""

from collections.abc import Sequence

from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.arrows.models import Network, network
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.state_loss import Loss


def networks_of(layers: Sequence[tuple[AnyNeuron, bool]]) -> list[Network]:
    """Return networks of such layers: the loss reads the output, or the potential."""
    neurons = [as_neuron(neuron) for neuron, _ in layers]
    widths = ["1R" if recurrent else "1" for _, recurrent in layers]
    sizes = "-".join(["1", *widths])
    last = neurons[-1]
    read = dict.fromkeys([last.output, last.lines.potential])
    return [network(sizes, neurons, Loss(f"of {state}", state)) for state in read]


def kept_by(rule: Rule, nets: Sequence[Network]) -> Network:
    """Return the first network in which the rule keeps a path from the loss; or else the first."""
    for net in nets:
        if rule.keeps(net):
            return net
    return nets[0]
