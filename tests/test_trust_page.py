"""The trust page prints what its records hold; oldest.txt pins what pyproject.toml allows."""

import re
import tomllib
from pathlib import Path

from stbp_edu import equations
from tools.pages import trust_page

ROOT = Path(__file__).parents[1]
MUTANTS = {
    "stbp_edu/neuron.py": {
        "sha": "", "changes": 40, "tried": 10, "computing": 8,
        "seen": {"autodiff + paths": 7, "bad calls + tests": 1, "formulas": 1, "nobody": 1},
        "weakly": [
            {"line": 3, "old": "a", "new": "b", "checks": False, "by": "formulas"},
            {"line": 4, "old": "a", "new": "b", "checks": False, "by": "bad calls + tests"},
        ],
        "survived": [
            {"line": 9, "code": "return x + y", "old": "x + y", "new": "x - y", "checks": True}
        ],
    }
}  # fmt: skip


def test_every_equation_that_verify_judges_is_on_the_page_and_nothing_failed():
    records = trust_page.read_trust()
    text = trust_page.page(records)
    ids = {verdict["id"] for verdict in records["verify"]["verdicts"]}
    assert len(ids) > 25
    assert ids <= set(equations.EQUATIONS)
    assert all(f"| `{id}` |" in text for id in ids)
    assert not any(verdict["failed"] for verdict in records["verify"]["verdicts"])
    assert str(records["verify"]["bad_calls"]) in text


def test_the_score_counts_survivors_and_who_noticed():
    records = {"verify": {}, "fuzz": {}, "mutants": MUTANTS}
    text = trust_page.page(records)
    shares = "90.0 (59.6 to 98.2) | 80.0 (49.0 to 94.3) | 70.0 (39.7 to 89.2)"
    assert f"| `neuron.py` | 10 of 40 | {shares} |" in text
    assert "| judged mathematics | 10 of 40 | 90.0 (59.6 to 98.2) |" in text
    computes = "100.0 (67.6 to 100.0) | 87.5 (52.9 to 97.8) | 75.0 (40.9 to 92.9)"
    assert f"| of these, what computes | 8 | {computes} |" in text
    assert (
        "| of these, checks and defaults | 2 | 50.0 (9.5 to 90.5) | 50.0 (9.5 to 90.5) | – |"
        in text
    )
    assert "| autodiff + paths | 7 |" in text
    assert "`stbp_edu/neuron.py:9`: `x + y` became `x - y`: not killed yet" in text


def test_without_records_the_page_still_says_what_each_oracle_takes():
    text = trust_page.page({"verify": {}, "fuzz": {}, "mutants": {}})
    assert "takes from the package" in text
    assert "comparisons failed" not in text


APART = (
    "frameworks",
    "torch",
    "nir",
    "bridges",
    "events",
    "cluster",
)  # in environments of their own


def test_the_oldest_versions_are_those_that_pyproject_allows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *(d for k in extras if k not in APART for d in extras[k]),
    ]
    bounds = dict(
        m.groups() for d in wanted if (m := re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", d))
    )
    lines = (ROOT / "requirements" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert set(pinned) == set(bounds)
    for name, bound in bounds.items():
        assert f"{pinned[name]}.".startswith(f"{bound}."), name
