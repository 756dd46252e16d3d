"""What a release says of itself agrees; workflows and hooks do no more, and no less, than asked."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import stbp_edu

ROOT = Path(__file__).resolve().parents[1]
CFF = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
CONFIG = ROOT / ".pre-commit-config.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load(CONFIG.read_text())["repos"][0]["hooks"]}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def workflow(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8"))


def test_version_citation_and_changelog_agree() -> None:
    """The newest entry of the changelog is the version that the package and the citation state."""
    head = re.search(
        r"^## (\S+) \((\d{4}-\d{2}-\d{2})\)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M
    )
    assert head
    assert head[1] == CFF["version"] == stbp_edu.__version__
    assert head[2] == str(CFF["date-released"])
    assert CFF["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CFF.keys()
    assert "unreleased" not in (ROOT / "CHANGELOG.md").read_text("utf-8").lower()


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


@pytest.mark.slow  # processes take their time to start
@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ("Share one container of adjoints\n\nTwo were the same.\n", True),
        ("Merge branch 'core'", True),
        ("Added a test", False),
        ("add a test", False),
        ("Write " + 67 * "x", False),
    ],
)
def test_a_subject_is_imperative_and_short(tmp_path: Path, message: str, passes: bool):
    assert all(hook["entry"].startswith(".venv/bin/") for hook in HOOKS.values())  # none is fetched
    path = tmp_path / "message"
    path.write_text(message, encoding="utf-8")
    tool, *options = shlex.split(HOOKS["message"]["entry"])
    command = [Path(sys.executable).with_name(Path(tool).name), *options, path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode == 0) == passes, done.stdout
