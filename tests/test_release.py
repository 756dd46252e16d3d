"""What a release says of itself agrees."""

import yaml

import stbp_edu
from tools import ROOT

CFF = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))


def test_version_citation_and_changelog_agree() -> None:
    """The newest entry of the changelog is the version that the package and the citation state."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest = next(line for line in changelog.splitlines() if line.startswith("## "))
    assert newest == f"## {CFF['version']} ({CFF['date-released']})"
    assert CFF["version"] == stbp_edu.__version__
    assert CFF["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CFF.keys()
    assert "unreleased" not in changelog.lower()
