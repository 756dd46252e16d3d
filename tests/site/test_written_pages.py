"""The pages of the built site as they are written, which no browser opens: all those of code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.site.conftest import profile
from tests.site.written import FROM_CODE, faults, page_names
from tools.site.render.links import broken

if TYPE_CHECKING:
    from playwright.sync_api import Browser

INSPECT = Path(__file__).with_name("inspect.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", FROM_CODE)
def test_a_page_made_of_code_is_sound_as_it_is_written(
    kind: str, site: Path, browser: Browser
) -> None:
    """There are no formulas on them, which the browser would set."""
    problems = []
    with profile(browser) as context:
        page = context.new_page()
        for name in (name for name in page_names(site) if name.startswith(kind)):
            text = (site / name / "index.html").read_text(encoding="utf-8")
            found = faults(page.evaluate(INSPECT, text), name)
            problems += [f"{name}: {problem}" for problem in found]
    assert not problems, "\n".join(problems)


def test_what_is_wrong_is_seen_as_it_is_written(browser: Browser) -> None:
    """A page without a title, a description or a policy, with what it must not have."""
    text = (
        r"<html><head><title></title></head><body><h1 id='a'>A</h1><h3 id='a'>B</h3>"
        r"<main><img src='x'><p>\frac{1}{2}</p><code>$$</code></main>"
    )
    with profile(browser) as context:
        facts = context.new_page().evaluate(INSPECT, text)
    assert faults(facts, "page/") == [
        r"raw maths: \frac{1}{2}",
        "1 images without words",
        "id a again",
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
