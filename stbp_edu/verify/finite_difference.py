"""Oracle by definition: nudge one number, run the network again, and compare the losses.

It uses no derivative at all. A spike has none, so the network is run as its *smooth twin*,
with H in place of the step g: there, H' = h is true and not a stand-in, so every derivative
that the recursion computes can be measured. What is nudged may be a weight, a bias, one
potential u_i^{t,n} (which measures ε) or one spike o_i^{t,n} (which measures δ).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows import Node
from stbp_edu.arrows.unrolled import check_node
from stbp_edu.forward_pass import Adjoints
from stbp_edu.losses import RATE, LossLike
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Gradients, Params, by_layer
from stbp_edu.verify import lines_run
from stbp_edu.verify.comparison import Problem, arrays
from stbp_edu.verify.formulas import check_problem, loss_value

# Below 1e-6 the loss's own rounding shows.
STEP_SIZES = tuple(3.2e-4 / 4**k for k in range(5))
MOVES = (-2, -1, 1, 2)  # how many steps away the loss is taken
AGREE = (1e-7, 1e-10)  # rtol and atol between one step size and the next


class StepSizeError(ArithmeticError):
    """No step size gives a trustworthy difference: a kink is too near, or the loss too steep."""


def twin_loss(
    spikes: Array,
    targets: Array,
    params: Params,
    neuron: LIF,
    nudged: Node | None = None,
    amount: float = 0.0,
) -> float:
    """Return the rate loss of the smooth twin with one number moved, in the first sample.

    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> net = (np.ones((1, 1, 1)), np.zeros((1, 1)), p, LIF(tau=0.5, v_th=2.0))
    >>> up, down = (twin_loss(*net, Node("o", n=1, t=0, i=0), r) for r in (1e-3, -1e-3))
    >>> round((up - down) / 2e-3, 4)
    0.2858
    """
    problem = Problem(spikes, targets, params, neuron)
    loss, _ = _nudged(problem, RATE, nudged or Node("b", n=1, i=0), 0, amount)
    return loss


def _nudged(
    problem: Problem, loss: LossLike, node: Node, s: int | None, amount: float
) -> tuple[float, Array]:
    """Return the loss of the twin where a number has moved, and where each potential lands.

    That is on a piece of H: a difference across a joint of two pieces is not a slope.
    """
    spikes, targets, params, neuron = problem
    joints = getattr(neuron.surrogate, "joints", ())
    layers = by_layer(params)
    added: list[dict[str, Any]] = [{} for _ in layers]
    kind, n, t, i, j = node
    if kind in layers[n]:
        array = layers[n][kind].copy()
        array[(i, j) if kind == "W" else i] += amount
        layers[n] = {**layers[n], kind: array}
    else:
        added[n][kind] = np.zeros((*spikes.shape[:2], params.sizes[n]))
        added[n][kind][t, s, i] = amount  # def-delta, def-epsilon
    pieces = []

    def smooth(v: Any) -> Any:
        """Return H(v), and note the pieces."""
        pieces.append(np.searchsorted(joints, v).ravel())
        return neuron.surrogate.antiderivative(v)

    net = lines_run.of_cases(tuple(params.sizes), neuron)
    run = lines_run.steps(net, layers, spikes, [smooth] * len(layers), added)
    value = loss_value(loss, [now[-1] for now in run], targets)
    return float(value), np.concatenate(pieces)


def central(values: Sequence[Any], step: float) -> Any:
    """Return a slope from the values at -2, -1, 1 and 2 steps; it errs by a multiple of step⁴.

    >>> central([(3 + k * 0.1) ** 3 for k in MOVES], 0.1).__round__(12)
    27.0
    """
    low, lower, upper, high = values
    return (8 * (upper - lower) - (high - low)) / (12 * step)


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

    The step shrinks until two sizes in a row agree and no potential crosses a joint of H.

    Args:
        node: what to nudge, such as Node("W", n=1, i=0, j=0) or Node("u", n=1, t=0, i=0).
        spikes: the input, shape (T, S, n[0]), float64.
        targets: Y, shape (S, n[N]).
        params: weights and biases, float64.
        neuron: constants, gate and surrogate.
        loss: a loss of :mod:`stbp_edu.losses` or of your own; or a direct term, whose loss is
            linear.
        s: the sample whose potential or spike it is.

    Raises:
        StepSizeError: if no step size will do; the message says why.
        TypeError: if the parameters are not float64.
        ValueError: if the node does not exist, or the shapes do not fit together.

    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> one = np.ones((1, 1, 1))
    >>> round(partial(Node("b", n=1, i=0), one, one[0], p, LIF(tau=0.5, v_th=2.0)), 4)
    -0.3434
    """
    problem = Problem(spikes, targets, params, neuron)
    T, S = check_problem(*problem, loss)
    if params.dtype != np.float64:
        raise TypeError(
            f"params must be float64, got {params.dtype}; float32 rounds a small difference away"
        )
    check_node(node, lines_run.of_cases(tuple(params.sizes), neuron), T)
    if s is not None:
        checks.count("s", s, at_least=0, at_most=S - 1)
    _, home = _nudged(problem, loss, node, s, 0.0)
    rtol, atol = AGREE
    before = float("nan")
    for step in STEP_SIZES:
        moved = [_nudged(problem, loss, node, s, k * step) for k in MOVES]
        values, pieces = zip(*moved, strict=True)
        crossed = np.any(np.array(pieces) != home)
        if crossed:
            continue
        slope = central(values, step)
        if abs(slope - before) <= rtol * abs(slope) + atol:
            return slope
        before = slope
    reason = "two steps never agree"
    if crossed:
        reason = "a potential crosses a joint of H"
    raise StepSizeError(
        f"no step from {STEP_SIZES[0]:.0e} to {STEP_SIZES[-1]:.0e} measures dL/d{node.kind} at "
        f"{node}, sample {s}: {reason}; draw another network"
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
