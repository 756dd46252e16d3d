"""The page on tasks of time prints what its record holds, whichever cells are in it."""

import re

import pytest

from tools import ROOT
from tools.pages import (
    read_records,
    time_figures,
    time_notes,
    time_page,
    time_runs,
    time_updates,
)
from tools.templates import filled

RECORDS = read_records()
MADE = {
    "commit": "abc", "date": "2026-11-30", "quantiles": [0.1, 0.5, 0.9, 0.99, 1.0],
    "machine": {"processor": "a processor", "cores": 2, "kernels": "SkylakeX"},
    "versions": {"numpy": "2.0", "blas": "a blas", "numba": "0.1"},
}  # fmt: skip


def run(seed: int, accuracy: float, **more: object) -> dict:
    curve = [0.5, 0.5, 0.5, accuracy]
    return {
        "seed": seed, "accuracy": accuracy, "held_out": curve, "commonest": [0.6] * 4,
        "hidden": [0.1] * 4, "output": [0.2] * 4, "gains": [[0.1, 0.2]] * 4,
        "norms": [[0.1, 0.5, 1.0, 5.0, 500.0]] * 4, **more,
    }  # fmt: skip


def row(rule: str, arm: str, accuracies: list[float], **more: object) -> dict:
    runs = [run(seed, accuracy) for seed, accuracy in enumerate(accuracies)]
    cell = {"task": "delayed-xor", "a": 0.02, "rule": rule, "arm": arm, **more}
    return {**cell, "lr": 0.01, "tried": {"0.01": 0.9}, "runs": runs}


RECORD = {
    **MADE,
    "rows": [
        row("exact", "none", [1.0, 0.5, 0.5]),
        row("classic", "none", [0.5, 0.5]),
        row("exact", "limit", [1.0, 0.9, 1.0]),
        row("exact", "none", [1.0, 1.0], T=59),
    ],
}


def page(records) -> str:
    text = filled("time.md", **time_page.names(records))
    return re.sub("\xa0|&nbsp;", " ", text)


def test_a_cell_is_found_by_what_it_says_and_by_what_it_leaves_out() -> None:
    runs = time_runs.runs_of
    assert [r["accuracy"] for r in runs(RECORD, rule="exact", arm="none")] == [
        1.0,
        0.5,
        0.5,
    ]
    assert len(runs(RECORD, rule="exact", arm="none", T=59)) == 2
    assert runs(RECORD, rule="exact", arm="none", a=0.045) == []
    assert runs(RECORD, rule="exact", arm="none", task="digits") == []


def test_differences_are_paired_by_seed_and_shares_have_wilsons_interval() -> None:
    none, limit = (
        time_runs.runs_of(RECORD, rule="exact", arm=arm) for arm in ("none", "limit")
    )
    assert time_runs.differences(limit, none) == pytest.approx([0.0, 40.0, 50.0])
    assert time_runs.share(none).replace("\xa0", " ") == "1 of 3 (6 to 79 %)"
    assert time_runs.share([]) == "–"
    # the mean 30, and the quantile 4.303 of Student's t with two degrees of freedom
    assert (
        time_runs.between([0.0, 40.0, 50.0]).replace("\xa0", " ")
        == "+30.0 (−35.7 to +95.7)"
    )


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"output": [0.2, 0.0]}, "silent"),
        ({"commonest": [0.6, 1.0]}, "constant"),
        ({"held_out": [0.5, 0.5, 0.5, 0.6]}, "slow"),
        ({"held_out": [0.5, 0.5, 0.5, 0.5]}, "stuck"),
        ({"held_out": []}, "diverged"),
        ({"accuracy": 0.96}, "learned"),
    ],
)
def test_failures_are_told_apart(change, word) -> None:
    assert time_runs.kind({**run(0, 0.5), **change}) == word


def test_pairs_of_seeds_show_what_shares_hide() -> None:
    none, limit = (
        time_runs.runs_of(RECORD, rule="exact", arm=arm) for arm in ("none", "limit")
    )
    assert time_runs.only(limit, none) == (1, 0)
    assert time_runs.only(none, limit) == (0, 1)
    fallen = run(0, 0.5, held_out=[0.5, 0.97, 0.6, 0.5])
    assert time_runs.fell_back([fallen, run(1, 1.0), run(2, 0.5)]) == 1


MOVED = {
    **MADE,
    "rows": [
        {**row("exact", arm, [1.0, 0.5, 0.5]), "lr": 0.01} for arm in ("none", "turned")
    ],
}
for at, factor in ((0, 1.0), (1, 3.0)):
    for seed, one in enumerate(MOVED["rows"][at]["runs"]):
        median = factor * (0.1, 0.2, 0.05)[seed]
        one["updates"] = [[0.0, median, 1.0, 1.0, 1.0]] * 3 + [[9.0] * 5]


