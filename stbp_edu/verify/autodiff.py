"""Oracle by program: reverse-mode automatic differentiation of a neuron's forward lines.

HIPS autograd's NumPy records every operation of the forward pass and applies the chain rule to
each. It is told one derivative: where the spike is, h stands in. The factors of the arrows, the
paths through time and the sums over samples it works out by itself.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.table import Table
from stbp_edu.forward_pass import Adjoints, Spike
from stbp_edu.losses import RATE, LossLike
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Gradients, Params, by_layer, by_name
from stbp_edu.surrogates import fires
from stbp_edu.verify import runs
from stbp_edu.verify.formulas import loss_value

Lost = Callable[[Sequence[dict[str, Any]], Any], Any]
"""A loss of the last layer's states, step by step, in a module like NumPy."""


def derivatives(
    spikes: Array,
    targets: Array,
    params: Params,
    neuron: LIF,
    *,
    spike: Spike | None = None,
    loss: LossLike = RATE,
) -> Adjoints:
    """Return every δ, every ε and both gradients, as autograd computes them.

    δ^{t,n} and ε^{t,n} are derivatives with respect to a zero that is added to o^{t,n} and to
    u^{t,n}: they hold all that a change there does to the loss, by any path.

    Args:
        spikes: the input, shape (T, S, n[0]).
        targets: Y, shape (S, n[N]).
        params: weights and biases.
        neuron: constants, gate and surrogate.
        spike: the function o(u); ``neuron.g`` where None, ``neuron.H`` for the smooth twin.
        loss: a loss of :mod:`stbp_edu.losses`, or a direct term, whose loss is linear.

    Raises:
        ImportError: if autograd is not installed.

    >>> from stbp_edu.parameters import Params
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> adjoints = derivatives(np.ones((3, 1, 1)), np.ones((1, 1)), p, LIF(tau=0.5, v_th=2.0))
    >>> adjoints.gradients.b[1].round(4)
    array([-0.2957])
    """

    def fired(v: Any) -> Any:
        """Return the spike by its distance from the threshold."""
        return fires(v) if spike is None else spike(v + neuron.v_th)

    net = runs.of_cases(tuple(params.sizes), neuron)
    lost: Lost = lambda outputs, xp: loss_value(loss, outputs, targets, xp)  # noqa: E731
    states, gradients = of_any(net, by_layer(params), spikes, lost, fired)
    delta, epsilon = ([None, *(of[name] for of in states[1:])] for name in "ou")
    return Adjoints(delta, epsilon, Gradients(**by_name(gradients)))


def of_any(
    net: Table,
    params: Sequence[Any],
    inputs: Array,
    lost: Lost,
    spike: runs.Spike = fires,
) -> tuple[list[Any], list[Any]]:
    """Return the adjoints of all states, (T, S, n[n]) each, and the gradients, by layer and name.

    The network has fully connected layers of any neurons; its parameters and its input are those
    of :func:`stbp_edu.arrows.forward`.
    """
    autograd = checks.require("autograd", "automatic differentiation")

    def differentiable(h: runs.Spike) -> runs.Spike:
        """Return the spike as autograd takes it, with the derivative h."""
        known: runs.Spike = autograd.extend.primitive(spike)
        autograd.extend.defvjp(known, lambda o, v: lambda signal: signal * h(v))
        return known

    layers = net.layers[1:]
    known = [differentiable(layer.neuron.surrogate.derivative) for layer in layers]
    zeros = [
        {state: np.zeros((*inputs.shape[:2], width), inputs.dtype) for state in states}
        for width, states in zip(net.sizes, net.states, strict=True)
    ]

    def value(layers: Any, added: Any) -> Any:
        """Return L, of parameters and of what is added to each state."""
        run = runs.steps(
            net, [None, *layers], inputs, [spike, *known], added, autograd.numpy
        )
        return lost([now[-1] for now in run], autograd.numpy)

    gradients, adjoints = autograd.grad(value, (0, 1))(params[1:], zeros)
    return adjoints, [None, *gradients]
