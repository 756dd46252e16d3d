"""The scripts that measure: rows on one footing, and done once."""

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from benchmarks import ablations, accuracy, time_record
from stbp_edu._support.files import read_json
from stbp_edu.training import RECIPES, Settings, runs
from stbp_edu.training.data import load_dataset
from stbp_edu.training.plans import Plan
from stbp_edu.training.runs import RECORD, train_in_folder
from stbp_edu.training.sweeps import CarryOut, train_run

QUICK = {
    "hidden": (16,),
    "T": 3,
    "v_th": 0.75,
    "init_scale": 2.0,
    "batch": 200,
    "epochs": 2,
}
ROWS = {"classic": {"rule": "classic"}, "steep": {"weight_decay": 1e38}}


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


@pytest.mark.slow
def test_ablations_are_on_one_footing(tmp_path: Path, monkeypatch) -> None:
    """The rate is the best on validation images; each seed is tested on the test images."""
    rows = [("a table", {"name": name}, changes) for name, changes in ROWS.items()]
    quick = {
        "BASE": QUICK,
        "SEEDS": (0, 1),
        "RATES": (1e-2, 3e-2),
        "variants": lambda: iter(rows),
    }
    for name, value in quick.items():
        monkeypatch.setattr(ablations, name, value)
    monkeypatch.setattr(accuracy, "by_processes", here)
    assert (
        ablations.main(["--work", str(tmp_path / "work"), "--out", str(tmp_path)]) == 0
    )
    row, steep = read_json(tmp_path / ablations.NAME)["rows"]
    paths = sorted(tmp_path.glob(f"work/*/name=classic/*/*/{RECORD}"))
    tested, tuned = ([r for r in map(read_json, paths) if r["held_out"] == part]
                     for part in ("test", "validation"))  # fmt: skip
    assert row["tuning"] == {
        str(r["settings"]["lr"]): r["accuracy"]["mean"] for r in tuned
    }
    assert row["tuning"][str(row["lr"])] == max(row["tuning"].values())
    assert row["accuracy"]["seeds"] == [r["accuracy"]["mean"] for r in tested]
    assert [r["settings"]["lr"] for r in tested] == [row["lr"]] * 2
    assert steep["accuracy"] == {
        "mean": 0.1,
        "spread": 0.0,
        "seeds": [0.1, 0.1],
    }  # it diverges


def test_every_planned_row_has_settings_of_its_own() -> None:
    for plan in accuracy.PLANS.values():
        for changes in plan.rows.values():
            assert Settings(**{**vars(RECIPES[plan.dataset]), **changes})
    variants = [{**ablations.BASE, **changes} for _, _, changes in ablations.variants()]
    assert len({replace(RECIPES["digits"], **v) for v in variants}) == len(variants)
    for name in ("rectangle", "triangle", "sigmoid", "gaussian"):
        neuron = Settings(
            surrogate=name, a=float(ablations.width(name, 2.0))
        ).make_neuron()
        assert neuron.h(np.array([neuron.v_th]))[0] == pytest.approx(1 / 2)


@pytest.mark.slow
def test_the_record_of_a_sweep_has_every_run_that_is_done(tmp_path: Path) -> None:
    """A run that never began is counted, and the gains are those of the trained network."""
    axes = {"rule": ["exact", "classic"], "gain_limit": [0.0, 1.0]}
    base = {"hidden": [8], "epochs": 1, "batch": 640}
    plan = Plan("delayed-xor", [0, 1], tmp_path, base, axes, encodings=1)
    data, done = load_dataset("delayed-xor"), [*plan.runs().items()][:3]
    for name, settings in done:
        list(train_in_folder(plan.config(name, settings, data)))
    found = time_record.record(Path("some/plan.toml"), plan, data)
    assert found["command"] == "stbp-edu sweep some/plan.toml"
    assert found["versions"]["numpy"] == np.__version__
    assert [len(row["runs"]) for row in found["rows"]] == [2, 1, 0, 0]
    assert all(row["planned"] == 2 for row in found["rows"])
    one = found["rows"][0]["runs"][1]
    assert (one["seed"], one["curve"]) == (1, [round(one["accuracy"], 4)])
    assert 0 <= one["fires"] <= 1
    assert len(one["beyond"]) == 2
