"""The scripts that measure: rows on one footing, and done once."""

from pathlib import Path
from typing import NoReturn

import pytest

from benchmarks import accuracy
from stbp_edu._support.files import read_json
from stbp_edu.training import RECIPES, Settings, runs
from stbp_edu.training.sweeps import CarryOut, train_run

QUICK = {
    "hidden": (16,),
    "T": 3,
    "v_th": 0.75,
    "init_scale": 2.0,
    "batch": 200,
    "epochs": 2,
}


def here(_: int) -> CarryOut:
    """Train in this process, which is quicker than starting others."""
    return lambda jobs: map(train_run, jobs)


def nobody(_: int) -> CarryOut:
    """Train nothing: all is done."""

    def carry_out(jobs: object) -> NoReturn:
        raise AssertionError(f"{jobs} were to be trained")

    return carry_out


def failing(*_: object) -> None:
    raise ValueError("it failed")


@pytest.mark.slow
def test_a_measurement_is_made_once_and_goes_on(monkeypatch, tmp_path: Path) -> None:
    """The mean and the spread are over the seeds, and what learning does not see trains no more."""
    rows = {"slow, cold": QUICK}
    plan = accuracy.MeasuredTable("A trial", rows, dataset="digits", seeds=(0, 1))
    monkeypatch.setitem(accuracy.PLANS, "trial", plan)
    monkeypatch.setattr(accuracy, "by_processes", here)
    out = tmp_path / "digits-trial.json"
    argv = ["--what", "trial", "--work", str(tmp_path / "work"), "--out", str(tmp_path)]
    with monkeypatch.context() as patched:
        patched.setattr(runs.trainer, "train", failing)
        with pytest.raises(
            SystemExit, match="slow-cold/seed=0: ValueError: it failed;"
        ):
            accuracy.main(argv)
    assert accuracy.main(argv) == 0
    (row,) = read_json(out)["rows"]
    assert [run["settings"]["seed"] for run in row["runs"]] == [0, 1]
    means = [run["accuracy"]["mean"] for run in row["runs"]]
    assert row["accuracy"]["mean"] == pytest.approx(sum(means) / 2)
    assert row["accuracy"]["spread"] == pytest.approx(abs(means[0] - means[1]) / 2**0.5)
    monkeypatch.setattr(accuracy, "by_processes", nobody)
    rows["longer answers"] = {**QUICK, "T_test": 30}
    assert accuracy.main(argv) == 0
    same, again = read_json(out)["rows"]
    assert same == row
    for ours, theirs in zip(again["runs"], row["runs"], strict=True):
        assert ours["settings"] == {**theirs["settings"], "T_test": 30}
        assert ours["curves"] == theirs["curves"]


def test_every_planned_row_has_settings_of_its_own() -> None:
    for plan in accuracy.PLANS.values():
        for changes in plan.rows.values():
            assert Settings(**{**vars(RECIPES[plan.dataset]), **changes})
