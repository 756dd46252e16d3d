"""The built site, served under a sub-path, and one browser for all tests.

Loading Python into a page takes longer than what most tests do with it. So there are three pages:
``page``, in a fresh profile; ``warm``, which tests share, its cells as they were and Python still
there, on the first notebook or on another (``kept``); and ``opened``, one for each notebook, which
the tests of that notebook share.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response

pytest.importorskip("mkdocs", reason="the site's tests need the extra [test]")


from stbp_edu._support.files import locked
from tests.browsing import GATE, find, launched, script, served
from tools.site import ROOT, SITE, build
from tools.site.assets import npm
from tools.site.render.links import TEXTS
from tools.site.render.notebook_page import folder

SOURCES = ("docs", "notebooks", "stbp_edu", "tools", "tests")
TOP = ("mkdocs.yml", "pyproject.toml", "CITATION.cff", *TEXTS.values())
NOTEBOOKS = sorted(path.stem for path in folder().glob("*.ipynb"))
FIRST = NOTEBOOKS[0]
SECONDS = 1000
READY = "html[data-live=ready]"
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 740}
RESTORE = script("restore")


def _newest() -> float:
    files = [p for folder in SOURCES for p in (ROOT / folder).rglob("*")]
    files = [p for p in files if p.is_file() and "__pycache__" not in p.parts]
    return max(
        p.stat().st_mtime for p in [*files, *(ROOT / n for n in TOP)] if p.exists()
    )


@pytest.fixture(scope="session")
def site() -> Path:
    """Return the built site, building it once if a source is newer than it is."""
    with locked(build.LOCK):
        stamp = SITE / "llms.txt"
        if not stamp.is_file() or stamp.stat().st_mtime < _newest():
            build.build()
    return SITE


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Yield the address of the served site."""
    os.mkfifo(GATE)
    with served(site) as url:
        yield url
    GATE.unlink()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Yield the browser; without one, fail in CI and skip elsewhere."""
    if find() is None:
        words = "no Chromium found; install one (Debian: apt-get install chromium) or set CHROMIUM"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(words)
    with launched() as running:
        yield running


@contextmanager
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """Give a fresh profile while the block runs."""
    from playwright.sync_api import expect

    expect.set_options(
        timeout=30 * SECONDS
    )  # where Python starts, reader.run waits longer
    fresh = browser.new_context(viewport=WIDE, reduced_motion="reduce")
    fresh.set_default_timeout(60 * SECONDS)
    yield fresh
    fresh.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Yield a fresh profile."""
    with profile(browser) as fresh:
        yield fresh


@pytest.fixture
def page(context: BrowserContext, address: str) -> Page:
    """Open the first notebook in a fresh profile, ready to run."""
    fresh = context.new_page()
    fresh.goto(f"{address}notebooks/{FIRST}/")
    fresh.wait_for_selector(READY, state="attached")
    return fresh


@pytest.fixture(scope="session")
def _kept(browser: Browser) -> Iterator[Page]:
    with profile(browser) as fresh:
        yield fresh.new_page()


@pytest.fixture
def kept(_kept: Page, address: str) -> Callable[[str], Page]:
    """Return what gives a notebook, its cells untouched; Python may run already, and know names."""

    def notebook(stem: str) -> Page:
        wanted = f"{address}notebooks/{stem}/"
        _kept.set_viewport_size(WIDE)
        if _kept.url != wanted or not _kept.locator(READY).count():
            _kept.goto(wanted)
            _kept.wait_for_selector(READY, state="attached")
        if _kept.locator("html[data-live-busy]").count():
            _kept.get_by_role("button", name="Stop Python").click()
            _kept.wait_for_selector("html:not([data-live-busy])", state="attached")
        _kept.evaluate(RESTORE)
        left = ".cell:is([data-state], [data-edited]), body[data-md-color-scheme=slate]"
        assert not _kept.locator(left).count()
        return _kept

    return notebook


@pytest.fixture
def warm(kept: Callable[[str], Page]) -> Page:
    """Return the first notebook, as ``kept`` gives it."""
    return kept(FIRST)


@dataclass
class Opened:
    """The page of a notebook as it was loaded in a fresh profile, and what was noticed since."""

    stem: str
    page: Page
    problems: list[str] = field(default_factory=list)  # of the console and of requests


@contextmanager
def watched(page: Page, address: str) -> Iterator[list[str]]:
    """Collect errors of the console, and requests that fail or go elsewhere, while a block runs."""
    host, found = urlsplit(address).netloc, list[str]()

    def response(answer: Response) -> None:
        if urlsplit(answer.url).netloc not in (host, ""):
            found.append(f"request to another host: {answer.url}")
        if answer.status >= 400 and answer.request.resource_type != "document":
            found.append(f"{answer.status}: {answer.url}")

    listeners: dict[Any, Callable[[Any], None]] = {
        "console": lambda m: (
            m.type in ("error", "warning")
            and "preloaded"
            not in m.text  # a font that is used late: the machine is busy
            and found.append(f"console: {m.text}")
        ),
        "pageerror": lambda error: found.append(f"error: {error}"),
        "response": response,
        "requestfailed": lambda request: found.append(f"no answer: {request.url}"),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    try:
        yield found
    finally:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)


@pytest.fixture(
    scope="session",
    params=[pytest.param(s, marks=pytest.mark.xdist_group(s)) for s in NOTEBOOKS],
)
def opened(
    request: pytest.FixtureRequest, browser: Browser, address: str
) -> Iterator[Opened]:
    """Yield a notebook's page; the tests of one notebook follow each other, in whichever file."""
    with profile(browser) as fresh:
        one = Opened(request.param, fresh.new_page())
        with watched(one.page, address) as one.problems:
            one.page.goto(f"{address}notebooks/{one.stem}/")
            one.page.wait_for_selector(READY, state="attached")
            one.page.wait_for_selector("html[data-maths]", state="attached")
            one.page.wait_for_load_state("networkidle")
        one.page.on("pageerror", lambda error: one.problems.append(f"error: {error}"))
        yield one


@pytest.fixture(scope="session")
def axe() -> Path:
    """Return the accessibility checker, from the packages that the build fetched."""
    return npm.modules() / "axe-core" / "axe.min.js"


@contextmanager
def watched_page(context: BrowserContext, address: str, axe: Path) -> Iterator[Page]:
    """Yield a page with the accessibility checker, on which nothing may go wrong."""
    context.add_init_script(path=axe)
    page = context.new_page()
    with watched(page, address) as problems:
        yield page
    assert not problems


@pytest.fixture
def faultless(context: BrowserContext, address: str, axe: Path) -> Iterator[Page]:
    """Yield such a page in a fresh profile."""
    with watched_page(context, address, axe) as page:
        yield page
