"""The programs of a network: for each layer one step forward, and one step back under a rule.

What a reader is shown is what runs: NumPy and PyTorch execute these functions on arrays of all
samples (``engine.array_program``), and loops over samples and neurons call them when they are
compiled (``engine.loop_source``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.forward_lines import reachable
from stbp_edu.arrows.lines.layer_program import Adjoint, LayerProgram
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import LOSS

IMPORTED = {
    "exp": "exp",
    "log": "log",
    "tanh": "tanh",
    "sqrt": "sqrt",
    "min": "minimum",
    "max": "maximum",
    "at_least": "where",
}
"""By operation, the function of NumPy that a program calls."""
AT_LEAST = "\n".join(
    [
        "def at_least(a, b):",
        '    """Return 1 where a >= b, else 0."""',
        "    return where(a >= b, 1.0, 0.0)",
    ]
)
NORM = "# norm(...) is the largest singular value of a square matrix, given row by row"
SPIKE = "# spike(v) is 1 where v >= 0, else 0; h(v) stands in for its derivative"


def program(net: Network, rule: Rule) -> str:
    """Return the program of a middle layer, with the functions that it calls.

    ``forward`` is a step of it, ``backward`` a step back: each adjoint is the sum of one term for
    each arrow that leaves. The errors that other neurons and the loss pass back come in as
    ``signal``; ``_next`` and ``_last`` mark values of the steps around this one.
    """
    return text_of(steps_back(net, rule)[(net.N + 1) // 2])


def text_of(layer: LayerProgram) -> str:
    """Return the program that is shown, below what it imports and defines."""
    trees = [
        term.factor
        for function in layer.functions
        for line in function.lines
        for term in line.terms
    ]
    used = ex.ops_in(*map(ex.written_out, trees))
    imported = {name for op, name in IMPORTED.items() if op in used}
    head = []
    if imported:
        head.append(f"from numpy import {', '.join(sorted(imported))}\n")
    if layer.lines.spike:
        head.append(f"{SPIKE}\n")
    if "norm" in used:
        head.append(f"{NORM}\n")
    if "at_least" in used:
        head.append(f"\n{AT_LEAST}\n\n")
    return "\n".join([*head, layer.source()])


def classes(net: Network, rule: Rule) -> dict[Adjoint, str]:
    """Return for (state, q) the first q with the same adjoint, by Moore's algorithm."""
    arrows = [a for table in net.arrows for a in table]
    states = sorted({state for of in net.states[1:] for state in of})
    same = {(s, q): rule.start for s in states for q in rule.moves}
    while True:
        seen: dict[Any, str] = {}
        finer = {}
        for s, q in same:
            heads = [(a.target, rule.move(q, a)) for a in arrows if a.source == s]
            ends = tuple(
                None if q is None else same.get((k, q), LOSS) for k, q in heads
            )
            finer[s, q] = seen.setdefault((s, same[s, q], ends), q)
        if finer == same:
            return same
        same = finer


def reached(net: Network, rule: Rule, same: Mapping[Adjoint, str]) -> list[Adjoint]:
    """Return the adjoints that the recursion needs, each (state, shared q) once, spike first."""

    def heads(node: Adjoint) -> Iterator[Adjoint]:
        """Yield the adjoints in the terms of one."""
        for n in range(net.N + 1):
            for arrow, head in rule.moves_from(net, n, *node):
                if arrow.target != LOSS:
                    yield arrow.target, same[arrow.target, head]

    return reachable([(s, rule.start) for s in reversed(net.states[net.N])], heads)


def steps_back(net: Network, rule: Rule) -> list[Any]:
    """Return the program of each layer, with the adjoints that the gradients need; None first."""
    rule.check(net)
    return programs(net, rule)


def programs(net: Network, rule: Rule) -> list[Any]:
    """Return the program of each layer, also where the rule lets nothing reach the loss."""
    start: list[tuple[int, str, str]] = []
    for n, layer in enumerate(net.layers[1:], 1):
        read = [layer.neuron.input, *(enter.target for enter in layer.neuron.enters)]
        start += [(n, state, rule.start) for state in dict.fromkeys(read)]
    same = classes(net, rule)

    def heads(node: tuple[int, str, str]) -> Iterator[tuple[int, str, str]]:
        """Yield the adjoints in the terms of one: (layer, state, state of the rule)."""
        n, *adjoint = node
        for arrow, head in rule.moves_from(net, n, *adjoint):
            if arrow.target != LOSS:
                yield n + arrow.layer, arrow.target, same[arrow.target, head]

    programs: list[Any] = [None]
    needed = reachable(start, heads)
    for n in range(1, net.N + 1):
        nodes = [(state, q) for k, state, q in needed if k == n]
        leaving = [arrow for arrow in net.arrows[n] if arrow.leaves]
        programs.append(LayerProgram(net, n, rule, same, nodes, leaving))
    return programs
