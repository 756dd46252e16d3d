"""The pages on tasks of time print what their records hold."""

import re

import pytest

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


def test_differences_are_paired_by_seed_and_shares_have_wilsons_interval() -> None:
    none, sign = (task_records.row(RECORD, "exact", arm) for arm in ("none", "sign"))
    assert task_records.differences(sign, none) == pytest.approx([0.0, 40.0, 50.0])
    share = task_records.share(none).replace("\xa0", " ")
    assert share == "1 of 3 (6 to 79 %)"
    # the mean 30, and the quantile 4.303 of Student's t with two degrees of freedom
    paired = task_records.paired(sign, none).replace("\xa0", " ")
    assert paired == "+30.0 (−35.7 to +95.7)"
    assert task_records.paired(sign, None) == "–"


@pytest.mark.slow
def test_the_printed_counts_are_those_of_the_records() -> None:
    text = filled("time.md", **names("time.md")).replace("\xa0", " ")
    for r in RECORDS["sign"]["rows"]:
        learn = sum(a > 0.95 for a in r["accuracy"])
        if r["arm"] == "sign" and r["task"] == "delayed-xor" and not r["fixed"]:
            assert f"{learn} of {len(r['accuracy'])}" in text
    table = re.search(r"\| none \| \d+ of \d+ \| (\d+ of \d+)", text)
    plain = task_records.row(RECORDS["sign"], "exact", "none", fixed=False)
    assert table[1] == task_records.of(plain).replace("\xa0", " ")
    short = filled("exact-is-not-best.md", **names("exact-is-not-best.md"))
    assert short.count('class="stbp-figure"') == 1


def test_readme_counts_are_those_of_the_record() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    plain, sign = (
        task_records.row(RECORDS["sign"], "exact", arm, fixed=False)
        for arm in ("none", "sign")
    )
    claim = re.sub(r"\s+", " ", text.partition("Claims are measured")[2])[:800]
    for found in (sign, plain):
        assert task_records.of(found).replace("\xa0", " ") in claim
