"""The page on tasks of time prints what its records hold, whichever of them and of their runs."""

import re

import pytest

from tools import ROOT
from tools.pages import read_records, time_page
from tools.templates import filled

pytestmark = pytest.mark.slow  # each test draws the page's figures anew

RECORDS = read_records()
MADE = {
    "command": "stbp-edu sweep benchmarks/time/limit.toml", "date": "2026-11-27", "commit": "abc",
    "machine": {"processor": "a processor", "cores": 2},
    "versions": {"numpy": "2.0", "blas": "a blas"},
    "base": {"tau": 0.95, "hidden": [64], "rule": "exact", "gain_limit": 0.0, "a": 0.5, "lr": 1.0},
}  # fmt: skip


def run(seed: int, accuracy: float) -> dict:
    return {
        "seed": seed, "accuracy": accuracy, "curve": [0.5, accuracy], "fires": 0.8,
        "beyond": [0.1, 0.2], "rate": 0.1,
    }  # fmt: skip


def rows(found: dict, **cell: object) -> list[dict]:
    """Return a row for each rule and limit, with a run of each accuracy."""
    return [
        {
            "cell": {"a": 0.02, "rule": rule, "lr": 0.01, "gain_limit": most, **cell}, "planned": 3,
            "runs": [run(seed, accuracy) for seed, accuracy in enumerate(accuracies)],
        }
        for (rule, most), accuracies in found.items()
    ]  # fmt: skip


@pytest.fixture
def limit() -> dict:
    """Two rules at one width and rate, two of three seeds done with the limit."""
    found = {
        ("exact", 0.0): (1.0, 0.5, 0.5), ("exact", 1.0): (1.0, 0.9),
        ("classic", 0.0): (0.5, 0.5, 0.5), ("classic", 1.0): (),
    }  # fmt: skip
    return {**MADE, "rows": rows(found)}


def page(records) -> str:
    text = filled("time.md", **time_page.names(records))
    return re.sub("\xa0|&nbsp;", " ", text)


def lines(start: str, records) -> list[str]:
    """Return the lines of the page's tables that have this beginning."""
    return [
        x.strip()
        for x in page(records).splitlines()
        if x.strip().startswith(f"| {start}")
    ]


def test_runs_are_paired_by_seed_and_shares_have_wilsons_interval(limit):
    exact, classic = lines("a = 0.02, rate 0.01", {"time-limit": limit})
    # 1.0 - 1.0 and 0.9 - 0.5: 20 points, and the quantile of one degree of freedom
    assert exact.endswith(
        "| 1 of 3 (6 to 79 %) | 1 of 2 (9 to 91 %) | +20.0 (−234.1 to +274.1) |"
    )
    assert classic.endswith("| 0 of 3 (0 to 56 %) | – | – |")


def test_each_arm_is_shown_at_the_rate_that_served_it_best_on_other_data(limit):
    """And runs that share their seeds count without an interval, once in a difference."""
    slow = rows({arm: (0.5, 0.6) for arm in time_page.ARMS})
    fast = rows({arm: (0.7, 0.6 - 0.2 * arm[1]) for arm in time_page.ARMS}, lr=0.02)
    rates = {
        **MADE,
        "rows": slow + fast,
    }  # 0.02 is better without the limit, 0.01 with it
    tuned = time_page.names({"time-rates": rates, "time-tuned": rates})["records"][
        "tuned"
    ]
    assert [row["lr"] for row in tuned["rows"]] == [0.02, 0.01, 0.02, 0.01]
    line, *_ = lines(
        "`exact` |", {"time-limit": limit, "time-rates": rates, "time-tuned": rates}
    )
    assert line.endswith("(0 to 66 %) at rate 0.01 | −10.0 (−137.1 to +117.1) |")
    assert (
        time_page.share(time_page.runs_of(rates, rule="exact", gain_limit=0.0))
        == "0\xa0of\xa04"
    )
    both = [x[1:] for x in time_page.pairs(rates) if x[0]["rule"] == "exact"]
    assert time_page.differences(*both) == pytest.approx([0.0, -10.0])


def test_predictions_hold_fail_or_wait(limit):
    """A difference by its whole interval; a share by its point, if need be by that alone."""
    prediction = {
        "plan": "limit",
        "where": {"rule": "exact"},
        "what": "limited minus not",
    }
    shares = {
        "plan": "limit",
        "where": {"rule": "classic", "gain_limit": 0.0},
        "what": "learns",
    }
    cases = [
        ({**prediction, "holds": 0.0}, True, False), ({**prediction, "above": 0.0}, False, False),
        ({**prediction, "above": -3.0}, True, False),
        ({**prediction, "where": {"rule": "no"}}, None, False),
        ({**shares, "at_most": 0.1}, True, True),  # 0 of 3: 0 to 56 %
        ({**shares, "at_most": 0.6}, True, False), ({**shares, "at_least": 0.1}, False, False),
        ({**shares, "where": {"rule": "no"}}, None, False), ({**shares, "plan": "no"}, None, False),
    ]  # fmt: skip
    written = {"predictions": [said for said, *_ in cases]}
    found = time_page.judged({"limit": limit}, written)
    assert [(v["held"], v["by_point"]) for v in found] == [
        (*case,) for _, *case in cases
    ]


def test_the_page_needs_no_record_and_has_every_published_one():
    assert "## Known" not in page({})
    text = page(RECORDS)
    for name in (n for n in RECORDS if n.startswith("time-")):
        assert f"`{RECORDS[name]['command']}` | {RECORDS[name]['date']}" in text
    assert text.count("figure-wide") == 2


SHARE = re.compile(r"\b(\d+) of (\d+)\s+runs")


@pytest.mark.parametrize("name", ["README.md", "docs/silent-networks.md"])
def test_a_share_of_runs_in_another_page_is_one_that_this_page_prints(name):
    quoted = {
        " of ".join(found) for found in SHARE.findall((ROOT / name).read_text("utf-8"))
    }
    text = page(RECORDS)
    assert not {share for share in quoted if f"{share} (" not in text}
