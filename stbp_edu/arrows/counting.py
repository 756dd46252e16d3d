"""How many paths a rule keeps, and how many it drops: the recursion with 1 for every factor."""

from dataclasses import replace
from typing import Any

import numpy as np

from stbp_edu.arrows.adjoints import sweep
from stbp_edu.arrows.factors import LocalDerivatives
from stbp_edu.arrows.letters import tabulated
from stbp_edu.arrows.link import Link
from stbp_edu.arrows.maps import AveragePool, Shape
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.words import Node


def count_paths(net: Network, T: int, rule: str | Rule, start: Node) -> tuple[int, int]:
    """Return how many paths from a node a rule keeps, and how many it drops.

    Nothing is walked: it is the recursion with 1 for every factor.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> count_paths(network("1-2-2", hard_reset(LIF())), 4, "classic", Node("u", 1, 0, 0))
    (40, 58)
    """
    ones = _ones(net, T)
    kept, every = (
        int(sweep(ones, one)[start.n][start.kind, one.start][start.t, 0].flat[start.i])
        for one in (as_rule(rule), as_rule("exact"))
    )
    return kept, every - kept


def _ones(net: Network, T: int) -> LocalDerivatives:
    """Return 1 for every factor, as Python integers, which never overflow."""

    def counted(link: Link) -> Link:
        """Return a link whose pooling counts what it pools."""
        maps = (replace(m, share=1) if isinstance(m, AveragePool) else m for m in link.maps)
        return replace(link, maps=tuple(maps))

    def ones(shape: Shape, *_: Any) -> Any:
        """Return integers 1."""
        return np.ones(shape, int).astype(object)

    layers = [replace(layer, link=counted(layer.link)) for layer in net.layers[1:]]
    unit = replace(net, layers=(None, *layers))
    return tabulated(unit, T, ones, ones)
