"""Traces and gradients share no memory: two at once, networks in turn, and threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF
from tests.bad_calls import equal
from tests.networks import make_problem

NEURON = LIF(tau=0.5, v_th=0.6)
SIZES = [20, 70, 5]


def problem(seed):
    """A problem with arrays of the size that is used again, and rare spikes."""
    found = make_problem(seed, SIZES, T=6, S=40, neuron=NEURON, dtype=np.float32)
    found.spikes[np.random.default_rng(seed).random(found.spikes.shape) > 0.3] = 0
    return found


def read_only(seed):
    """A problem whose spikes are noted once for both passes."""
    found = problem(seed)
    found.spikes.flags.writeable = False
    return found


def gradients(net, given, trace=None):
    trace = trace or net.forward(given.spikes, given.params)
    return net.backward(trace, given.targets, given.params).arrays()


@pytest.fixture(params=["numpy", pytest.param("compiled", marks=pytest.mark.slow)])
def net(request):
    return stbp_edu.network(SIZES, NEURON, backend=request.param)


@pytest.mark.parametrize("draw", [problem, read_only])
def test_two_traces_are_alive_at_once_of_one_network_or_of_two_that_are_equal(
    net, draw
):
    again = stbp_edu.network(SIZES, NEURON, backend=net.backend)
    one, other = draw(1), draw(2)
    expected = gradients(net, one), gradients(net, other)
    for second in (net, again):
        traces = [
            of.forward(p.spikes, p.params) for of, p in ((net, one), (second, other))
        ]
        assert equal(gradients(second, other, traces[1]), expected[1])
        assert equal(gradients(net, one, traces[0]), expected[0])
        assert not np.shares_memory(traces[0].U[1], traces[1].U[1])


def test_eight_threads_on_one_network(net):
    problems = [read_only(seed) for seed in range(8)]
    expected = [gradients(net, one) for one in problems]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            found = pool.map(lambda one: gradients(net, one), problems)
            assert all(equal(*pair) for pair in zip(found, expected, strict=True))


@pytest.mark.parametrize("readable", [False, True])
def test_an_input_may_change_after_the_forward_pass(readable):
    """It is copied, unless it is read-only."""
    net, one = stbp_edu.network(SIZES, NEURON, backend="numpy"), problem(1)
    kept = one.spikes.copy()

    def forward(spikes):
        if readable:
            return stbp_edu.forward(spikes, one.params, NEURON)
        return net.forward(spikes, one.params)

    trace = forward(one.spikes)
    expected = gradients(net, one, trace)
    one.spikes[:] = 7
    assert equal(gradients(net, one, trace), expected)
    kept.flags.writeable = False
    assert forward(kept).O[0].base is kept or forward(kept).O[0] is kept


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.float64])
def test_both_doors_take_numbers_of_any_kind(dtype):
    net, one = stbp_edu.network(SIZES, NEURON, backend="numpy"), problem(1)
    given = one.spikes.astype(dtype)
    slow = stbp_edu.forward(given, one.params, NEURON)
    assert slow.O[0].dtype == np.float32
    np.testing.assert_allclose(net.forward(given, one.params).U[2], slow.U[2], 1e-5)
