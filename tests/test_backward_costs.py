"""The shapes and costs of the backward pass, as the sheet shows them, against arrays."""

import numpy as np

import stbp_edu
from tools.pages.backward_costs import backward_costs


def test_shapes_and_counts_are_those_of_the_arrays():
    rng = np.random.default_rng(3)
    sizes, T, S = (7, 5, 4, 2), 6, 3
    params = stbp_edu.init_params(sizes, rng)
    spikes, targets = rng.random((T, S, 7)), rng.random((S, 2))
    trace = stbp_edu.forward(spikes, params, stbp_edu.LIF())
    epsilon = stbp_edu.cases.sweep(trace, targets, params, stbp_edu.LIF()).epsilon
    rows = backward_costs(sizes, T, S).rows
    for n in (3, 2, 1):
        first, reset, spike, carry, gradient = (r for r in rows if r.layer == n)
        here = epsilon[n]
        assert first.example == reset.example == spike.example == here[0].shape
        dW = np.einsum("tsi,tsj->ij", here, trace.O[n - 1])
        assert gradient.example == dW.shape == params.W[n].shape
        assert gradient.count == dW.size * T * S
        assert spike.count == here.size
        assert reset.count == 2 * carry.count == 2 * here[1:].size
        if n == 3:
            assert first.count == here[0].size
        else:
            inner = params.W[n + 1].shape[0]
            assert first.count == (epsilon[n + 1] @ params.W[n + 1]).size * inner
