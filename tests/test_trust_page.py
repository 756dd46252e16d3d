"""The trust page prints what its records hold; oldest.txt pins what pyproject.toml allows."""

import re
import tomllib
from pathlib import Path

from stbp_edu import equations
from tools.pages.names import trust
from tools.templates import filled

ROOT = Path(__file__).parents[1]
APART = {"frameworks", "torch", "nir", "bridges", "events", "cluster", "mutants"}
"""Extras with an environment, or a job, of their own."""


def test_every_equation_that_verify_judges_is_on_the_page_and_nothing_failed():
    records = trust()
    text = filled("trust.md", **records)
    ids = {verdict["id"] for verdict in records["verify"]["verdicts"]}
    assert len(ids) > 25
    assert ids <= set(equations.EQUATIONS)
    assert all(f"| `{id}` |" in text for id in ids)
    assert not any(verdict["failed"] for verdict in records["verify"]["verdicts"])
    assert str(records["verify"]["bad_calls"]) in text


def test_the_oldest_versions_are_those_that_pyproject_allows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [v for k, v in project["optional-dependencies"].items() if k not in APART]
    wanted = [*project["dependencies"], *(d for extra in extras for d in extra)]
    found = (re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", d) for d in wanted)
    bounds = dict(m.groups() for m in found if m)
    lines = (ROOT / "requirements" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert set(pinned) == set(bounds)
    for name, bound in bounds.items():
        assert f"{pinned[name]}.".startswith(f"{bound}."), name
