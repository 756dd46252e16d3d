"""The page on tasks of time prints what its records hold, whichever of them and of their cells."""

import copy
import re

import pytest

from tools.pages import time_page
from tools.pages.records import read_records
from tools.pages.time_page import breaks_at, growth, predicted
from tools.templates import filled

pytestmark = pytest.mark.slow  # each test draws the page's figures anew

RECORDS = read_records()


def run(accuracy: float) -> dict:
    return {"accuracy": accuracy, "rates": [0.0, 0.1, 0.2], "reach": [1e-3, 1e-2, 1e-1]}


@pytest.fixture
def width() -> dict:
    """Two rules and two widths: classic breaks half way between them on the logarithmic axis."""
    cells = {
        ("exact", 0.4): (1.0, 0.9), ("exact", 0.1): (0.9, 0.9),
        ("classic", 0.4): (1.0, 1.0), ("classic", 0.1): (0.4, 0.6),
    }  # fmt: skip
    tuning = {"0.005": [0.5], "0.01": [0.9], "0.02": [0.8]}
    rows = [
        {"cell": {"a": a, "rule": rule}, "lr": 0.01, "tuning": tuning, "runs": [*map(run, found)]}
        for (rule, a), found in cells.items()
    ]
    return {
        "command": "python -m benchmarks.time_tasks --what width", "seeds": [0, 1], "rows": rows,
        "base": {"tau": 0.95, "T": 29, "hidden": [64], "epochs": 6},
        "machine": {"processor": "a processor", "cores": 2},
        "versions": {"numpy": "2.0", "blas": "a blas"},
    }  # fmt: skip


def page(records) -> str:
    return filled("time.md", **time_page.names(records))


def lines(start: str, **records) -> list[str]:
    """Return the lines of the page's tables that begin so, in plain spaces."""
    text = page({f"time-{name}": record for name, record in records.items()})
    text = re.sub("\xa0|&nbsp;", " ", text)
    return [x.strip() for x in text.splitlines() if x.strip().startswith(f"| {start}")]


def test_a_prediction_holds_at_both_ends_of_its_formula():
    limits = [predicted(rule, 29, 0.95) for rule in ("classic", "exact")]
    assert limits == pytest.approx([0.95**2 / 6.283185, 0.95**2 / 6.283185 / 1.95**2], rel=1e-6)
    F = growth(0.05, 29, 0.95)
    assert predicted("classic", 29, 0.95, F) == pytest.approx(0.05)
    assert predicted("exact", 29, 0.95, F) < predicted("exact", 49, 0.95, F) < limits[1]


def test_a_curve_that_does_not_cross_has_no_breaking_width():
    assert breaks_at([0.4, 0.1], [1.0, 0.9]) is None
    assert breaks_at([0.4, 0.1], [1.0, 0.5]) == pytest.approx(0.2)


def test_accuracies_have_the_interval_of_student_and_differences_are_taken_by_seed(width):
    accuracies, differences, breaks = lines("`classic`", width=width)
    assert accuracies == "| `classic` | 100.0 ± 0.0 | 50.0 ± 127.1 |"
    # 100 - 100 and 100 - 90; 40 - 90 and 60 - 90
    assert differences == "| `classic` | +5.0 ± 63.5 | −40.0 ± 127.1 |"
    assert breaks == "| `classic` | 0.1436 | 0.2000 | 0.72 | 0.85 | fitted |"
    assert len(lines("`exact`", width=width)) == 2  # it does not break here


def test_a_run_that_diverged_has_an_accuracy_alone(width):
    diverged = {"accuracy": 0.5, "loss": None, "diverged": "it did"}
    for row in width["rows"]:
        row["runs"].append(diverged)
    assert lines("`exact`", width=width)[0].startswith("| `exact` | 80.0 ±")


@pytest.mark.parametrize(("rate", "count"), [(0.01, 0), (0.02, 1)])
def test_the_edge_of_the_learning_rates_is_counted(width, rate, count):
    width["rows"][0]["lr"] = rate
    assert f"{count} of 4 chosen rates" in page({"time-width": width})


def test_other_silences_stand_beside_their_predictions(width):
    other = copy.deepcopy(width)
    for row in other["rows"]:
        row["cell"]["T"] = 49
    exact, classic = lines("40 |", width=width, silence=other)
    F = growth(0.2, 29, 0.95)
    assert exact.startswith(f"| 40 | `exact` | {predicted('exact', 49, 0.95, F):.3f} |")
    assert "0.4: 100.0, 0.1: 50.0" in classic


def test_a_cell_that_is_missing_is_a_dash(width):
    width["rows"] = [r for r in width["rows"] if r["cell"] != {"a": 0.1, "rule": "classic"}]
    assert all(line.endswith("| – |") for line in lines("`classic`", width=width))


def test_the_page_needs_no_record_and_has_every_published_one():
    assert "## " not in page({})
    text = page(RECORDS)
    for name in (n for n in RECORDS if n.startswith("time-")):
        assert f"`{RECORDS[name]['command']}`" in text
    assert text.count("<svg") == 3
