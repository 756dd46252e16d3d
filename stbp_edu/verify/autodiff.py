"""Oracle by program: reverse-mode automatic differentiation of the forward pass.

The forward pass is written out with HIPS autograd's NumPy, which records every operation and
applies the chain rule to each. It is given two things: where the spike is, and that h is used
in for the derivative there. The gate's derivative f', the paths through time and the sums over
samples it works out by itself.
"""

from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.forward_pass import Adjoints, Spike, check_spike
from stbp_edu.losses import RATE, LossLike
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Gradients, Params
from stbp_edu.verify import require
from stbp_edu.verify.formula_oracle import check_problem, loss_value, run


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
        TypeError, ValueError: if the shapes or dtypes do not fit together.

    >>> from stbp_edu.parameters import Params
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> adjoints = derivatives(np.ones((3, 1, 1)), np.ones((1, 1)), p, LIF(tau=0.5, v_th=2.0))
    >>> adjoints.gradients.b[1].round(4)
    array([-0.2957])
    """
    T, S = check_problem(spikes, targets, params, neuron, loss)
    autograd = require("autograd", "automatic differentiation")
    spike = check_spike(spike) or neuron.g
    fire = autograd.extend.primitive(spike)

    def backward(o: Any, u: Any) -> Any:
        """Return the step of the chain rule from a signal at spikes o(u) back to u."""
        return lambda signal: signal * neuron.h(u)

    autograd.extend.defvjp(fire, backward)

    def lost(*added: Any) -> Any:
        """Return L, of weights, biases, and the zeros added to potentials and spikes."""
        W, b, du, do = ([None, *layers] for layers in added)
        # f' is found, not given.
        steps = run(spikes, W, b, neuron, fire, du, do, autograd.numpy)
        outputs = [layers[-1] for layers in steps]
        return loss_value(loss, outputs, targets, autograd.numpy)

    zeros = []
    for width in params.sizes[1:]:
        layer = [np.zeros((S, width), params.dtype) for _ in range(T)]
        zeros.append(layer)
    slopes = autograd.grad(lost, (0, 1, 2, 3))
    W = list(params.W[1:])
    b = list(params.b[1:])
    gW, gb, epsilon, delta = slopes(W, b, zeros, zeros)
    return Adjoints(
        delta=[None, *map(np.array, delta)],
        epsilon=[None, *map(np.array, epsilon)],
        gradients=Gradients(W=[None, *gW], b=[None, *gb]),
    )
