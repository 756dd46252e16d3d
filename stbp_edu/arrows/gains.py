"""The gain of a neuron from step to step, and what holds it within a rule's limit.

Seen from one step, a neuron's own past is a matrix: its arrows to the next step, with the arrows
inside a step that lead to them, take the adjoints at step t + 1 back to those at step t. There is
an adjoint for each state and each state of the rule. They fall into groups that can reach each
other through time; the potential of Part I is a group of its own, whose matrix is one number, the
gain f + u f' h. Errors can grow from step to step only inside a group. So a limit holds the norm of
each group's block: where it is larger, the arrows that lead to the group at the next step are made
smaller by limit over norm. What one group hands to another is not limited: it is added once, as an
error from above is. A synaptic current, which passes the potential's error on, keeps its memory.

Of several states the norm depends on their units, and it may limit a step that would not have
grown over many. Arrows to other neurons, recurrent weights among them, are not limited.
"""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import Arrow
from stbp_edu.checks import Array

Moves = list[tuple[tuple[str, str], Arrow, tuple[str, str]]]
"""A node (state, state of the rule), an arrow that leaves it, and the node that it leads to."""


def held_factors(
    net: Network, n: int, rule: Rule, factor: Callable[[Arrow], Any]
) -> dict[tuple[str, str], Any]:
    """Return, by node at the next step, what the arrows of layer n that lead there are held by."""
    held, limit = {}, checks.number("gain_limit", rule.gain_limit)
    moves, heads = moves_inside(net, n, rule)
    matrix = step_matrix(moves, heads, factor) if heads else np.empty(0)
    for group in gain_groups(net, n, rule):
        norm = norms(matrix[..., group, :][..., group])
        scale = np.asarray(limit / np.maximum(norm, limit))  # gain-limit
        held.update({heads[k]: scale for k in group})
    return held


def gain_groups(net: Network, n: int, rule: Rule) -> list[tuple[int, ...]]:
    """Return the groups of nodes of layer n that can reach each other through time."""
    moves, heads = moves_inside(net, n, rule)
    return groups(step_matrix(moves, heads, lambda arrow: np.ones(())) != 0) if heads else []


def moves_inside(net: Network, n: int, rule: Rule) -> tuple[Moves, list[tuple[str, str]]]:
    """Return the moves inside a neuron in the order of a step back, and where those in time end."""
    nodes = product(reversed(net.layers[n].neuron.order), rule.moves)
    moves = [
        ((state, q), arrow, (arrow.target, head))
        for state, q in nodes
        for arrow, head in rule.moves_from(net, n, state, q)
        if not arrow.leaves
    ]
    return moves, sorted({head for _, arrow, head in moves if arrow.step})


def step_matrix(
    moves: Moves, heads: list[tuple[str, str]], factor: Callable[[Arrow], Any]
) -> Array:
    """Return the matrix (..., heads, heads) from the adjoints of the next step to those of this."""
    columns = []
    for unit in heads:
        adjoints: dict[tuple[str, str], Any] = {}
        for node, arrow, head in moves:
            after = float(head == unit) if arrow.step else adjoints.get(head, 0.0)
            adjoints[node] = adjoints.get(node, 0.0) + factor(arrow) * after
        columns.append([adjoints.get(head, 0.0) for head in heads])
    shape = np.broadcast_shapes(*(np.shape(entry) for column in columns for entry in column))
    entries = [[np.broadcast_to(entry, shape) for entry in column] for column in columns]
    return np.moveaxis(np.array(entries), (0, 1), (-1, -2))


def norms(blocks: Array) -> Array:
    """Return the largest singular value of each block (..., k, k)."""
    if blocks.shape[-1] > 2:
        return np.linalg.norm(blocks, 2, (-2, -1))
    if blocks.shape[-1] == 1:
        return np.abs(blocks[..., 0, 0])
    (a, b), (c, d) = np.moveaxis(blocks, (-2, -1), (0, 1))  # far quicker than to decompose each
    return np.asarray(np.hypot(a + d, b - c) + np.hypot(a - d, b + c)) / 2


def groups(there: Array) -> list[tuple[int, ...]]:
    """Return the places that can reach each other, in groups; each place is in one."""
    reach = there | np.eye(len(there), dtype=bool)
    for _ in reach:
        reach = reach @ reach
    return sorted({tuple(np.flatnonzero(row).tolist()) for row in reach & reach.T})
