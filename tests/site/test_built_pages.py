"""Every page of the built site, in a real browser, in both themes and at phone width."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.site.conftest import profile
from tests.site.reader import violations
from tools.site.checks.broken_links import broken
from tools.site.serve import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Response

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
HERE = Path(__file__).parent
KINDS = ("source/stbp_edu/", "source/tests/", "notebooks/", "api/", "")
PARTS = 24  # as many as share the pages evenly among browsers
INSPECT = (HERE / "inspect.js").read_text(encoding="utf-8")


def _pages(site: Path) -> list[str]:
    """Return the addresses of all pages."""
    files = (path.relative_to(site).as_posix() for path in site.rglob("index.html"))
    return sorted(file.removesuffix("index.html") for file in files)


def _problems(page: Page, name: str) -> list[str]:
    """Return what is wrong with the page that is open."""
    facts: dict[str, Any] = page.evaluate(INSPECT)
    found = [f"maths not typeset: {f}" for f in facts["unset"]]
    found += [f"raw maths: {text}" for text in facts["raw"]]
    found += [f"{facts['failed']} formulas failed"] * bool(facts["failed"])
    found += [f"{facts['unspoken']} formulas without words"] * bool(facts["unspoken"])
    found += [f"{facts['unnamed']} images without words"] * bool(facts["unnamed"])
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


def _visit(page: Page, url: str, name: str) -> list[str]:
    page.set_viewport_size(WIDE)
    page.goto(url + name)
    page.wait_for_selector("html[data-maths]", state="attached")
    found = _problems(page, name)
    found += [f"light: {v}" for v in violations(page)]
    page.locator("[data-theme-button]").click()
    page.wait_for_selector("body[data-md-color-scheme=slate]")
    if not name.startswith("source/"):  # these pages differ in their lines of code alone
        found += [f"dark: {v}" for v in violations(page)]
    page.set_viewport_size(NARROW)
    found += [f"dark and narrow: {v}" for v in violations(page)]
    wide = page.evaluate("document.documentElement.scrollWidth")
    found += [f"{wide} px wide at 360 px"] * (wide > 360)
    page.evaluate("localStorage.clear()")  # the next page is light again
    return found


@pytest.fixture(scope="module")
def tab(browser: Browser, axe: Path) -> Iterator[Page]:
    """Yield the tab in which the pages are opened one after the other; each has axe-core."""
    with profile(browser) as context:
        context.add_init_script(path=axe)
        yield context.new_page()


def _examine(page: Page, address: str, name: str) -> list[str]:
    """Open a page in the tab and return what is wrong with it."""
    host = urlsplit(address).netloc
    found: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            found.append(f"console: {message.text}")

    def response(answer: Response) -> None:
        if urlsplit(answer.url).netloc not in (host, ""):
            found.append(f"request to another host: {answer.url}")
        if answer.status >= 400 and not answer.url.endswith(name):
            found.append(f"{answer.status}: {answer.url}")

    listeners: dict[Any, Callable[[Any], None]] = {
        "console": console,
        "pageerror": lambda error: found.append(f"error: {error}"),
        "response": response,
        "requestfailed": lambda request: found.append(f"no answer: {request.url}"),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    try:
        found += _visit(page, address, name)
    finally:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
    assert not page.context.cookies()
    return [f"{name or '/'}: {problem}" for problem in found]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_is_sound(part: int, site: Path, address: str, tab: Page) -> None:
    """No console error, no foreign request, no raw maths, no axe violation, nothing too wide."""
    names = _pages(site)[part::PARTS]
    assert names
    problems = [p for name in names for p in _examine(tab, address, name)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("kind", KINDS)
def test_pages_of_every_kind_are_there(kind: str, site: Path) -> None:
    """What examines every page has some of each kind to examine."""
    assert any(next(filter(name.startswith, KINDS)) == kind for name in _pages(site))


def test_the_page_of_last_resort(site: Path, tab: Page) -> None:
    """A missing page, at any depth, shows the site's own page with all that it needs."""
    with served(site, below="") as address:
        found = _examine(tab, address, "no/such/page/")
    problems = [p for p in found if "the server responded with a status of 404" not in p]
    assert not problems, "\n".join(problems)


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
