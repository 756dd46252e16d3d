"""The records that the course reads are whole, and belong to the scripts that make them."""

from dataclasses import replace

import pytest

from benchmarks import ablations
from benchmarks.accuracy import over_seeds
from stbp_edu.training import RECIPES, from_dict
from stbp_edu.training.runs.measurements import MEASUREMENTS, load_measurement


@pytest.fixture(scope="module")
def record():
    return load_measurement("ablations-digits")


def test_an_unknown_record_is_named():
    with pytest.raises(ValueError, match="ablations-digits"):
        load_measurement("ablation")


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_record_says_how_it_was_made(name):
    found = load_measurement(name)
    assert "python -m benchmarks." in found["command"]
    # one machine for the whole record, or one for each run
    runs = [found] if "machine" in found else [run for r in found["rows"] for run in r["runs"]]
    assert runs
    for run in runs:
        assert run["machine"]["processor"]
        assert run["versions"]["numpy"]


def test_the_ablations_are_those_of_the_script(record):
    assert [(r["table"], r["shown"], r["changes"]) for r in record["rows"]] == [
        *ablations.variants()
    ]
    assert record["seeds"] == list(ablations.SEEDS)
    assert record["learning_rates"] == list(ablations.RATES)
    base = replace(RECIPES["digits"], **ablations.BASE)
    assert from_dict(record["base"]) == base  # settings that came later at their default


def test_every_variant_was_run_on_the_same_footing(record):
    for row in record["rows"]:
        from_dict({**record["base"], **row["changes"], "lr": row["lr"]})
        assert len(row["accuracy"]["seeds"]) == len(row["silent"]) == len(record["seeds"])
        assert {float(rate) for rate in row["tuning"]} == set(record["learning_rates"])
        assert row["tuning"][str(row["lr"])] == max(row["tuning"].values())
        assert over_seeds(row["accuracy"]["seeds"]) == row["accuracy"]
