"""Learning in blocks: where no arrow crosses a block's edge, one block is held at a time."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stbp_edu.arrows.adjoints import gradients, lambdas
from stbp_edu.arrows.factors import derivatives_on
from stbp_edu.arrows.forward_run import Now, as_trace, rest, step
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.parameters import LayerParams
from stbp_edu.arrows.rules import Rule
from stbp_edu.checks import Array


def blockwise(
    net: Network,
    params: LayerParams,
    inputs: Sequence[Array] | Array,
    targets: Array,
    rule: Rule,
    mean: Array,
    twin: bool,
) -> LayerParams:
    """Return the gradients of a rule in blocks: each block forward, then backward, then let go.

    The memory grows with the block and not with T. ``mean`` is that of the state that the loss
    reads, where the loss needs it.
    """
    T, K = len(inputs), rule.block or len(inputs)
    total: LayerParams = [None, *({} for _ in range(net.N))]
    past = rest(net, inputs[0])
    for start in range(0, T, K):
        states = [past]
        for t in range(start, min(start + K, T)):
            states.append(step(net, params, inputs[t], states[-1], twin))
        past = states[-1]
        direct = _direct(net, states, start, T, mean, targets)
        for n, found in enumerate(_gradients(net, params, states, direct, rule)[1:], 1):
            total[n] = {k: total[n].get(k, 0.0) + g for k, g in found.items()}
    return total


def _direct(
    net: Network, states: list[Now], start: int, T: int, mean: Array, targets: Array
) -> Array:
    """Return ∂L/∂state of a block's steps; 0 at the step before it, which comes first."""
    read = [now[net.N][net.loss.state] for now in states]
    direct = [net.loss.direct_at(t, T, z, mean, targets) for t, z in enumerate(read[1:], start)]
    return np.stack([np.zeros_like(read[0]), *direct])


def _gradients(
    net: Network, params: LayerParams, states: list[Now], direct: Array, rule: Rule
) -> LayerParams:
    """Return the gradients of a block; the step before it is there to be read, with adjoint 0."""
    trace = as_trace(net, states)
    lam = lambdas(derivatives_on(net, params, trace, direct), replace(rule, block=None))
    for adjoints in lam[1:]:
        for adjoint in adjoints.values():
            adjoint[0] = 0.0
    return gradients(net, params, trace, lam, rule.start)
