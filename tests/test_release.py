"""What a release says of itself agrees; workflows do no more, and no less, than asked."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

import stbp_edu

ROOT = Path(__file__).resolve().parents[1]
CFF = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def workflow(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8"))


def test_version_citation_and_changelog_agree() -> None:
    """The newest entry of the changelog is the version that the package and the citation state."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    head = re.search(r"^## (\S+) \((\d{4}-\d{2}-\d{2})\)$", changelog, re.M)
    assert head
    assert head[1] == CFF["version"] == stbp_edu.__version__
    assert head[2] == str(CFF["date-released"])
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
    assert release[True] == {"push": {"tags": ["v*"]}}  # YAML reads the key `on` as true
    build, publish = release["jobs"]["build"], release["jobs"]["publish"]
    assert "permissions" not in build
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["needs"] == "build"
    assert publish["environment"] == "pypi"
    assert not any("run" in step for step in publish["steps"])  # no code of ours beside the right
    assert "secrets." not in (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")


def test_a_job_that_may_write_runs_nothing_of_the_project() -> None:
    """What builds the site, with all that it fetches, holds no right to write."""
    for name in ("ci", "pages", "release"):
        assert workflow(name)["permissions"] == {"contents": "read"}, name
    for name, job in workflow("pages")["jobs"].items():
        rights = job["permissions"]
        runs = " ".join(step.get("run", "") for step in job["steps"])
        if "write" in rights.values():
            assert "make" not in runs, name
            assert not any("checkout" in step.get("uses", "") for step in job["steps"]), name
