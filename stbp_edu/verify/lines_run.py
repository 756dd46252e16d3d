"""The forward pass of the oracles: any neuron by its lines, in NumPy or a module like it.

It reads neither the table of arrows nor a program that was written from it; it shares with them how
lines are read from their text, and ``evaluate``. Something may be added
to any state: where it is small, that is a nudge; where it is a zero of autograd's, the derivative
by it is the adjoint of the state.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from stbp_edu.arrows import network
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.arrows.table import Table
from stbp_edu.lines.expressions import evaluate
from stbp_edu.neuron import LIF

Spike = Callable[[Any], Any]
"""A spike by its distance from the threshold."""
States = dict[str, Any]
"""What the lines of a layer read and give at one step."""


@lru_cache(maxsize=64)  # its lines are read from text
def of_cases(sizes: tuple[int, ...], neuron: LIF) -> Table:
    """Return the network of the five cases."""
    return network(sizes, from_lif(neuron))


def steps(
    net: Table,
    params: Sequence[Any],
    inputs: Any,
    spikes: Sequence[Spike],
    added: Sequence[Mapping[str, Any]] | None = None,
    xp: Any = np,
) -> Iterator[list[States]]:
    """Yield all that the lines of every layer read and give, step by step, by name.

    These are its states, those of the last step (``u_last``), its input x, and its constants.
    Layer 0 has the input, as ``"o"``.

    Args:
        net: fully connected layers of any neurons, recurrent or not.
        params: by layer, its parameters by name.
        inputs: shape (T, S, n[0]).
        spikes: by layer, what the spike is.
        added: by layer, what is added to its states, by name, shape (T, S, n[n]).
        xp: NumPy, or autograd's.
    """
    last: list[States] = []
    for width, names in zip(net.sizes, net.states, strict=True):
        at_rest = np.zeros((inputs.shape[1], width), inputs.dtype)
        last.append(dict.fromkeys(names, at_rest))
    for t in range(len(inputs)):
        now: list[States] = [{"o": inputs[t]}]
        for n, layer in enumerate(net.layers[1:], 1):
            p = params[n]
            lines = layer.neuron.lines
            x = now[n - 1][net.output_of(n - 1)] @ p["W"].T + p["b"]
            if layer.recurrent:
                x = x + last[n][lines.output] @ p["R"].T
            zeros = np.zeros(x.shape)  # autograd's where does not broadcast
            learned = {name: p[name] for name in layer.neuron.learned}
            constants = {**lines.constants, **learned}
            read = {name: value + zeros for name, value in constants.items()}
            read |= {f"{state}_last": last[n][state] for state in lines.lines}
            read["x"] = x
            spike = {"spike": spikes[n]}
            for state, line in lines.states.items():
                read[state] = evaluate(line, read, spike, xp, float)
                if added and state in added[n]:
                    read[state] = read[state] + added[n][state][t]
            now.append(read)
        yield now
        last = now
