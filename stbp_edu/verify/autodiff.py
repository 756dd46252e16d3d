"""Oracle by program: reverse-mode automatic differentiation of the forward pass.

The forward pass is written out with HIPS autograd's NumPy, which records every operation and
applies the chain rule to each. Two things are told to it: where the spike is, and that h stands
in for the derivative there. The gate's derivative f', the paths through time and the sums over
samples it works out by itself.
"""

from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.losses import RATE, LossLike
from stbp_edu.network import Adjoints, Gradients, Params, Spike, check_spike, check_spikes
from stbp_edu.neuron import LIF
from stbp_edu.verify import require
from stbp_edu.verify.formulas import carried, check_loss, loss_value


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

    >>> from stbp_edu.network import Params
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> adjoints = derivatives(np.ones((3, 1, 1)), np.ones((1, 1)), p, LIF(tau=0.5, v_th=2.0))
    >>> adjoints.gradients.b[1].round(4)
    array([-0.2957])
    """
    T, S = check_spikes(spikes, params)
    checks.instance("neuron", neuron, LIF)
    check_loss(loss, targets, (T, S, params.sizes[-1]), params.dtype)
    autograd = require("autograd", "automatic differentiation")
    fire = autograd.extend.primitive(check_spike(spike) or neuron.g)
    autograd.extend.defvjp(fire, lambda ans, u: lambda signal: signal * neuron.h(u))

    def run(W: Any, b: Any, du: Any, do: Any) -> Any:
        """Return L; ``du`` and ``do`` are the zeros added to the potentials and spikes."""
        u: list[Any] = [0.0] * params.N
        o: list[Any] = [np.zeros(1)] * params.N
        outputs: list[tuple[Any, Any]] = []
        for t in range(T):
            below = spikes[t]
            for n in range(params.N):
                left = carried(u[n], o[n], neuron, autograd.numpy)  # f' is found, not told
                u[n] = left + below @ W[n].T + b[n] + du[n][t]
                below = o[n] = fire(u[n]) + do[n][t]
            outputs.append((o[-1], u[-1]))
        return loss_value(loss, outputs, targets, autograd.numpy)

    zeros = [[np.zeros((S, m), params.dtype) for _ in range(T)] for m in params.sizes[1:]]
    start = (list(params.W[1:]), list(params.b[1:]), zeros, zeros)
    gW, gb, epsilon, delta = autograd.grad(run, (0, 1, 2, 3))(*start)
    gradients = Gradients(W=[None, *gW], b=[None, *gb])
    return Adjoints([None, *map(np.array, delta)], [None, *map(np.array, epsilon)], gradients)
