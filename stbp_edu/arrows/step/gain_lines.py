"""The gain of a neuron from step to step, and the lines of a step back that hold it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.step.step_functions import Assignment, Term, free
from stbp_edu.lines.derivatives import tidy
from stbp_edu.lines.expressions import ONE, ZERO, call, key

if TYPE_CHECKING:
    from stbp_edu.arrows.step.layer_program import LayerProgram


def gain_lines(program: LayerProgram) -> list[Assignment]:
    """Return the lines that hold the gain of each group of adjoints: before the others."""
    limit: Any = program.rule.gain_limit
    rows, now = program.rows, program.next_adjoints
    taken = {*program.given, *program.signals}
    later = [f"{name}_next" for name in now]
    gains = {}
    for i, name in enumerate(now):
        for k, of in enumerate(later):
            gains[i, k] = _gain(rows, name, of, program.lines.constants)
    there = np.zeros((len(later), len(later)), bool)
    for place, gain in gains.items():
        there[place] = key(gain) != key(ZERO)
    found = []
    most = ast.Constant(float(limit))
    for group in groups(there):
        entries = [gains[place] for place in product(group, group)]
        if all(key(entry) == key(ZERO) for entry in entries):
            continue
        held = free("gain", taken)
        taken.add(held)
        op = "norm" if len(group) > 1 else "abs"
        size = call(op, *entries)
        found.append(Assignment(held, (Term(size),)))
        scale = call("/", most, call("max", ast.Name(held), most))
        for k in group:
            scaled = Term(scale, later[k])
            found.append(Assignment(later[k], (scaled,), "gain-limit"))
    return found  # gain-limit, gain-bound


def _gain(
    rows: Sequence[Assignment], name: str, later: str, constants: Collection[str]
) -> ast.expr:
    """Return the factor with which an adjoint of the next step comes back to one of this."""
    total: ast.expr = ZERO
    for row in rows:
        if row.name != name:
            continue
        for factor, of in row.terms:
            inside = ONE if of == later else _gain(rows, of, later, constants)
            total = call("+", total, call("*", factor, inside))
    return tidy(total, constants)


def norms(blocks: Array) -> Array:
    """Return the largest singular value of each block (..., k, k)."""
    if blocks.shape[-1] > 2:
        return np.linalg.norm(blocks, 2, (-2, -1))
    if blocks.shape[-1] == 1:
        return np.abs(blocks[..., 0, 0])
    # far quicker than to decompose each
    (a, b), (c, d) = np.moveaxis(blocks, (-2, -1), (0, 1))
    twice = np.hypot(a + d, b - c) + np.hypot(a - d, b + c)
    return np.asarray(twice) / 2


def groups(there: Array) -> list[tuple[int, ...]]:
    """Return the places that can reach each other, in groups; each place is in one."""
    reach = there | np.eye(len(there), dtype=bool)
    for _ in reach:
        reach = reach @ reach
    return sorted({tuple(np.flatnonzero(row).tolist()) for row in reach & reach.T})
