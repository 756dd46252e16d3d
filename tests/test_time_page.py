"""The page on tasks of time prints what its records hold, whichever of them and of their cells."""

from __future__ import annotations

import copy
import re

import pytest

from tools.pages import time_page
from tools.pages.breaking_width import breaks_at, growth, limit, predicted
from tools.pages.published_records import read_records
from tools.pages.time_figures import curves, interval, reach

RECORDS = read_records()


def run(accuracy: float, rate: float = 0.1) -> dict:
    return {"accuracy": accuracy, "rates": [0.0, rate, 0.2], "reach": [1e-3, 1e-2, 1e-1]}


@pytest.fixture
def width() -> dict:
    """Two rules and two widths: classic breaks half way between them on the logarithmic axis."""
    cells = {
        ("exact", 0.4): (1.0, 0.9),
        ("exact", 0.1): (0.9, 0.9),
        ("classic", 0.4): (1.0, 1.0),
        ("classic", 0.1): (0.4, 0.6),
    }
    rows = [
        {
            "cell": {"a": a, "rule": rule},
            "lr": 0.01,
            "tuning": {"0.005": [0.5], "0.01": [0.9], "0.02": [0.8]},
            "runs": [run(x) for x in found],
        }
        for (rule, a), found in cells.items()
    ]
    return {
        "command": "python -m benchmarks.time_tasks --what width",
        "base": {"tau": 0.95, "T": 29, "hidden": [64], "epochs": 6},
        "seeds": [0, 1],
        "machine": {"processor": "a processor", "cores": 2},
        "versions": {"numpy": "2.0", "blas": "a blas"},
        "rows": rows,
    }


def test_an_interval_is_students() -> None:
    assert interval([0.0, 2.0]) == pytest.approx(12.706)
    assert interval([1.0] * 5) == 0


def test_a_prediction_holds_at_both_ends_of_its_formula() -> None:
    assert limit("classic", 0.95) == pytest.approx(0.95**2 / 6.283185, rel=1e-6)
    assert limit("exact", 0.95) == pytest.approx(0.95**2 / 6.283185 / 1.95**2, rel=1e-6)
    F = growth(0.05, 29, 0.95)
    assert predicted("classic", 29, 0.95, F) == pytest.approx(0.05)
    assert predicted("exact", 29, 0.95, F) < predicted("exact", 49, 0.95, F) < limit("exact", 0.95)


def test_a_curve_that_does_not_cross_has_no_breaking_width() -> None:
    assert breaks_at([0.4, 0.1], [1.0, 0.9]) is None
    assert breaks_at([0.4, 0.1], [1.0, 0.5]) == pytest.approx(0.2)


def test_differences_are_taken_seed_by_seed(width) -> None:
    text = time_page.paired_table(width)
    # 100 - 100 and 100 - 90; 40 - 90 and 60 - 90
    assert "| `classic` | +5.0\xa0±\xa063.5 | −40.0\xa0±\xa0127.1 |" in text


def test_the_breaking_width_is_read_off_the_means(width) -> None:
    (line,) = (x for x in time_page.breaks_table(width).splitlines() if "classic" in x)
    assert "| 0.1436 | 0.2000 | 0.72 | 0.85 | fitted |" in line
    assert "`exact`" not in time_page.breaks_table(width)  # it does not break here


def test_a_run_that_diverged_has_no_rate_and_no_reach(width) -> None:
    width["rows"][0]["runs"][0] = {"accuracy": 0.5, "loss": None, "diverged": "it did"}
    found = curves(width, lambda run: run["rates"][1] if "rates" in run else float("nan"))
    assert [len(x) for x in found["exact"][1]] == [1, 2]
    assert reach(width, "exact", 0.4) == pytest.approx([1e-2, 1e-1, 1.0], rel=1e-4)
    assert reach(width, "ottt", 0.4) is None


def test_the_edge_of_the_learning_rates_is_counted(width) -> None:
    assert time_page.edges([width]) == "0 of 4"
    width["rows"][0]["lr"] = 0.02
    assert time_page.edges([width]) == "1 of 4"


def test_other_silences_stand_beside_their_predictions(width) -> None:
    other = copy.deepcopy(width)
    for row in other["rows"]:
        row["cell"]["T"] = 49
    lines = time_page.silence_table(width, other, "T").splitlines()
    F = growth(0.2, 29, 0.95)
    assert lines[2].startswith(f"| 40 | `exact` | {predicted('exact', 49, 0.95, F):.3f} |")
    assert "0.4: 100.0, 0.1: 50.0" in lines[3]


def test_a_cell_that_is_missing_is_a_dash(width) -> None:
    width["rows"] = [r for r in width["rows"] if r["cell"] != {"a": 0.1, "rule": "classic"}]
    assert re.search(r"`classic` \| .* \| – \|", time_page.accuracy_table(width))


def test_the_page_needs_no_record() -> None:
    assert "## " not in time_page.page({})


def test_the_published_page_has_every_record_and_its_command() -> None:
    text = time_page.page(RECORDS)
    for name, record in RECORDS.items():
        if name.startswith("time-"):
            assert f"`{record['command']}`" in text
    assert text.count("<svg") == 3
