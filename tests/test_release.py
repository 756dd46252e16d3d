"""What a release says of itself agrees; workflows do no more, and no less, than asked.

The trust page prints what its records hold; oldest.txt pins what pyproject.toml allows.
"""

import re
import tomllib
from typing import Any

import yaml

import stbp_edu
from stbp_edu._support import equations
from tools import ROOT
from tools.pages.page_names import trust
from tools.templates import filled

CFF = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
APART = {"frameworks", "torch", "nir", "bridges", "events", "cluster", "mutants"}
"""Extras and groups with an environment, or a job, of their own."""


def workflow(name: str) -> dict[str, Any]:
    return yaml.safe_load(
        (ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8")
    )


def test_version_citation_and_changelog_agree() -> None:
    """The newest entry of the changelog is the version that the package and the citation state."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest = next(line for line in changelog.splitlines() if line.startswith("## "))
    assert newest == f"## {CFF['version']} ({CFF['date-released']})"
    assert CFF["version"] == stbp_edu.__version__
    assert CFF["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CFF.keys()
    assert "unreleased" not in changelog.lower()


def test_both_licences_are_named_wherever_one_looks() -> None:
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"
    assert {"LICENSE", "LICENSE-text.md"} <= set(PROJECT["license-files"])
    for name in ("README.md", "mkdocs.yml", "LICENSE-text.md", "CITATION.cff"):
        text = (ROOT / name).read_text("utf-8")
        assert "MIT" in text, name
        assert "CC BY 4.0" in text, name


def test_a_release_publishes_without_a_token_and_with_no_other_right() -> None:
    release = workflow("release")
    assert release[True] == {
        "push": {"tags": ["v*"]}
    }  # YAML reads the key `on` as true
    build, publish = release["jobs"]["build"], release["jobs"]["publish"]
    assert "permissions" not in build
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["needs"] == "build"
    assert publish["environment"] == "pypi"
    assert not any(
        "run" in step for step in publish["steps"]
    )  # no code of ours beside the right
    assert "secrets." not in (ROOT / ".github" / "workflows" / "release.yml").read_text(
        "utf-8"
    )


def test_every_action_is_pinned_by_the_hash_of_a_commit() -> None:
    """A tag can be moved to other code; a hash cannot."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        jobs = workflow(path.stem)["jobs"]
        used = [
            step["uses"]
            for job in jobs.values()
            for step in job["steps"]
            if "uses" in step
        ]
        assert used, path
        for action in used:
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), (path.name, action)


def test_a_newer_push_cancels_the_runs_of_an_older_one() -> None:
    for name in ("ci", "pages", "weekly"):
        assert workflow(name)["concurrency"]["cancel-in-progress"] is True, name


def test_the_fast_tests_run_on_three_systems() -> None:
    fast = workflow("ci")["jobs"]["fast"]
    assert fast["runs-on"] == "${{ matrix.os }}"
    systems = {name.partition("-")[0] for name in fast["strategy"]["matrix"]["os"]}
    assert systems == {"ubuntu", "macos", "windows"}


def test_a_job_that_may_write_runs_nothing_of_the_project() -> None:
    """What builds the site, with all that it fetches, holds no right to write."""
    for name in ("ci", "pages", "release"):
        assert workflow(name)["permissions"] == {"contents": "read"}, name
    for name, job in workflow("pages")["jobs"].items():
        rights = job["permissions"]
        runs = " ".join(step.get("run", "") for step in job["steps"])
        if "write" in rights.values():
            assert "make" not in runs, name
            assert not any(
                "checkout" in step.get("uses", "") for step in job["steps"]
            ), name


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
    wanted = [*PROJECT["dependencies"]]
    for lists in (PROJECT["optional-dependencies"], PYPROJECT["dependency-groups"]):
        for name, listed in lists.items():
            if name not in APART:
                wanted += [entry for entry in listed if isinstance(entry, str)]
    found = (re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", d) for d in wanted)
    bounds = dict(m.groups() for m in found if m)
    lines = (
        (ROOT / "requirements" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    )
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert set(pinned) == set(bounds)
    for name, bound in bounds.items():
        assert f"{pinned[name]}.".startswith(f"{bound}."), name
