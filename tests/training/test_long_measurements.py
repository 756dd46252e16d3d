from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import accuracy
from stbp_edu.training.runs import run as runs
from stbp_edu.training.settings import RECIPES, Settings

pytestmark = pytest.mark.slow  # each trains a few networks


@pytest.fixture
def call(monkeypatch, tmp_path: Path):
    """The script with two quick rows on digits."""
    quick = {"hidden": (20,), "T": 4, "epochs": 2, "batch": 200}
    rows = {"slow, cold": quick, "fast": {**quick, "lr": 2e-2}}
    plan = accuracy.Plan("A trial", rows, dataset="digits", seeds=(0, 1))
    monkeypatch.setitem(accuracy.PLANS, "trial", plan)
    monkeypatch.setattr(accuracy, "processes", ThreadPoolExecutor)  # quicker to start
    places = ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]

    def run(*argv: str) -> dict:
        assert accuracy.main(["--what", "trial", *places, *argv]) == 0
        (path,) = (tmp_path / "out").glob("*.json")
        found = json.loads(path.read_text())
        path.unlink()
        return {**found, "file": path.name}

    return run


def test_one_command_makes_the_record(call, capsys) -> None:
    record = call()
    assert record["file"] == "digits-trial.json"
    assert record["command"] == "python -m benchmarks.accuracy --what trial"
    assert [row["name"] for row in record["rows"]] == ["slow, cold", "fast"]
    for row in record["rows"]:
        assert [r["settings"]["seed"] for r in row["runs"]] == [0, 1]
        means = [r["accuracy"]["mean"] for r in row["runs"]]
        assert row["accuracy"]["mean"] == pytest.approx(sum(means) / 2)
        assert row["accuracy"]["spread"] == pytest.approx(abs(means[0] - means[1]) / 2**0.5)
        for r in row["runs"]:
            assert r["machine"]["processor"]
            assert r["versions"]["numpy"]
            assert [p["epoch"] for p in r["curves"]] == [1, 2]
            assert "outputs" not in r["curves"][0]
            assert r["load_before"] >= 0
    assert record["rows"][1]["runs"][0]["settings"]["lr"] == 2e-2
    assert "over 2 seeds" in capsys.readouterr().out


def nobody(count: int) -> None:
    raise AssertionError("somebody trains")


def test_what_is_done_is_not_done_again(call, monkeypatch) -> None:
    first = call()
    monkeypatch.setattr(accuracy, "processes", nobody)
    again = call()
    assert again == first


def test_a_network_is_evaluated_again_and_not_trained_again(call, monkeypatch) -> None:
    """T_test is no part of learning."""
    rows = accuracy.PLANS["trial"].rows
    first = call()["rows"][1]
    monkeypatch.setattr(accuracy, "processes", nobody)
    rows["longer answers"] = {**rows["fast"], "T_test": 30}
    again = call()["rows"][2]
    monkeypatch.setattr(runs, "evaluate", None)  # and once is enough
    assert call()["rows"][2] == again
    for ours, theirs in zip(again["runs"], first["runs"], strict=True):
        assert ours["settings"] == {**theirs["settings"], "T_test": 30}
        assert ours["curves"] == theirs["curves"]
        assert ours["accuracy"]["images"] == theirs["accuracy"]["images"]


def test_seeds_may_be_trained_side_by_side(call, monkeypatch) -> None:
    opened = []

    def executor(count: int) -> ThreadPoolExecutor:
        opened.append(count)
        return ThreadPoolExecutor(count)

    monkeypatch.setattr(accuracy, "processes", executor)
    plan = replace(accuracy.PLANS["trial"], together=True)
    monkeypatch.setitem(accuracy.PLANS, "trial", plan)
    record = call("--only", "fast")
    assert record["together"]
    assert opened == [2]
    assert [r["settings"]["seed"] for r in record["rows"][0]["runs"]] == [0, 1]
    assert not call("--seeds", "1")["together"]


def test_a_run_that_fails_ends_the_measurement_and_keeps_the_others(call, monkeypatch) -> None:
    whole = runs.train

    def failing(settings, *arguments):
        if settings.seed == 1:
            raise ValueError("it failed")
        return whole(settings, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(runs, "train", failing)
        with pytest.raises(SystemExit, match="slow-cold/seed=1: ValueError: it failed; give"):
            call()
    assert len(call()["rows"]) == 2


def test_a_part_does_not_pass_for_the_whole(call) -> None:
    record = call("--only", "fast", "--seeds", "7", "--epochs", "1")
    assert record["file"] == "digits-trial-part.json"
    assert [row["name"] for row in record["rows"]] == ["fast"]
    assert record["rows"][0]["accuracy"]["spread"] is None
    with pytest.raises(SystemExit):
        accuracy.main(["--what", "trial", "--only", "nothing"])


def test_when_a_goal_was_passed() -> None:
    curves = [{"seconds": 2.0, "held_out": h} for h in (0.5, 0.9, 0.7)]
    assert accuracy.seconds_to(curves, 0.8) == 4.0
    assert accuracy.seconds_to(curves, 0.9) is None


def test_every_planned_row_has_settings_that_exist() -> None:
    for plan in accuracy.PLANS.values():
        for changes in plan.rows.values():
            assert Settings(**{**vars(RECIPES[plan.dataset]), **changes})
        assert len(plan.seeds) >= 3 or plan.held_out == "validation"
