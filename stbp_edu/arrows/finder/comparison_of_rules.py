"""How far gradients are from those of each built-in rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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
        if not rule.keeps(net):
            continue
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
    first_run, first_gradients = runs[0]
    layers = range(1, len(first_gradients))
    found = []
    for name in different_rules(first_run.net):
        ours: dict[int, list[Array]] = defaultdict(list)
        yours: dict[int, list[Array]] = defaultdict(list)
        for local, given in runs:
            lam = lambdas(local, name)
            expected = gradients(local, lam, RULES[name].start)
            for n in layers:
                for parameter, gradient in given[n].items():
                    ours[n].append(np.ravel(expected[n][parameter]))
                    yours[n].append(np.ravel(gradient))
        pairs = []
        for n in layers:
            pair = np.concatenate(yours[n]), np.concatenate(ours[n])
            pairs.append(pair)
        found.append(_candidate(gate, name, pairs))
    return found


def _candidate(gate: str, rule: str, pairs: Sequence[tuple[Array, Array]]) -> RuleFit:
    """Return how far gradients are from those of a rule, with and without a factor each."""
    residuals = []
    factors = []
    left = []
    for yours, ours in pairs:
        difference = np.linalg.norm(yours - ours)
        norm = np.linalg.norm(yours)
        size = max(norm, np.linalg.norm(ours))
        residual = float(difference / size) if size > 0 else 0.0
        square = float(ours @ ours)
        factor = float(yours @ ours) / square if square > 0 else 1.0
        rest = residual
        if norm:
            difference = np.linalg.norm(yours - factor * ours)
            rest = float(difference / norm)
        residuals.append(residual)
        factors.append(factor)
        left.append(rest)
    return RuleFit(gate, rule, max(residuals), tuple(factors), max(left))
