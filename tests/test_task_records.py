"""The pages on tasks of time print what their records hold."""

import re

import numpy as np
import pytest

from stbp_edu import Gaussian
from tools import ROOT
from tools.pages import read_records, task_records
from tools.pages.page_names import names
from tools.templates import filled

RECORDS = read_records()


def row(rule, arm, accuracy, **more):
    seeds = f"0:{len(accuracy)}"
    return {
        "task": "delayed-xor", "rule": rule, "arm": arm, "fixed": False,
        "accuracy": accuracy, "seeds": seeds, **more,
    }  # fmt: skip


RECORD = {
    "rows": [
        row("exact", "none", [1.0, 0.5, 0.5]),
        row("exact", "sign", [1.0, 0.9, 1.0]),
        row("exact", "sign", [1.0, 1.0], changes={"T": 59}),
        row("exact", "none", [0.4, 0.5], task="digits"),
        row("exact", "sign", [0.6, 0.5], task="digits"),
        row("exact", "limit", [1.0, 1.0, 1.0], fixed=True),
    ]
}


def test_a_cell_is_found_by_what_it_says_and_by_what_it_leaves_out() -> None:
    found = task_records.row(RECORD, "exact", "sign")
    assert found["accuracy"] == [1.0, 0.9, 1.0]
    assert (
        task_records.row(RECORD, "exact", "sign", changes={"T": 59})["seeds"] == "0:2"
    )
    assert task_records.row(RECORD, "exact", "sign", task="mnist") is None
    assert task_records.row(RECORD, "exact", "limit", fixed=False) is None


def test_differences_are_paired_by_seed_and_shares_have_wilsons_interval() -> None:
    none, sign = (task_records.row(RECORD, "exact", arm) for arm in ("none", "sign"))
    assert task_records.differences(sign, none) == pytest.approx([0.0, 40.0, 50.0])
    share = task_records.share(none).replace("\xa0", " ")
    assert share == "1 of 3 (6 to 79 %)"
    # the mean 30, and the quantile 4.303 of Student's t with two degrees of freedom
    paired = task_records.paired(sign, none).replace("\xa0", " ")
    assert paired == "+30.0 (−35.7 to +95.7)"
    assert task_records.paired(sign, None) == "–"


def test_a_prediction_is_judged_by_its_own_runs() -> None:
    said = {
        "predictions": [
            {"task": "delayed-xor", "rule": "exact", "arm": "sign", "n": 3, "learn_at_least": 2},
            {"task": "delayed-xor", "rule": "exact", "arm": "sign", "learn_at_least": 18},
            {"task": "delayed-xor", "rule": "exact", "arm": "limit", "learn_at_least": 1},
            {"task": "delayed-xor", "rule": "exact", "arm": "limit", "lr": 0.01, "n": 3,
             "learn_at_most": 2},
            {"task": "digits", "rule": "exact", "arm": "sign", "mean_at_least": 0.5},
            {"task": "digits", "rule": "exact", "arm": "sign", "minus_arm": "none",
             "between": [-0.1, 0.05]},
        ]
    }  # fmt: skip
    record = {"rows": [*RECORD["rows"][:-1], {**RECORD["rows"][-1], "lr": 0.01}]}
    verdicts = [holds for _, holds in task_records.judged(record, said)]
    assert verdicts == [True, False, None, False, True, False]


@pytest.mark.slow
def test_the_printed_counts_are_those_of_the_records() -> None:
    text = filled("time.md", **names("time.md")).replace("\xa0", " ")
    for r in RECORDS["sign"]["rows"]:
        learn = sum(a > 0.95 for a in r["accuracy"])
        if r["arm"] == "sign" and r["task"] == "delayed-xor" and not r["fixed"]:
            assert f"{learn} of {len(r['accuracy'])}" in text
    table = re.search(r"\| none \| (\d+ of \d+)", text)
    plain = task_records.row(RECORDS["sign"], "exact", "none", fixed=False)
    assert table[1] == task_records.of(plain).replace("\xa0", " ")
    short = filled("exact-is-not-best.md", **names("exact-is-not-best.md"))
    assert short.count('class="stbp-figure"') == 1


def test_two_exact_gradients_agree_where_the_surrogate_is_low() -> None:
    low = task_records.two_exact(Gaussian(4.0))
    high = task_records.two_exact(Gaussian(0.159))
    assert low[0] > 0.99 > high[0] + 0.3
    assert np.isfinite([*low, *high]).all()


def test_readme_counts_are_those_of_the_record() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    plain, sign = (
        task_records.row(RECORDS["sign"], "exact", arm, fixed=False)
        for arm in ("none", "sign")
    )
    claim = re.sub(r"\s+", " ", text.partition("Claims are measured")[2])[:800]
    for found in (sign, plain):
        assert task_records.of(found).replace("\xa0", " ") in claim
