"""Find ε at every (t, n) from the gradients alone.

∂L/∂W^n = Σ ε^{t,n} (O^{t,n-1})ᵀ over steps and samples. With ε as a (T·S, n[n]) matrix E and the
spikes below as a (T·S, n[n-1]) matrix, that is Eᵀ O. Where the layer below has at least T·S neurons
and O has full rank, E follows: the gradients reveal the ε that the backward pass had at every cell.
So a wrong gradient can be traced to the first wrong cell, whatever the program looks like inside.
"""

from functools import cache
from typing import Any

import numpy as np

from stbp_edu.network import Gradients
from stbp_edu.practice.exercises import ForwardPass, draw_network


@cache
def wide_network() -> ForwardPass:
    """Return a network in which every layer below has more than T·S neurons."""
    return draw_network(773, (9, 9, 9, 9), T=4, S=2, tau=0.6, smooth=True)


def recover_epsilon(net: ForwardPass, gradients: Gradients) -> tuple[list[Any], list[float]]:
    """Return ε by layer, shape (T, S, n[n]), and by layer how badly the gradients fit any ε.

    The misfit is 0 for any backward pass whose last step is right (case 5: Σ over steps and
    samples of ε times the spikes below, and for the bias of ε alone), whatever its ε.
    """
    T, S, N = net.shape
    epsilon: list[Any] = [None]
    misfit = [0.0]
    for n in range(1, N + 1):
        below = net.trace.O[n - 1].reshape(T * S, -1)
        # The bias acts like a weight from a neuron that always spikes: one more column.
        both = np.concatenate([below, np.ones((T * S, 1))], axis=1)
        gradient = np.concatenate([gradients.W[n], gradients.b[n][:, None]], axis=1)
        E, *_ = np.linalg.lstsq(both.T, gradient.T, rcond=None)
        rest = np.linalg.norm(both.T @ E - gradient.T) / max(float(np.linalg.norm(gradient)), 1e-30)
        epsilon.append(E.reshape(T, S, -1))
        misfit.append(float(rest))
    return epsilon, misfit
