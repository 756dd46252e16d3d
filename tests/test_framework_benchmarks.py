"""The comparison with the frameworks, without them and without asserting a time."""

import argparse
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.frameworks import (
    __main__,
    problem,
    processes,
    side_by_side,
)
from benchmarks.frameworks.candidate import BY_NAME, Entry

pytestmark = pytest.mark.slow  # processes take their time to start

SMALL = problem.Size(T=2, batch=20, width=32)
NONE = Entry("none", "A framework that is not here", "none:build", packages=("no_such_framework",))


@pytest.fixture(autouse=True)
def _without_mnist(monkeypatch):
    def unreachable(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(problem, "load_dataset", unreachable)


@pytest.fixture
def small(tmp_path):
    drawn, _ = problem.draw(SMALL)
    path = tmp_path / "problem.npz"
    problem.save(drawn, path)
    return drawn, path


def test_a_problem_is_read_as_it_was_written_with_the_rate_and_the_layers_of_its_size(tmp_path):
    """Without MNIST its images are those of the digits, enlarged."""
    pixels, labels, name = problem.everything()
    assert (pixels.shape, pixels.dtype, pixels.max()) == ((len(labels), 784), np.uint8, 255)
    assert "digits" in name
    deep, _ = problem.draw(replace(SMALL, T=20, hidden=2, rate=2))
    assert deep.params.sizes == (784, 32, 32, 10)
    assert deep.spikes.mean() == pytest.approx(0.02, abs=0.004)
    problem.save(deep, tmp_path / "deep.npz")
    found = problem.read(tmp_path / "deep.npz")
    assert found.size == deep.size
    for name in ("pixels", "labels", "spikes", "targets"):
        np.testing.assert_array_equal(getattr(found, name), getattr(deep, name))
    for ours, theirs in zip(found.params.W[1:], deep.params.W[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("v", [-0.7, -0.1, 0.0, 0.3])
def test_the_neuron_is_one_that_every_framework_can_be_told(v):
    norse = 2 / np.sqrt(np.pi) * np.exp(-((2 * v) ** 2))  # heavi_erfc, k = 2; SpikingJelly's Erf
    assert problem.NEURON.surrogate.derivative(np.array([v]))[0] == pytest.approx(norse)
    gate = problem.NEURON.f(np.array([0.0, 1.0]))  # decay, and reset to zero
    np.testing.assert_allclose(gate, [problem.NEURON.tau, 0])


@pytest.mark.parametrize("name", ["ours", "ours-numpy"])
def test_our_step_in_a_process_has_the_gradient_of_the_five_cases(small, name):
    found = processes.ask(BY_NAME[name], small[1], "check")
    assert set(found) == {"float32"}
    assert found["float32"] < 1e-5


def test_a_framework_that_fails_is_in_the_record_with_its_words(small, monkeypatch):
    assert (NONE.missing(), NONE.versions()) == (["no_such_framework"], {})
    monkeypatch.setattr(side_by_side, "draw", lambda _: (small[0], "digits"))
    cell = side_by_side.measured_at(SMALL, [BY_NAME["products"], NONE], 2, small[1].parent)
    assert [r["name"] for r in cell["rows"]] == ["products"]
    assert "none" in cell["failed"]["none"]


def test_quick_runs_without_any_framework():
    args = argparse.Namespace(quick=True, home=False, rounds=2, only="products")
    record = __main__.measured(args)
    (cell,) = record["cells"]
    assert [r["name"] for r in cell["rows"]] == ["products"]
    assert (cell["width"], cell["rounds"], cell["failed"]) == (50, 2, {})
    assert record["entries"][0]["gradients"] == {}
