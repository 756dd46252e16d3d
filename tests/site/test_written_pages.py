"""The pages of the built site as they are written, read without a browser: all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.site.written import FROM_CODE, Written, faults, page_names
from tools.site.checks.broken_links import broken

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", FROM_CODE)
def test_a_page_made_of_code_is_sound_as_it_is_written(kind: str, site: Path) -> None:
    """Of those that no browser opens, too; there are no formulas on them, which it would set."""
    problems = []
    for name in filter(re.compile(kind).match, page_names(site)):
        page = Written(site / name / "index.html")
        found = faults(page.facts, name) + [f"id {id_} again" for id_ in page.repeated()]
        found += ["a formula"] * ("arithmatex" in (site / name / "index.html").read_text())
        problems += [f"{name}: {problem}" for problem in found]
    assert not problems, "\n".join(problems)


def test_what_is_wrong_is_seen_as_it_is_written(tmp_path: Path) -> None:
    """A page without a title, a description or a policy, with what it must not have."""
    page = tmp_path / "index.html"
    page.write_text(
        r"<html><head><title></title></head><body><h1 id='a'>A</h1><h3 id='a'>B</h3>"
        r"<main><img src='x'><p>\frac{1}{2}</p><code>$$</code></main>"
    )
    read = Written(page)
    assert read.repeated() == ["a"]
    assert faults(read.facts, "page/") == [
        r"raw maths: \frac{1}{2}",
        "1 images without words",
        "no title",
        "no language",
        "the policy is not first",
        "description too short or long",
        "no canonical address",
        "no preview picture",
        "heading jumps from 1 to 3: B",
    ]


def test_no_link_leads_nowhere(site: Path) -> None:
    """Every link inside the site leads to a file, and every fragment to a place."""
    assert not list(broken(site))


def test_the_check_finds_broken_links(tmp_path: Path) -> None:
    """The check of links would notice a missing file and a missing place."""
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text('<a href="a/#x"></a><a href="b/"></a><a href="a/#y">')
    (tmp_path / "a" / "index.html").write_text('<p id="x"><img src="../no.png"><a href="..">')
    assert [line.split(" leads")[0] for line in broken(tmp_path)] == [
        "a/index.html: ../no.png",
        "index.html: a/#y",
        "index.html: b/",
    ]
