"""The results page prints what the records hold, whichever of them there are."""

import copy
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


@pytest.fixture
def ladder() -> dict:
    """The published ladder with one row of two runs."""
    record = copy.deepcopy(RECORDS["mnist-ladder"])
    row = record["rows"][0] | {"name": "three epochs", "changes": {"shift": 0}}
    row["runs"] = row["runs"][:2]
    for run, mean, seconds in zip(
        row["runs"], (0.9912, 0.9876), (180.0, 184.0), strict=True
    ):
        run["accuracy"]["mean"] = mean
        run |= {"seconds": seconds, "load_before": 0.5}
    return record | {"rows": [row | accuracy.summary(row["runs"])]}


@pytest.fixture(scope="module")
def published() -> str:
    return filled("results.md", **results_page.names(RECORDS))


def page(**records) -> str:
    """Return the page in plain spaces."""
    named = {name.replace("_", "-"): record for name, record in records.items()}
    text = filled("results.md", **results_page.names(named))
    return text.replace("\xa0", " ").replace("&nbsp;", " ")


def line_of(text: str, start: str, of: int = 0) -> list[str]:
    """Return the cells of a line of a table that begins with these words."""
    found = [
        x for x in map(str.strip, text.splitlines()) if x.startswith(f"| {start} ")
    ]
    return [cell.strip(" *") for cell in found[of].strip("|").split("|")]


def with_seeds(row: dict, name: str, seeds: list[float], **changes) -> dict:
    found = {"mean": sum(seeds) / 2, "spread": 0.001, "seeds": seeds}
    return {
        **row,
        "name": name,
        "accuracy": found,
        "changes": {**row["changes"], **changes},
    }


def test_differences_are_taken_seed_by_seed(ladder):
    base = ladder["rows"][0]
    base["name"], seeds = "exact", base["accuracy"]["seeds"]
    for name, (a, b) in {"higher": (0.001, 0.002), "mixed": (0.001, -0.001)}.items():
        ladder["rows"].append(with_seeds(base, name, [seeds[0] + a, seeds[1] + b]))
    text = page(mnist_rules=ladder)
    assert line_of(text, "higher")[2:] == ["+0.10, +0.20", "+0.15 ± 0.64"]
    assert line_of(text, "mixed")[2:] == ["+0.10, −0.10", "+0.00 ± 1.27"]
    assert "No interval of a difference leaves out 0." in text
    assert "`mixed` is" not in text


def test_a_record_that_is_missing_leaves_no_gap():
    assert "## " not in page()
    assert "None" not in page()


def test_every_row_of_every_record_is_on_the_page(published):
    for name, record in RECORDS.items():
        if not name.startswith(results_page.ELSEWHERE):
            assert f"`{record['command']}`" in published
            if name == "ablations-digits":  # the notebook what_matters has the tables
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


def test_every_record_of_the_site_says_where_it_comes_from(published):
    """Or that this was not recorded; predictions were made on no machine."""
    for name, record in results_page.with_sources(RECORDS).items():
        cells = line_of(published.replace("\xa0", " "), f"`{name}`")
        made = [record.get(key, "not recorded") for key in ("commit", "date")]
        assert cells[1] == ", ".join(made)
        assert (cells[2] == "–, –") == ("predictions" in record)
    made = line_of(published, "`cause`")
    versions = results_page.with_sources(RECORDS)["cause"]["versions"]
    assert made[2:4] == [
        "Intel Xeon, SkylakeX",
        f"{versions['numpy']}, {versions['numba']}",
    ]
