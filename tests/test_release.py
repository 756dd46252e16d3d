"""What a release says of itself agrees.

The trust page prints what its records hold.
"""

import tomllib

import yaml

import stbp_edu
from stbp_edu._support import equations
from tools import ROOT
from tools.pages.page_names import trust
from tools.templates import filled

CFF = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]


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


def test_every_equation_that_verify_judges_is_on_the_page_and_nothing_failed():
    records = trust()
    text = filled("trust.md", **records)
    ids = {verdict["id"] for verdict in records["verify"]["verdicts"]}
    assert len(ids) > 25
    assert ids <= set(equations.EQUATIONS)
    assert all(f"| `{id}` |" in text for id in ids)
    assert not any(verdict["failed"] for verdict in records["verify"]["verdicts"])
