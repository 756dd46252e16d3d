"""How far gradients are from those of each built-in rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.adjoints import LocalDerivatives, gradients, lambdas
from stbp_edu.arrows.rules import RULES
from stbp_edu.arrows.table import LayerParams, Table


@dataclass(frozen=True)
class RuleFit:
    """A gate and a rule, and how far gradients are from theirs.

    Attributes:
        gate: the gate, or another name of the neuron.
        rule: the rule.
        residual: the norm of the difference, relative to the gradient; of the worst layer.
        factors: for each layer, what the rule's gradient is multiplied by to come nearest.
        left: the residual after that.
    """

    gate: str
    rule: str
    residual: float
    factors: tuple[float, ...]
    left: float

    def rank(self, tolerance: float) -> tuple[bool, bool, float]:
        """Return a key that is smaller the nearer it is: equal, equal but for factors, others."""
        if self.residual < tolerance:
            return False, False, 0.0
        return True, self.left >= tolerance, self.residual


def different_rules(net: Table) -> list[str]:
    """Return the rules that treat the arrows of a network differently: of others, the first.

    On neurons without adaptation in layers without recurrent weights ``detached-spikes`` is
    ``detached-reset``. A rule that keeps no word of the network is left out.
    """
    arrows = [*chain.from_iterable(net.arrows)]
    first: dict[Any, str] = {}
    for name, rule in RULES.items():
        if rule.keeps(net):
            words = [rule.move(q, arrow) for q, arrow in product(rule.moves, arrows)]
            first.setdefault((*words, rule.forgets), name)
    return list(first.values())


def candidates(
    runs: Sequence[tuple[LocalDerivatives, LayerParams]], gate: str = ""
) -> list[RuleFit]:
    """Return how far gradients are from those of each rule, in the order of the rules.

    Args:
        runs: the arrows of each run with their factors, and the gradients that were found; those
            arrays are compared that were found.
        gate: what to call the neuron.
    """
    first_run, _ = runs[0]
    found = []
    for name in different_rules(first_run.net):
        parts = []
        for local, yours in runs:
            ours = gradients(local, lambdas(local, name), RULES[name].start)
            parts.append([*map(_in_rows, yours[1:], ours[1:])])
        layers = [
            np.concatenate(of_layer, axis=1) for of_layer in zip(*parts, strict=True)
        ]
        found.append(_fit(gate, name, layers))
    return found


def _in_rows(yours: Mapping[str, Any], ours: Mapping[str, Any]) -> Array:
    """Return the gradients of a layer that were found, and those of a rule, in a row each."""
    rows = [[np.ravel(of[name]) for name in yours] for of in (yours, ours)]
    return np.stack([np.concatenate(row) for row in rows])


def _fit(gate: str, rule: str, layers: Sequence[Array]) -> RuleFit:
    """Return how far gradients are from those of a rule, with and without a factor each."""
    residuals = []
    factors = []
    left = []
    for yours, ours in layers:
        norm = np.linalg.norm(yours)
        size = max(norm, np.linalg.norm(ours)) or 1.0
        square = float(ours @ ours)
        factor = float(yours @ ours) / square if square > 0 else 1.0
        residuals.append(float(np.linalg.norm(yours - ours) / size))
        factors.append(factor)
        left.append(float(np.linalg.norm(yours - factor * ours) / (norm or size)))
    return RuleFit(gate, rule, max(residuals), tuple(factors), max(left))
