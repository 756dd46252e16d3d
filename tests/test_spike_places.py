"""The engine goes through rare spikes one by one: where they are, and the sums over them."""

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian
from stbp_edu.engine import Workspace, compiled, loops
from stbp_edu.engine.spike_places import core_cache, rare_spikes, tables_of
from stbp_edu.engine.threads import limit_threads
from stbp_edu.engine.workspace import by_columns, mean_of
from tests.networks import assert_close, make_problem, network_of

NEURON = LIF(tau=0.5, v_th=0.6, surrogate=Gaussian(0.5))
numba = pytest.mark.skipif(not compiled.installed(), reason="Numba is not installed")


@pytest.mark.parametrize("spikes", [0, 3, 4, 13, 21])
def test_a_row_of_weights_for_each_spike_is_a_product(spikes):
    """Eight, four and one at a time: as Python runs the loops, which are compiled as they stand."""
    rng = np.random.default_rng(spikes)
    row, table, total = np.zeros(30), rng.normal(size=(30, 5)), rng.normal(size=5)
    row[rng.permutation(30)[:spikes]] = 1
    index, found = np.zeros(31, np.int32), total.copy()
    count = loops.spikes_in(row, index)
    assert count == spikes
    loops.add_rows(table, index, count, found)
    np.testing.assert_allclose(found, total + row @ table, rtol=1e-12)
    scales, found = rng.normal(size=spikes), total.copy()
    loops.add_scaled_rows(scales, table[:spikes], found)
    np.testing.assert_allclose(found, total + scales @ table[:spikes], rtol=1e-12)


@numba
@pytest.mark.parametrize("least", [0, 10**9])
@pytest.mark.parametrize(("T", "m", "cache"), [(4, 200, 2**20), (300, 900, 2**16)])
def test_compiled_products_with_spikes_are_matrix_products(
    T, m, cache, least, monkeypatch
):
    """Also in two threads, which share rows that do not divide by two, and by uneven columns."""
    monkeypatch.setattr("stbp_edu.engine.threads.LEAST", least)
    monkeypatch.setattr("stbp_edu.engine.spike_places.core_cache", lambda: cache)
    limit_threads(2)
    rng = np.random.default_rng(0)
    o = (rng.random((T, 3, 71)) < 0.15).astype(np.float32)
    W, epsilon = rng.normal(size=(m, 71)), rng.normal(size=(T, 3, m))
    W, epsilon = W.astype(np.float32), epsilon.astype(np.float32)
    x, gradient = np.empty((T, 3, m), np.float32), np.empty((71, m), np.float32)
    b = rng.normal(size=m).astype(np.float32)
    places = rare_spikes(o, m)
    places.weigh(W, b, x)
    places.correlate(epsilon, gradient)
    limit_threads(0)
    np.testing.assert_allclose(x, o @ W.T + b, rtol=1e-4, atol=1e-4)
    expected = np.einsum("tsi,tsj->ij", o, epsilon)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-3)


@numba
def test_spikes_are_rare_where_adding_rows_costs_less_than_a_product():
    rng = np.random.default_rng(0)
    o = (rng.random((5, 4, 100)) < 0.15).astype(np.float32)
    o[2, 1] = 0
    found = rare_spikes(o, 800)
    rows, neurons = np.nonzero(o.reshape(20, 100))
    named = [found.places[a:b] for a, b in zip(found.starts, found.ends, strict=True)]
    assert np.concatenate(named).tolist() == neurons.tolist()
    assert [len(of_row) for of_row in named] == np.bincount(rows, minlength=20).tolist()
    assert found.count == len(neurons)
    assert rare_spikes(o, 36) is None
    assert rare_spikes(o + np.float32(0.5), 800) is None
    assert rare_spikes((rng.random(o.shape) < 0.5).astype("f"), 800) is None
    assert rare_spikes(o[:, ::2], 800) is None


@numba
@pytest.mark.parametrize("again", [False, True])
def test_places_of_spikes_are_kept_for_the_series_that_they_are_of(again):
    """A backward pass of another run, with the same buffers, looks for its own spikes."""
    problem = make_problem(0, [60, 200, 3], T=4, S=3, neuron=NEURON)
    net = network_of("60-200-3", NEURON, backend="compiled")
    rng, work = np.random.default_rng(0), Workspace()
    runs = []
    for workspace in (None, work):
        spikes = (rng.random((4, 3, 60)) < 0.1).astype(float)
        assert rare_spikes(spikes, 200)
        runs.append(net.forward(problem.params, spikes, workspace=workspace))
    run = runs[again]
    found = net.backward(problem.params, run, problem.targets, workspace=work)
    wanted = net.backward(problem.params, run, problem.targets)
    assert_close(found.W, wanted.W, "dL/dW", tol=0)


@numba
def test_weights_are_cut_into_parts_that_the_cache_holds(monkeypatch):
    """Of 100 neurons 25 spike, so a quarter of the weights is read."""
    rng = np.random.default_rng(0)
    o = np.zeros((5, 40, 100), np.float32)
    o[:, :, :25] = rng.random((5, 40, 25)) < 0.5
    assert rare_spikes(o, 800).share_of_weights(100) == 0.25
    W = rng.normal(size=(80, 100)).astype(np.float32)
    monkeypatch.setattr("stbp_edu.engine.spike_places.core_cache", lambda: 8000)
    for share, shape in ((1.0, (3, 100, 32)), (0.25, (1, 100, 80))):
        tables = tables_of(W, W.nbytes * share)
        assert tables.shape == shape
        assert np.array_equal(np.hstack([*tables])[:, :80], W.T)


@pytest.mark.parametrize("told", ["512K\n", "none\n"])
def test_the_cache_of_a_core_is_what_the_system_says(told, monkeypatch):
    monkeypatch.setattr("pathlib.Path.read_text", lambda _: told)
    assert core_cache.__wrapped__() == {"5": 2**19, "n": 2**20}[told[0]]


@numba
def test_weights_that_lie_by_columns_are_not_copied():
    rng = np.random.default_rng(0)
    for m, copied in ((80, False), (81, True)):
        W = by_columns(rng.normal(size=(m, 100)).astype(np.float32))
        tables = tables_of(W, W.nbytes)
        assert np.shares_memory(tables, W) != copied
        assert np.array_equal(tables[0, :, :m], W.T)


@numba
def test_spikes_that_the_forward_pass_counted_are_not_added_up_again(monkeypatch):
    """Only once, and only those of the very same series: the next may have the same shape."""
    problem = make_problem(0, [60, 200, 3], T=4, S=3, neuron=NEURON)
    net = network_of("60-200-3", NEURON, backend="compiled")
    spikes = (np.random.default_rng(0).random((4, 3, 60)) < 0.1).astype(float)
    work, added = Workspace(), []
    net.forward(problem.params, spikes, workspace=work)
    monkeypatch.setattr(
        "stbp_edu.engine.workspace.mean_of", lambda a: added.append(a) or mean_of(a)
    )
    assert work.take_rate(1, spikes) == spikes.mean()
    assert not added
    assert work.take_rate(1, spikes) == pytest.approx(spikes.mean(), rel=1e-12)
    assert len(added) == 1
    net.forward(problem.params, spikes, workspace=work)
    work.take_rate(1, spikes.copy())
    assert len(added) == 2
    net.forward(problem.params, spikes, workspace=work)
    spikes[:] = 0.5  # goes by a product, so it is not counted
    net.forward(problem.params, spikes, workspace=work)
    assert work.take_rate(1, spikes) == pytest.approx(0.5)
