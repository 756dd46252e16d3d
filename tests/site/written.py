"""What is wrong with a page, by what inspect.js reads of it: opened in the browser, or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FROM_CODE = ("source/stbp_edu/", "source/tests/", "api/")  # pages that are made of code


def page_names(site: Path) -> list[str]:
    """Return the addresses of all pages."""
    files = (path.relative_to(site).as_posix() for path in site.rglob("index.html"))
    return sorted(file.removesuffix("index.html") for file in files)


def faults(facts: dict[str, Any], name: str) -> list[str]:
    """Return what is wrong with a page that says this about itself."""
    found = [f"maths not typeset: {f}" for f in facts["unset"]]
    found += [f"raw maths: {text}" for text in facts["raw"]]
    found += [f"{facts['failed']} formulas failed"] * bool(facts["failed"])
    found += [f"{facts['unspoken']} formulas without words"] * bool(facts["unspoken"])
    found += [f"{facts['unnamed']} images without words"] * bool(facts["unnamed"])
    found += [f"id {id_} again" for id_ in facts["repeated"]]
    found += ["no title"] * (not facts["title"]) + ["no language"] * (facts["lang"] != "en")
    found += ["the policy is not first"] * (facts["first"] != "Content-Security-Policy")
    if not name.startswith("no/"):
        found += ["description too short or long"] * (not 20 <= len(facts["description"]) <= 330)
        found += ["no canonical address"] * (not facts["canonical"].startswith("http"))
        found += ["no preview picture"] * (not facts["image"].endswith("assets/social.png"))
    levels = [level for level, _ in facts["headings"]]
    found += [f"{levels.count(1)} headings of level 1"] * (levels.count(1) != 1)
    for (before, _), (level, text) in zip(facts["headings"], facts["headings"][1:], strict=False):
        found += [f"heading jumps from {before} to {level}: {text}"] * (level > before + 1)
    return found
