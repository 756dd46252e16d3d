"""The factor of every arrow: what the recursion and the paths multiply."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows.models import Network, Trace
from stbp_edu.arrows.parameters import LayerParams, check_params
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import Arrow
from stbp_edu.checks import Array

Factors = list[dict[tuple[str, bool], Any]]
"""By layer: (kind of arrow, whether it forgets the spike) to an array (T, S, *shape)."""


class Steps(dict[str, Any]):
    """A layer's states at each step; under ``"u-1"`` and ``"u+1"`` those of the step next to it.

    Before the first step they are 0; the step after the last one is not there to be read.

    >>> Steps(u=np.array([[1.0], [2.0]]))["u-1"].ravel()
    array([0., 1.])
    """

    def __missing__(self, key: str) -> Any:
        """Return a state's series, moved by one step."""
        here = self[key[:-2]]
        earlier = [np.zeros_like(here[:1]), here[:-1]]
        self[key] = np.concatenate(earlier if key.endswith("-1") else [here[1:], here[-1:]])
        return self[key]


@dataclass(frozen=True)
class LocalDerivatives:
    """The factor of every arrow: numbers from a forward run, letters, or ones to count paths.

    Attributes:
        net: the network.
        factors: of the arrows inside the neurons.
        params: the weights that arrows with a linear map carry.
        direct: ∂L/∂state of the last layer, shape (T, S, *shape).
        outputs: by layer, what the weights are multiplied by: the input, and each layer's spikes.
    """

    net: Network
    factors: Factors
    params: LayerParams
    direct: Any
    outputs: list[Any]

    @property
    def T(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of steps."""
        return len(self.direct)

    @cached_property
    def matrices(self) -> dict[tuple[int, str], tuple[Any, Any]]:
        """By layer and arrow, its linear map as a matrix, and where that can differ from 0."""
        found = {}
        for n, arrows in enumerate(self.net.arrows):
            for arrow in arrows:
                if (link := arrow.link) is not None:
                    W = self.params[n + arrow.layer][link.parameter]
                    there = link.matrix(np.ones(W.shape)) != 0
                    found[n, arrow.kind] = link.matrix(W), there
        return found

    def factor(self, arrow: Arrow, n: int, rule: Rule) -> Any:
        """Return an arrow's factor as a rule sees it."""
        forgets = arrow.kind in rule.forgets and arrow.leak is not None
        return self.factors[n][arrow.kind, forgets]


def local_derivatives(
    net: Network, params: LayerParams, trace: Trace, targets: Array
) -> LocalDerivatives:
    """Return the factor of every arrow on a forward run.

    Raises:
        TypeError, ValueError: if parameters, trace and targets do not fit the network.
    """
    check_params(net, params)
    read = trace[net.loss.state][net.N]
    if targets.shape != read.shape[1:]:
        raise ValueError(
            f"targets must have shape (S, n[N]) = {read.shape[1:]}, got {targets.shape}"
        )
    checks.check_finite("targets", targets)
    return derivatives_on(net, params, trace, net.loss.direct(read, targets))


def derivatives_on(
    net: Network, params: LayerParams, trace: Trace, direct: Array
) -> LocalDerivatives:
    """Return the factor of every arrow on a run whose direct term ∂L/∂state is known."""
    factors: Factors = [{}]
    for n in range(1, net.N + 1):
        states = Steps({name: series[n] for name, series in trace.items()})
        table = {}
        for arrow in net.layers[n].neuron.arrows:
            for forgets, factor in ((False, arrow.factor), (True, arrow.leak)):
                if factor is not None:
                    table[arrow.kind, forgets] = factor(states, params[n])
        factors.append(table)
    outputs = [trace[net.output_of(n)][n] for n in range(net.N + 1)]
    return LocalDerivatives(net, factors, params, direct, outputs)
