"""The records that the course reads are whole, and belong to the scripts that make them."""

import numpy as np
import pytest

from benchmarks import ablations
from stbp_edu.training.runs.measurements import MEASUREMENTS, load_measurement
from stbp_edu.training.settings import from_dict


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
    assert [(r["table"], r["shown"], r["changed"]) for r in record["rows"]] == [
        (table, shown, change) for table, shown, change in ablations.variants()
    ]
    assert record["seeds"] == list(ablations.SEEDS)
    assert record["learning_rates"] == list(ablations.RATES)
    assert from_dict(record["base"]) == ablations.BASE  # settings that came later at their default


def test_every_variant_was_run_on_the_same_footing(record):
    for row in record["rows"]:
        from_dict({**record["base"], **row["changed"], "lr": row["lr"]})
        assert len(row["accuracies"]) == len(record["seeds"])
        assert {float(rate) for rate in row["tuning"]} == set(record["learning_rates"])
        assert row["tuning"][str(row["lr"])] == max(row["tuning"].values())
        assert row["mean"] == pytest.approx(np.mean(row["accuracies"]), abs=1e-5)
        assert row["spread"] == pytest.approx(np.std(row["accuracies"], ddof=1), abs=1e-5)


def test_no_image_is_tuned_on_and_tested_on_or_learned_from_and_tested_on():
    def keys(images):
        return {image.tobytes() for image in images}

    development = keys(ablations.load_digits().test_images)
    for seed in ablations.SEEDS:
        fold = ablations.folds(seed)
        assert not keys(fold.test_images) & development
        assert not keys(fold.test_images) & keys(fold.train_images)


def test_widths_give_the_peak():
    for name in ("rectangle", "triangle", "sigmoid", "gaussian"):
        for w in (0.5, 1.0, 4.0):
            surrogate = ablations.BASE.__class__(
                surrogate=name, a=float(ablations.width(name, w))
            ).make_neuron()
            peak = surrogate.h(np.array([surrogate.v_th]))[0]
            assert peak == pytest.approx(1 / w)
