"""The records that the course reads are whole, and belong to the scripts that make them.

The comparison with the frameworks runs without them, and without asserting a time.
"""

import argparse
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy import over_seeds
from benchmarks.frameworks import __main__, problem
from stbp_edu.training import from_dict
from stbp_edu.training.measurements import (
    load_measurement,
    mean_interval,
    share_interval,
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


@given(values=st.lists(st.floats(-1, 1), min_size=2, max_size=20), k=st.integers(0, 20))
def test_an_interval_is_around_its_mean_and_a_share_within_0_and_1(values, k):
    low, high = mean_interval(values)
    assert low <= sum(values) / len(values) + 1e-12
    assert high >= sum(values) / len(values) - 1e-12
    low, high = share_interval(k, 20)
    assert 0 <= low <= k / 20 + 1e-12
    assert k / 20 - 1e-12 <= high <= 1 + 1e-12
    # the share of an end is as far from k / n as the normal quantile allows there
    for end in (end for end in (low, high) if 0 < end < 0.999):
        far = 1.959964 * (end * (1 - end) / 20) ** 0.5
        assert abs(end - k / 20) == pytest.approx(far, abs=1e-9)


def test_every_variant_was_run_on_the_same_footing(record):
    for row in record["rows"]:
        from_dict({**record["base"], **row["changes"], "lr": row["lr"]})
        assert (
            len(row["accuracy"]["seeds"]) == len(row["silent"]) == len(record["seeds"])
        )
        assert {float(rate) for rate in row["tuning"]} == set(record["learning_rates"])
        assert row["tuning"][str(row["lr"])] == max(row["tuning"].values())
        assert over_seeds(row["accuracy"]["seeds"]) == row["accuracy"]


@pytest.fixture
def no_mnist(monkeypatch):
    def unreachable(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(problem, "load_dataset", unreachable)


OURS = {"ours", "ours-numpy"}


@pytest.mark.slow  # processes take their time to start
@pytest.mark.usefixtures("no_mnist")
def test_quick_runs_without_any_framework_or_mnist_and_ours_has_the_gradient():
    only = [*OURS, "products"]
    args = argparse.Namespace(quick=True, home=False, rounds=2, only=only)
    record = __main__.measured(args)
    (cell,) = record["cells"]
    assert {r["name"] for r in cell["rows"]} == {*OURS, "products"}
    assert (cell["width"], cell["rounds"], cell["failed"]) == (50, 2, {})
    found = {entry["name"]: entry["gradients"] for entry in record["entries"]}
    assert found.pop("products") == {}
    assert all(found[name]["float32"] < 1e-5 for name in OURS)
