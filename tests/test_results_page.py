"""The results page prints what the records hold, whichever of them there are."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace

import pytest

from benchmarks import accuracy
from stbp_edu.training import RECIPES, from_dict
from tools.pages import results_page
from tools.pages.published_records import read_records

RECORDS = read_records()
ELSEWHERE = results_page.ELSEWHERE


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


def line_of(text: str, start: str) -> list[str]:
    """Return the cells of the one line of a table that begins with these words."""
    (line,) = (x for x in text.splitlines() if x.startswith(f"| {start} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_summary_has_a_line_for_each_network_and_both_numbers_of_steps(ladder) -> None:
    again = {**ladder["rows"][0], "name": "the same", "changes": {"shift": 0, "T_test": 100}}
    again["accuracy"] = {"mean": 0.99, "spread": 0.001, "seeds": [0.989, 0.991]}
    ladder["rows"].append(again)
    text = results_page.summary_table({"mnist-ladder": ladder})
    cells = line_of(text, "three epochs")
    assert cells[3:] == ["98.94\xa0±\xa00.25", "99.00\xa0±\xa00.10", "3 min 02 s"]
    assert "the same" not in text
    ladder["rows"][0]["runs"][1]["load_before"] = 3.5
    assert "min" not in results_page.summary_table({"mnist-ladder": ladder})


def test_no_page_says_when_a_curve_first_crossed_a_figure(ladder) -> None:
    text = results_page.page({"mnist-ladder": ladder})
    assert "past 9" not in text
    assert "single encoding" in text


def test_the_page_names_the_command_the_machine_and_the_recipe(ladder) -> None:
    text = results_page.page({"mnist-ladder": ladder})
    assert "`python -m benchmarks.accuracy --what ladder`" in text
    assert "a processor, 2 cores" in text
    assert "| `v_th` | 0.5 | threshold of the neuron |" in text
    assert "98.94 ± 0.25 %" in text.replace("\xa0", " ")  # the words of the figure
    assert "<svg" in text


def test_each_row_says_what_it_has_unlike_the_recipe_and_no_more(ladder) -> None:
    ladder["rows"][0]["changes"] = {"T": 10, "epochs": RECIPES["mnist"].epochs}
    text = results_page.comparison_table(ladder)
    assert "| three epochs | `T`\xa010 |" in text
    assert "each seed" in text
    ladder["rows"][0]["runs"] = ladder["rows"][0]["runs"][:1]
    assert "each seed" not in results_page.comparison_table(ladder)


def test_differences_are_taken_seed_by_seed(ladder) -> None:
    base = ladder["rows"][0]
    for name, by in (("higher", (0.001, 0.002)), ("mixed", (0.001, -0.001))):
        seeds = [a + b for a, b in zip(base["accuracy"]["seeds"], by, strict=True)]
        accuracy = {"mean": sum(seeds) / 2, "spread": 0.0, "seeds": seeds}
        ladder["rows"].append({**base, "name": name, "accuracy": accuracy})
    text = results_page.paired_table(ladder, "three epochs")
    assert line_of(text, "higher")[2:] == ["+0.10, +0.20", "+0.15\xa0±\xa00.07"]
    assert line_of(text, "mixed")[2:] == ["+0.10, −0.10", "+0.00\xa0±\xa00.14"]
    said = results_page.one_sided(ladder, "three epochs")
    assert said == "`higher` is 0.15\xa0±\xa00.07 above `three epochs`, in all 2 seeds."


def test_one_run_on_two_processors_is_told(ladder) -> None:
    other = copy.deepcopy(ladder)
    assert results_page.repeated({"a": ladder, "b": other}) == ""  # one processor: the same
    for run in other["rows"][0]["runs"][:1]:
        run["machine"]["processor"], run["accuracy"]["mean"] = "another", 0.98
    said = results_page.repeated({"a": ladder, "b": other}).replace("\xa0", " ")
    assert said == (
        "The same settings and seed gave 99.12 % on a processor and 98.00 on another (test images)."
    )


def test_before_it_is_unfolded_the_page_is_short() -> None:
    """A third of the 2,743 words that it had when every table stood open."""
    text = re.sub(r"<svg.*?</svg>", "", results_page.page(RECORDS), flags=re.S)
    shown = re.sub(r"^\?\?\? .*\n(\n|    .*\n)*", "", text, flags=re.M)
    assert len(shown.split()) <= 2743 / 3


def test_a_record_that_is_missing_leaves_no_gap() -> None:
    text = results_page.page({})
    assert "## " not in text
    assert "None" not in text


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(n for n in RECORDS if not n.startswith(ELSEWHERE)))
def test_every_row_of_every_record_is_on_the_page(name: str) -> None:
    text = results_page.page(RECORDS)
    assert f"`{RECORDS[name]['command']}`" in text
    for row in RECORDS[name]["rows"]:
        assert re.search(rf"\b{100 * row['accuracy']['mean']:.2f}\b", text)


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
