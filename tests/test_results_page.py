"""The results page prints what the records hold, whichever of them there are."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from benchmarks import accuracy
from stbp_edu.training.settings import RECIPES, from_dict
from tools.pages import results_page
from tools.pages.published_records import read_records

RECORDS = read_records()


def one_run(seed: int, held_out: list[float], seconds: float) -> dict:
    curves = [
        {"epoch": k + 1, "loss": 0.1, "train": 0.9, "held_out": h, "seconds": seconds}
        for k, h in enumerate(held_out)
    ]
    return {
        "settings": {"seed": seed},
        "accuracy": {"mean": held_out[-1]},
        "seconds": seconds * len(held_out),
        "curves": curves,
        "machine": {"processor": "a processor", "cores": 2},
        "versions": {"numpy": "2.0", "blas": "a blas"},
        "load_before": 0.5,
    }


@pytest.fixture
def ladder() -> dict:
    runs = [one_run(0, [0.95, 0.97, 0.9912], 60.0), one_run(1, [0.95, 0.98, 0.9876], 61.0)]
    row = {"name": "three epochs", "changes": {"shift": 0}, "runs": runs, **accuracy.summary(runs)}
    return {
        "title": "A title",
        "command": "python -m benchmarks.accuracy --what ladder",
        "passed": accuracy.PASSED,
        "dataset": "mnist",
        "held_out": "test",
        "rows": [row],
    }


def test_the_ladder_has_mean_spread_seeds_and_when_the_known_figures_were_passed(ladder) -> None:
    (line,) = (
        x for x in results_page.ladder_table(ladder).splitlines() if x.startswith("| three epochs")
    )
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:4] == ["`shift`\xa00", "98.94\xa0±\xa00.25", "99.12, 98.76"]
    assert cells[5] == "2 min 02 s"  # the later of the two seeds: second epoch
    assert cells[6] == "1 of 2 seeds"


def test_the_page_names_the_command_the_machine_and_the_recipe(ladder) -> None:
    text = results_page.page({"mnist-ladder": ladder})
    assert "## A title" in text
    assert "`python -m benchmarks.accuracy --what ladder`" in text
    assert "a processor, 2 cores" in text
    assert "| `v_th` | 0.5 | threshold of the neuron |" in text
    assert "98.94 ± 0.25 %" in text.replace("\xa0", " ")  # the words of the figure
    assert "<svg" in text


def test_each_row_says_what_it_has_unlike_the_recipe_and_no_more(ladder) -> None:
    ladder["rows"][0]["changes"] = {"T": 10, "epochs": RECIPES["mnist"].epochs}
    for text in (results_page.ladder_table(ladder), results_page.comparison_table(ladder)):
        assert "| three epochs | `T`\xa010 |" in text
        assert "each seed" in text
    ladder["rows"][0]["runs"] = ladder["rows"][0]["runs"][:1]
    assert "each seed" not in results_page.comparison_table(ladder)


def test_a_record_that_is_missing_leaves_no_gap() -> None:
    text = results_page.page({})
    assert "## " not in text
    assert "None" not in text


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(n for n in RECORDS if not n.startswith("speed")))
def test_every_row_of_every_record_is_on_the_page(name: str) -> None:
    text = results_page.page(RECORDS)
    assert f"`{RECORDS[name]['command']}`" in text
    for row in RECORDS[name]["rows"]:
        mean = row["accuracy"]["mean"] if "accuracy" in row else row["mean"]
        assert re.search(rf"\b{100 * mean:.2f}\b", text)


@pytest.mark.parametrize("name", sorted(n for n in RECORDS if n.startswith(("mnist", "fashion"))))
def test_a_record_is_of_the_plan_that_makes_it(name: str) -> None:
    record = RECORDS[name]
    plan = accuracy.PLANS[record["command"].split()[-1]]
    assert {r["name"]: r["changes"] for r in record["rows"]} == json.loads(json.dumps(plan.rows))
    for row in record["rows"]:
        assert [run["settings"]["seed"] for run in row["runs"]] == list(plan.seeds)
        for run in row["runs"]:  # the recipe that the page prints is the one that was run
            settings = from_dict(run["settings"])
            assert replace(RECIPES[plan.dataset], **row["changes"], seed=settings.seed) == settings
        assert accuracy.summary(row["runs"])["accuracy"] == row["accuracy"]
