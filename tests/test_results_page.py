"""The results page prints what the records hold, whichever of them there are."""

import json
import re
from dataclasses import replace

import pytest

from benchmarks import accuracy
from stbp_edu.training import RECIPES, from_dict
from tools.pages import read_records, results_page
from tools.templates import filled

pytestmark = pytest.mark.slow  # each test makes the page anew
RECORDS = read_records()


@pytest.fixture(scope="module")
def published() -> str:
    return filled("results.md", **results_page.names(RECORDS))


def test_every_row_of_every_record_is_on_the_page(published):
    for name, record in RECORDS.items():
        if not name.startswith(results_page.ELSEWHERE):
            assert f"`{record['command']}`" in published
            if name == "ablations-digits":  # two notebooks have its tables
                assert f"](results/{name}.json)" in published
                continue
            for row in record["rows"]:
                assert re.search(rf"\b{100 * row['accuracy']['mean']:.2f}\b", published)


ENDED = (
    "mnist-adversarial",
    "mnist-hour",
    "mnist-tune-adversarial",
    "mnist-tune-fgsm",
    "mnist-saccades",
)
"""Records whose training ended: with FGSM, and with the events made of images."""


@pytest.mark.parametrize(
    "name",
    sorted({n for n in RECORDS if n.startswith(("mnist", "fashion"))} - {*ENDED}),
)
def test_a_record_is_of_the_plan_that_makes_it(name):
    record = RECORDS[name]
    plan = accuracy.PLANS[record["command"].split()[-1]]
    rows = [{**row, "changes": {**row["changes"]}} for row in record["rows"]]
    for row in rows:
        row["changes"].pop("shards", None)  # which later versions have not
    assert {row["name"]: row["changes"] for row in rows} == json.loads(
        json.dumps(plan.rows)
    )
    for row in rows:
        assert [run["settings"]["seed"] for run in row["runs"]] == list(plan.seeds)
        for run in row[
            "runs"
        ]:  # the recipe that the page prints is the one that was run
            settings = from_dict(run["settings"])
            assert (
                replace(RECIPES[plan.dataset], **row["changes"], seed=settings.seed)
                == settings
            )
        assert accuracy.summary(row["runs"])["accuracy"] == row["accuracy"]
