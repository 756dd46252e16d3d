"""The experiments on tasks of time: learning rates, records that go on, and one run for real."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from benchmarks import time_tasks
from benchmarks.time_tasks import PLANS, Plan, best_rate, compare, record, run, to_json, tune
from stbp_edu.training import RECIPES, Epoch, Settings, train
from stbp_edu.training.data import load_dataset


def _peak(at: float):
    """Return a stand-in for a run, best at one learning rate, and its log."""
    log = []

    def stand_in(task: str, settings: Settings, held_out: str) -> dict:
        log.append((settings.rule, settings.lr, settings.seed, held_out))
        return {"accuracy": 1 - abs(math.log2(settings.lr / at)) / 20}

    return stand_in, log


@pytest.mark.parametrize("at", [5e-3, 4e-2, 6.25e-4])
def test_a_grid_is_widened_until_the_best_rate_is_inside(monkeypatch, at):
    stand_in, log = _peak(at)
    monkeypatch.setattr(time_tasks, "run", stand_in)
    with ThreadPoolExecutor(1) as pool:
        found = tune("delayed-xor", RECIPES["delayed-xor"], pool)
    assert best_rate(found) == pytest.approx(at)
    assert min(found) < at < max(found)
    assert {held_out for *_, held_out in log} == {"validation"}


def test_ties_take_the_middle_rate():
    assert best_rate({1.0: [0.5, 0.5], 2.0: [0.4, 0.6], 4.0: [0.5], 8.0: [0.1]}) == 2.0


def test_rates_that_two_seeds_do_not_tell_apart_tie():
    found = {1.0: [0.9, 0.95], 2.0: [0.995, 1.0], 4.0: [0.995, 0.995], 8.0: [1.0, 1.0]}
    assert best_rate(found) == 4.0


def test_a_record_goes_on_where_it_stopped(monkeypatch, tmp_path):
    stand_in, log = _peak(5e-3)
    monkeypatch.setattr(time_tasks, "run", stand_in)
    monkeypatch.setattr(time_tasks, "ProcessPoolExecutor", ThreadPoolExecutor)
    small = Plan("small", "delayed-xor", {"a": (0.5, 0.1), "rule": ("exact", "classic")}, (0, 1))
    monkeypatch.setitem(PLANS, "width", small)
    path = tmp_path / "time-width.json"
    whole = record("width", path, 1)
    assert [row["cell"] for row in whole["rows"]] == list(small.cells())
    assert all(len(row["runs"]) == 2 for row in whole["rows"])
    before = path.read_bytes()
    log.clear()
    record("width", path, 1)
    assert log == []
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="what must be one of"):
        record("nothing", path, 1)


def test_every_cell_of_every_plan_can_be_run():
    for plan in PLANS.values():
        for cell in plan.cells():
            assert to_json(replace(RECIPES[plan.task], **cell).rule)


def test_exact_has_a_cosine_of_one_and_the_others_less():
    settings = replace(RECIPES["delayed-xor"], T=9, epochs=1)
    data = load_dataset("delayed-xor")
    (last,) = [e for e in train(settings, data) if isinstance(e, Epoch)]
    cosine, reach = compare(settings, data, last.state)
    assert cosine == pytest.approx(1)
    assert len(reach) == 9
    other, narrow = compare(replace(settings, rule="spatial-only"), data, last.state)
    assert other < 0.99
    assert narrow[:6] == [0] * 6  # nothing reaches back from the three steps that are read


@pytest.mark.slow
def test_a_run_reports_what_it_measured():
    found = run("delayed-xor", replace(RECIPES["delayed-xor"], T=9, epochs=2), "validation")
    assert set(found) == {"accuracy", "loss", "curve", "rates", "cosine", "reach"}
    assert len(found["curve"]) == len(found["cosine"]) == 2
    assert found == run("delayed-xor", replace(RECIPES["delayed-xor"], T=9, epochs=2), "validation")
