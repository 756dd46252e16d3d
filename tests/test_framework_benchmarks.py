"""The comparison with the frameworks, without them and without asserting a time."""

import argparse

import pytest

from benchmarks.frameworks import __main__, problem

OURS = {"ours", "ours-numpy"}


@pytest.mark.slow  # processes take their time to start
def test_quick_runs_without_any_framework_or_mnist_and_ours_has_the_gradient(monkeypatch):
    def unreachable(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(problem, "load_dataset", unreachable)
    only = [*OURS, "products"]
    args = argparse.Namespace(quick=True, home=False, rounds=2, only=only)
    record = __main__.measured(args)
    (cell,) = record["cells"]
    assert {r["name"] for r in cell["rows"]} == {*OURS, "products"}
    assert (cell["width"], cell["rounds"], cell["failed"]) == (50, 2, {})
    found = {entry["name"]: entry["gradients"] for entry in record["entries"]}
    assert found.pop("products") == {}
    assert all(found[name]["float32"] < 1e-5 for name in OURS)
