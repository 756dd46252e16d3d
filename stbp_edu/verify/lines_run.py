"""The forward pass of the oracles: any neuron by its lines, in NumPy or a module like it.

It reads neither the table of arrows nor a program that was written from it. A number may be added
to any state at any step: where it is small, that is a nudge; where it is a zero of autograd's, the
derivative by it is the adjoint of the state.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from itertools import product
from types import CodeType
from typing import Any

import numpy as np

from stbp_edu.arrows import Node, network
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.arrows.table import Table
from stbp_edu.lines.expressions import written_out
from stbp_edu.lines.operations import OPERATIONS
from stbp_edu.neuron import LIF

Spike = Callable[[Any], Any]
"""A spike by its distance from the threshold."""
States = dict[str, Any]
"""What the lines of a layer read and give at one step."""


@lru_cache(maxsize=64)  # its lines are read from text
def of_cases(sizes: tuple[int, ...], neuron: LIF) -> Table:
    """Return the network of the five cases."""
    return network(sizes, from_lif(neuron))


def state_nodes(net: Table, T: int) -> Iterator[Node]:
    """Yield every state of every layer and step, without an index of a neuron."""
    for n, layer in enumerate(net.layers[1:], 1):
        for state, t in product(layer.neuron.order, range(T)):
            yield Node(state, n, t)


def steps(
    net: Table,
    params: Sequence[Any],
    inputs: Any,
    spikes: Sequence[Spike],
    added: Mapping[Node, Any] | None = None,
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
        added: what is added to a state of a layer at a step, shape (S, n[n]).
        xp: NumPy, or autograd's.
    """
    added = {} if added is None else added

    def moved(value: Any, state: str) -> Any:
        """Return the value of a state of layer n at step t with what is added to it."""
        node = Node(state, n, t)
        return value + added[node] if node in added else value

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
            read["x"] = moved(x, "x")
            called = {**_functions(xp), "spike": spikes[n]}
            for state, line in lines.lines.items():
                read[state] = moved(eval(_code(line), called, read), state)
            now.append(read)
        yield now
        last = now


@lru_cache(maxsize=256)
def _code(line: ast.expr) -> CodeType:
    """Return a line as Python compiles it: it was read, so it has only what lines may have."""
    return compile(ast.unparse(written_out(line)), "a line", "eval")


@cache
def _functions(xp: Any) -> dict[str, Any]:
    """Return the functions that lines call, in a module like NumPy."""
    return {name: partial(of.value, xp) for name, of in OPERATIONS.items()}