def test_sizes_of_updates_are_those_of_the_first_epochs() -> None:
    """Medians 0.1 in the run that learns, 0.2 and 0.05 in those that fail; three times that."""
    none, turned = (row["runs"] for row in MOVED["rows"])
    assert time_updates.sizes(MOVED, none) == pytest.approx([0.1, 0.2, 0.05])
    assert time_updates.typical(MOVED, rule="exact", arm="none") == "0.10"
    found, base = (time_updates.sizes(MOVED, runs) for runs in (turned, none))
    assert time_updates.times(found, base) == pytest.approx(3.0)
    assert time_updates.failing_larger(MOVED, none) == 0.5


@pytest.mark.parametrize(
    ("claim", "held"),
    [
        ({"at_most": 0.15}, True),
        ({"at_least": 0.15}, False),
        ({"failing_larger_at_least": 0.3, "failing_larger_at_most": 0.4}, False),
        ({"learn_at_least": 0.3}, True),
    ],
)
def test_predictions_on_updates_hold_or_fail(claim, held) -> None:
    cell = {"rule": "exact", "arm": "none"}
    ((_, _, found),) = time_updates.judged_updates(MOVED, [{"cell": cell, **claim}])
    assert found is held


def test_predictions_hold_fail_or_wait() -> None:
    """A difference by its whole interval, a share and a mean by their point."""
    none = {"rule": "exact", "arm": "none"}
    cases = [
        ({"cell": none, "learn_at_most": 0.4}, True),
        ({"cell": none, "learn_at_least": 0.4}, False),
        ({"cell": none, "mean_at_least": 0.6}, True),
        ({"cell": {**none, "arm": "limit"}, "minus_arm": "none", "above": -0.5}, True),
        ({"cell": {**none, "arm": "limit"}, "minus_arm": "none", "above": 0.0}, False),
        ({"cell": {**none, "arm": "limit"}, "minus_arm": "sgd", "above": 0.0}, None),
        ({"cell": {**none, "rule": "ottt"}, "learn_at_least": 0.4}, None),
    ]
    found = time_page.judged(RECORD, [said for said, _ in cases])
    assert [held for *_, held in found] == [held for _, held in cases]


def test_rules_say_whether_they_need_a_trace_or_all_steps() -> None:
    rows = {
        row[0]: row[2:5]
        for row in time_page.decisions(time_runs.NOTHING, time_runs.NOTHING)
    }
    assert rows["`exact`"] == ["1", "–", "all T steps"]
    assert rows["`classic`"] == ["2", "–", "all T steps"]
    assert rows["`spatial-only`"] == ["1", "0", "one step"]
    assert rows["`ottt`"] == ["2", "1", "one step"]
    assert (
        rows["`detached-spikes`"]
        == rows["`detached-reset`"]
        == ["1", "–", "all T steps"]
    )


EARLIER = {"cause-earlier": RECORDS["cause-earlier"]}


@pytest.mark.slow
@pytest.mark.parametrize("records", [{**EARLIER, "cause": RECORD}, RECORDS])
def test_the_page_shows_whichever_cells_its_record_has(records) -> None:
    text = page(records)
    assert "## Which rule should I use?" in text
    assert "Learning curves" in text
    exact = time_runs.runs_of(records["cause"], rule="exact", arm="none")
    assert time_runs.share(exact).replace("\xa0", " ") in text


def test_a_panel_of_shares_needs_two_ticks_with_runs() -> None:
    one = [run(0, 1.0), run(1, 0.5)]
    lines = {"exact": [[], [], one], "classic": [[], [], one]}
    few = time_figures.Panel("few", "a", ["1", "2", "3"], lines)
    assert few.filled() == 1
    assert time_figures.shares([few]) == ""
    more = time_figures.Panel("more", "a", ["1", "2", "3"], {"exact": [one] * 3})
    drawn = re.sub("\xa0|&nbsp;|&#160;", " ", time_figures.shares([more]))
    assert "more, exact: 1: 1 of 2" in drawn


@pytest.mark.slow
def test_the_page_is_short_and_has_no_long_table() -> None:
    text = page(RECORDS)
    prose = re.sub(r'<div class="stbp-figure">.*?</div>\n', "", text, flags=re.S)
    prose = prose.partition("\n# ")[2]
    words = re.sub(r"^\|.*$", "", prose, flags=re.M)
    assert len(re.sub(r"[*`\-]", " ", words).split()) <= 1_200
    rows = [
        len(table.strip().splitlines()) - 2
        for table in re.findall(r"(?:^\|.*\n)+", prose, re.M)
    ]
    assert max(rows) <= 8
    assert prose.count("results/cause-notes.txt") == 1


def test_the_notes_beside_the_record_are_those_of_the_record() -> None:
    written = (ROOT / "docs/results/cause-notes.txt").read_text("utf-8")
    assert written == time_notes.text(RECORDS)


SHARE = re.compile(r"\b(\d+) of (\d+)\s+runs")


@pytest.mark.slow
def test_a_share_of_runs_in_the_readme_is_one_that_this_page_prints() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    quoted = {" of ".join(found) for found in SHARE.findall(readme)}
    text = page(RECORDS)
    assert quoted
    assert not {share for share in quoted if f"{share} (" not in text}
