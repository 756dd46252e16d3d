"""Several machines: shares of a batch, a ring that is played through, and a wave of layers."""

from itertools import count

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, Gaussian
from stbp_edu.training import machines
from tests.networks import make_problem


def test_p2_batch_split_gives_the_gradient_of_the_whole_batch():
    neuron = LIF(tau=0.6, v_th=0.5, surrogate=Gaussian(0.5))
    problem = make_problem(0, [5, 7, 3], 6, 9, neuron)

    def gradient(first, last):
        trace = stbp_edu.forward(problem.spikes[:, first:last], problem.params, neuron)
        targets = problem.targets[first:last]
        return stbp_edu.backward(trace, targets, problem.params, neuron).W[1]

    means = [gradient(*share) for share in ((0, 1), (1, 3), (3, 9))]
    whole = gradient(0, 9)
    found = machines.whole_gradient(means, [1, 2, 6])
    np.testing.assert_allclose(found, whole, 0, 1e-14 * np.abs(whole).max())
    assert not np.allclose(np.mean(means, axis=0), whole, 0.1)  # of unequal shares


@pytest.mark.parametrize("P", [1, 2, 3, 8])
def test_p2_ring_time_is_that_of_a_ring_played_through(P):
    """Each sends one piece to the next, and all wait until it is there, until all have all."""
    pieces, bandwidth, latency = 7.0, 50.0, 0.25  # bytes of a piece
    have = [
        [{p} for _ in range(P)] for p in range(P)
    ]  # whose numbers are in which piece
    seconds = 0.0
    for k in count():
        if all(piece == set(range(P)) for machine in have for piece in machine):
            break
        sent = [(p, (p - k) % P, set(have[p][(p - k) % P])) for p in range(P)]
        for p, piece, numbers in sent:
            have[(p + 1) % P][piece] |= numbers
        seconds += latency + pieces / bandwidth
    found = machines.ring_seconds(P, pieces * P, bandwidth, latency)
    assert found == pytest.approx(seconds, rel=1e-12)


def test_p2_step_time_is_least_where_its_slope_is_zero():
    link = {"size": 4e6, "bandwidth": 1e9, "latency": 1e-5}
    times = [machines.step_seconds(P, 0.1, **link) for P in range(1, 1001)]
    best = np.sqrt((0.1 - 2 * 4e6 / 1e9) / (2 * 1e-5))
    assert abs(1 + np.argmin(times) - best) < 1
    slow = {**link, "bandwidth": 1e7}  # sending takes longer than computing
    assert all(machines.step_seconds(P, 0.1, **slow) > 0.1 for P in range(2, 1001))


@pytest.mark.parametrize(("T", "N"), [(1, 1), (1, 4), (6, 3), (30, 2)])
def test_p2_idle_is_what_is_left_of_a_wave_through_the_grid(T, N):
    end = np.zeros((T + 1, N + 1), int)
    for t, n in np.ndindex(T, N):
        end[t + 1, n + 1] = 1 + max(end[t, n + 1], end[t + 1, n])
    assert machines.idle_share(T, N) == pytest.approx(1 - T * N / (N * end[T, N]))
