"""The rate loss: the firing rate of each output neuron should match its target."""

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.network import Trace


def check_targets(targets: Array, outputs: Array) -> None:
    """Check the output spikes, of shape (T, S, n[N]), and the targets against them."""
    checks.array("trace.O[N]", outputs, "(T, S, n[N])", (None, None, None))
    _, S, width = outputs.shape
    checks.array("targets", targets, "(S, n[N])", (S, width), dtype=outputs.dtype)


def loss(trace: Trace, targets: Array) -> float:
    """Return L = 1/(2S) Σ_s || y_s - (1/T) Σ_t o_s^{t,N} ||² (id ``loss``).

    Args:
        trace: a forward pass; only its output spikes are read.
        targets: Y, shape (S, n[N]), in the dtype of the trace.

    Raises:
        TypeError, ValueError: if ``targets`` or the outputs have the wrong shape or dtype, or are
            not finite.

    >>> import numpy as np
    >>> out = np.array([[[1.0]], [[0.0]]])   # one neuron: a spike, then none
    >>> loss(Trace(U=[None, out], O=[out, out]), np.array([[1.0]]))
    0.125
    """
    outputs = checks.instance("trace", trace, Trace).O[-1]
    check_targets(targets, outputs)
    S = outputs.shape[1]
    return float(((targets - outputs.mean(axis=0)) ** 2).sum() / (2 * S))  # loss
