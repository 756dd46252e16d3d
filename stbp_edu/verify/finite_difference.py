"""Oracle by definition: nudge one number, run the network again, and compare the losses.

It uses no derivative at all. A spike has none, so the network is run as its *smooth twin*,
with H in place of the step g: there, H' = h is true and not a stand-in, so every derivative
that the recursion computes can be measured. What is nudged may be a weight, a bias, one
potential u_i^{t,n} (which measures ε) or one spike o_i^{t,n} (which measures δ).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows import Node
from stbp_edu.arrows.table import Table
from stbp_edu.forward_pass import Adjoints
from stbp_edu.losses import RATE, LossLike
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Gradients, Params, by_layer
from stbp_edu.surrogates import fires
from stbp_edu.verify import runs
from stbp_edu.verify.comparison import DIFFERENCES, arrays
from stbp_edu.verify.formulas import loss_value

# Below 1e-6 the loss's own rounding shows.
STEP_SIZES = tuple(3.2e-4 / 4**k for k in range(5))
MOVES = (-2, -1, 1, 2)  # how many steps away the loss is taken
AGREE = DIFFERENCES.limit  # of a slope, between one step size and the next
SMALL = 1e-3  # differences are relative to a slope, or to this where it is smaller


class StepSizeError(ArithmeticError):
    """No step size gives a trustworthy difference: a kink is too near, or the loss too steep."""


def twin_loss(
    spikes: Array,
    targets: Array,
    params: Params,
    neuron: LIF,
    node: Node,
    amount: float,
    loss: LossLike = RATE,
    s: int | None = 0,
) -> float:
    """Return the loss of the smooth twin with one number moved; s is its sample, if it has one.

    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> net = (np.ones((1, 1, 1)), np.zeros((1, 1)), p, LIF(tau=0.5, v_th=2.0))
    >>> up, down = (twin_loss(*net, Node("o", n=1, t=0, i=0), r) for r in (1e-3, -1e-3))
    >>> round((up - down) / 2e-3, 4)
    0.2858
    """
    kind, n, t, i, j = node
    if kind in ("W", "b"):
        way = np.zeros_like(getattr(params, kind)[n])
        way[(i, j) if kind == "W" else i] = amount
    else:
        way = np.zeros((*spikes.shape[:2], params.sizes[n]))
        way[t, s, i] = amount  # def-delta, def-epsilon
    net = runs.of_cases(tuple(params.sizes), neuron)
    outputs = twin(net, by_layer(params), spikes, n, kind, way)
    return float(loss_value(loss, outputs, targets))


def twin(
    net: Table, params: Sequence[Any], inputs: Array, n: int, name: str, way: Any
) -> list[dict[str, Any]]:
    """Return the last layer's states on the smooth twin, where an array of layer n is moved.

    That is a parameter or a state; the networks are those of ``runs``.
    """
    layers = [*params]
    added: list[dict[str, Any]] = [{} for _ in layers]
    if name in layers[n]:
        layers[n] = {**layers[n], name: layers[n][name] + way}
    else:
        added[n][name] = way
    smooth = [fires, *(layer.neuron.smooth for layer in net.layers[1:])]
    run = runs.steps(net, layers, inputs, smooth, added)
    return [now[-1] for now in run]


def central(values: Sequence[Any], step: float) -> Any:
    """Return a slope from the values at -2, -1, 1 and 2 steps; it errs by a multiple of step⁴.

    >>> central([(3 + k * 0.1) ** 3 for k in MOVES], 0.1).__round__(12)
    27.0
    """
    low, lower, upper, high = values
    return (8 * (upper - lower) - (high - low)) / (12 * step)


def slopes(value: Callable[[float], Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the slopes of values at 0 by ever smaller steps, and to what errors are relative.

    That is a slope, or what rounding leaves of the values.
    """
    for step in STEP_SIZES:
        ends = [value(k * step) for k in MOVES]
        slope = central(ends, step)
        yield slope, np.fmax(np.fmax(np.abs(slope), SMALL), AGREE * np.abs(ends[0]))


def partial(
    node: Node,
    spikes: Array,
    targets: Array,
    params: Params,
    neuron: LIF,
    loss: LossLike = RATE,
    *,
    s: int | None = 0,
) -> float:
    """Return dL/d(node) on the smooth twin, by central differences of fourth order.

    The step shrinks until two sizes in a row agree.

    Args:
        node: what to nudge, such as Node("W", n=1, i=0, j=0) or Node("u", n=1, t=0, i=0).
        spikes: the input, shape (T, S, n[0]), float64.
        targets: Y, shape (S, n[N]).
        params: weights and biases, float64.
        neuron: constants, gate and surrogate.
        loss: a loss of :mod:`stbp_edu.losses`, or a direct term, whose loss is linear.
        s: the sample whose potential or spike it is.

    Raises:
        StepSizeError: if no step size will do.

    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> one = np.ones((1, 1, 1))
    >>> round(partial(Node("b", n=1, i=0), one, one[0], p, LIF(tau=0.5, v_th=2.0)), 4)
    -0.3434
    """
    given = spikes, targets, params, neuron, node
    before = np.nan
    for slope, size in slopes(lambda r: twin_loss(*given, r, loss, s)):
        if abs(slope - before) <= AGREE * size:
            return float(slope)
        before = slope
    raise StepSizeError(
        f"no two steps from {STEP_SIZES[0]:.0e} to {STEP_SIZES[-1]:.0e} agree on "
        f"dL/d{node.kind} at {node}, sample {s}: H has a corner there, or is too steep; "
        "draw another network"
    )


def derivatives(
    spikes: Array, targets: Array, params: Params, neuron: LIF, *, loss: LossLike = RATE
) -> Adjoints:
    """Return every δ, every ε and both gradients of the smooth twin, measured one by one.

    Arguments and errors are those of :func:`partial`. Each node costs about ten forward
    passes: keep the network small.
    """
    of_states = [(*spikes.shape[:2], m) for m in params.sizes[1:]]
    delta, epsilon = ([None, *map(np.empty, of_states)] for _ in "ou")
    W, b = ([None, *map(np.empty_like, of[1:])] for of in (params.W, params.b))
    found = Adjoints(delta, epsilon, Gradients(W=W, b=b))
    for _, (kind, n, t, *_), slopes in arrays(found):
        for at in np.ndindex(slopes.shape):
            s, *entry = at if kind in "ou" else (None, *at)
            node = Node(kind, n, t, *entry)
            slopes[at] = partial(node, spikes, targets, params, neuron, loss, s=s)
    return found
