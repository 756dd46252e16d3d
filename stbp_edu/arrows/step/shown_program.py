"""The programs of a network: for each layer one step forward, and one step back under a rule.

What a reader is shown is what runs: NumPy and PyTorch execute these functions on arrays of all
samples (``program.executor``), and loops over samples and neurons call them when they are
compiled (``program.loop_text``).
"""

from __future__ import annotations

from itertools import chain, product
from typing import Any

from stbp_edu.arrows.arrow import LOSS
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.step.layer_program import Adjoint, LayerProgram
from stbp_edu.arrows.table import Table
from stbp_edu.lines.operations import OPERATIONS

AT_LEAST = "\n".join(
    [
        "def at_least(a, b):",
        '    """Return 1 where a >= b, else 0."""',
        "    return where(a >= b, 1.0, 0.0)",
    ]
)
NORM = "# norm(...) is the largest singular value of a square matrix, given row by row"
SPIKE = "# spike(v) is 1 where v >= 0, else 0; h(v) stands in for its derivative"


def program(net: Table, rule: Rule) -> str:
    """Return the program of a middle layer, with the functions that it calls.

    ``forward`` is a step of it, ``backward`` a step back: each adjoint is the sum of one term for
    each arrow that leaves. The errors that other neurons and the loss pass back come in as
    ``signal``; ``_next`` and ``_last`` mark values of the steps around this one.
    """
    return text_of(steps_back(net, rule)[(net.N + 1) // 2])


def text_of(layer: LayerProgram) -> str:
    """Return the program that is shown, below what it imports and defines."""
    source = layer.source()
    functions = {of.imported for of in OPERATIONS.values()} - {""}
    if "at_least(" in source:
        source = f"\n{AT_LEAST}\n\n\n{source}"
    imported = [name for name in sorted(functions) if f"{name}(" in source]
    head = []
    if imported:
        head.append(f"from numpy import {', '.join(imported)}\n")
    if layer.lines.spike:
        head.append(f"{SPIKE}\n")
    if "norm(" in source:
        head.append(f"{NORM}\n")
    return "\n".join([*head, source])


def classes(net: Table, rule: Rule) -> dict[Adjoint, str]:
    """Return for (state, q) the first q with the same adjoint, by Moore's algorithm."""
    arrows = [*chain.from_iterable(net.arrows)]
    states = sorted(set(chain.from_iterable(net.states[1:])))
    same = {node: rule.start for node in product(states, rule.moves)}
    while True:  # only those stay together whose arrows lead to the same ones
        seen: dict[Any, str] = {}
        finer = {}
        for state, q in same:
            leaving = [arrow for arrow in arrows if arrow.source == state]
            moves = [(arrow.target, rule.move(q, arrow)) for arrow in leaving]
            ends = [p if p is None else same.get((to, p), LOSS) for to, p in moves]
            finer[state, q] = seen.setdefault((state, same[state, q], *ends), q)
        if finer == same:
            return same
        same = finer


def steps_back(net: Table, rule: Rule) -> list[Any]:
    """Return the program of each layer, with the adjoints that the gradients need; None first."""
    rule.check(net)
    layers = [*enumerate(net.layers)][1:]
    entered = [(n, state) for n, layer in layers for state in layer.neuron.entered]
    same = classes(net, rule)
    places = rule.places(net, [(*place, rule.start) for place in entered], same)
    programs: list[Any] = [None]
    for n, _ in layers:
        nodes = [(state, q) for layer, state, q in places if layer == n]
        programs.append(LayerProgram(net, n, rule, same, nodes))
    return programs
