"""The comparison with the frameworks, without them and without asserting a time."""

import argparse

import pytest

from benchmarks.frameworks import __main__, problem, processes
from benchmarks.frameworks.candidate import BY_NAME

pytestmark = pytest.mark.slow  # processes take their time to start

SMALL = problem.Size(T=2, batch=20, width=32)


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


@pytest.mark.parametrize("name", ["ours", "ours-numpy"])
def test_our_step_in_a_process_has_the_gradient_of_the_five_cases(small, name):
    found = processes.ask(BY_NAME[name], small[1], "check")
    assert set(found) == {"float32"}
    assert found["float32"] < 1e-5


def test_quick_runs_without_any_framework():
    args = argparse.Namespace(quick=True, home=False, rounds=2, only="products")
    record = __main__.measured(args)
    (cell,) = record["cells"]
    assert [r["name"] for r in cell["rows"]] == ["products"]
    assert (cell["width"], cell["rounds"], cell["failed"]) == (50, 2, {})
    assert record["entries"][0]["gradients"] == {}
