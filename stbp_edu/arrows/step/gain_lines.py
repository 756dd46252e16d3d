"""The lines of a step back that hold the gain of a neuron from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from stbp_edu.arrows.rules import groups
from stbp_edu.arrows.step.step_functions import (
    STATE,
    Assignment,
    Names,
    Term,
    Variable,
)
from stbp_edu.lines import expressions as ex
from stbp_edu.lines.slopes import tidy


def gain_lines(
    limit: float,
    rows: Sequence[Assignment],
    next_adjoints: Sequence[Variable],
    names: Names,
) -> list[Assignment]:
    """Return the lines that hold the gain of each group of adjoints: before the others.

    Args:
        limit: the most that a gain may be.
        rows: the lines of the adjoints.
        next_adjoints: the adjoints of the next step that they read.
        names: the names of all variables; those of the gains are added.
    """
    later = [names[one] for one in next_adjoints]
    now = [names[replace(one, step=0)] for one in next_adjoints]
    gains = {}
    for i, name in enumerate(now):
        for k, of in enumerate(later):
            gains[i, k] = _gain(rows, name, of)
    there = np.zeros((len(later), len(later)), bool)
    for place, gain in gains.items():
        there[place] = gain != ex.ZERO
    found = []
    most = ex.Number(limit)
    for group in groups(there):
        entries = [gains[place] for place in product(group, group)]
        if all(entry == ex.ZERO for entry in entries):
            continue
        held = names.add(Variable("gain", later[group[0]]), "gain")
        op = "norm" if len(group) > 1 else "abs"
        size = ex.Call(op, tuple(entries))
        found.append(Assignment(held, (Term(size),)))
        scale = most / ex.call("max", ex.Name(held, STATE), most)
        for k in group:
            scaled = Term(scale, later[k])
            found.append(Assignment(later[k], (scaled,), "gain-limit"))
    return found  # gain-limit, gain-bound


def _gain(rows: Sequence[Assignment], name: str, later: str) -> ex.Expression:
    """Return the factor with which an adjoint of the next step comes back to one of this."""
    total: ex.Expression = ex.ZERO
    for row in rows:
        if row.name != name:
            continue
        for factor, of in row.terms:
            inside = ex.ONE if of == later else _gain(rows, of, later)
            total = total + factor * inside
    return tidy(total)
