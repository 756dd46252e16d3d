"""The records that the course reads are whole, and belong to the scripts that make them.

The comparison with the frameworks runs without them, and without asserting a time.
"""

import re

import pytest

from benchmarks.frameworks import __main__, problem
from stbp_edu.training.measurements import (
    load_measurement,
)
from tools.pages import read_records
from tools.pages.results_page import with_sources


@pytest.fixture(scope="module")
def record():
    return load_measurement("ablations-digits")


WITHOUT = ("predictions", "time-predictions", "sign-predictions")
"""What was written down before runs."""
RESULTS = with_sources(read_records())
"""Each record by its name, and of those that hold several, each source."""


@pytest.mark.parametrize("name", [name for name in RESULTS if name not in WITHOUT])
def test_a_record_says_where_it_comes_from(name):
    found = RESULTS[name]
    assert re.search(r"python -m benchmarks\.|stbp-edu sweep", found["command"])
    assert all(
        re.fullmatch(r"[0-9a-f]{10}", commit) for commit in found["commit"].split(", ")
    )
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", found["date"])
    # one machine for the whole record, or one for each run
    whole = "machine" in found
    runs = [found] if whole else [run for r in found["rows"] for run in r["runs"]]
    assert runs
    for run in runs:
        assert run["machine"]["processor"]
        assert run["versions"]["numpy"]


@pytest.fixture
def no_mnist(monkeypatch):
    def unreachable(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(problem, "load_dataset", unreachable)


OURS = ["ours", "ours-numpy"]


@pytest.mark.slow  # processes take their time to start
@pytest.mark.usefixtures("no_mnist")
def test_quick_runs_without_any_framework_or_mnist_and_ours_has_the_gradient():
    names, size = [*OURS, "products"], problem.Size(T=5, batch=20, width=50)
    record = __main__.measured(names, rounds=2, sizes=[size])
    (cell,) = record["cells"]
    assert {r["name"] for r in cell["rows"]} == {*names}
    assert (cell["width"], cell["rounds"]) == (50, 2)
    found = {entry["name"]: entry["gradients"] for entry in record["entries"]}
    assert found.pop("products") == {}
    assert all(found[name]["float32"] < 1e-5 for name in OURS)
