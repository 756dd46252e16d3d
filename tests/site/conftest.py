"""The built site, served under a sub-path, and one browser for all tests.

Loading Python into a page takes longer than what most tests do with it. So there are two pages of
the first notebook: ``page``, in a fresh profile; and ``warm``, which tests share, its cells as they
were and Python still there.
"""

import os
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from filelock import FileLock

pytest.importorskip("mkdocs", reason="the site's tests need the extra [test]")


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


def _newest():
    files = [p for folder in SOURCES for p in (ROOT / folder).rglob("*")]
    files = [p for p in files if p.is_file() and "__pycache__" not in p.parts]
    return max(
        p.stat().st_mtime for p in [*files, *(ROOT / n for n in TOP)] if p.exists()
    )


@pytest.fixture(scope="session")
def site():
    """Return the built site, building it once if a source is newer than it is."""
    with FileLock(build.LOCK):
        stamp = SITE / "llms.txt"
        if not stamp.is_file() or stamp.stat().st_mtime < _newest():
            build.build()
    return SITE


@pytest.fixture(scope="session")
def address(site):
    """Yield the address of the served site."""
    os.mkfifo(GATE)
    with served(site) as url:
        yield url
    GATE.unlink()


@pytest.fixture(scope="session")
def browser():
    """Yield the browser; without one, fail in CI and skip elsewhere."""
    if find() is None:
        words = "no Chromium found; install one (Debian: apt-get install chromium) or set CHROMIUM"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(words)
    with launched() as running:
        yield running


@contextmanager
def profile(browser):
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
def context(browser):
    """Yield a fresh profile."""
    with profile(browser) as fresh:
        yield fresh


@pytest.fixture
def page(context, address):
    """Open the first notebook in a fresh profile, ready to run."""
    fresh = context.new_page()
    fresh.goto(f"{address}notebooks/{FIRST}/")
    fresh.wait_for_selector(READY, state="attached")
    return fresh


@pytest.fixture(scope="session")
def _warm(browser, address):
    with profile(browser) as fresh:
        opened = fresh.new_page()
        opened.goto(f"{address}notebooks/{FIRST}/")
        yield opened


@pytest.fixture
def warm(_warm):
    """Return the first notebook, its cells untouched; Python may run already, and know names."""
    _warm.set_viewport_size(WIDE)
    _warm.wait_for_selector(READY, state="attached")
    if _warm.locator("html[data-live-busy]").count():
        _warm.get_by_role("button", name="Stop Python").click()
        _warm.wait_for_selector("html:not([data-live-busy])", state="attached")
    _warm.evaluate(RESTORE)
    left = ".cell:is([data-state], [data-edited]), body[data-md-color-scheme=slate]"
    assert not _warm.locator(left).count()
    return _warm


def watch(page, address):
    """Return where errors of the console come, and requests that fail or go elsewhere."""
    host, found = urlsplit(address).netloc, list[str]()

    def told(message):
        late = (
            "preloaded" in message.text
        )  # a font that is used late: the machine is busy
        if message.type in ("error", "warning") and not late:
            found.append(f"console: {message.text}")

    def response(answer):
        if urlsplit(answer.url).netloc not in (host, ""):
            found.append(f"request to another host: {answer.url}")
        if answer.status >= 400 and answer.request.resource_type != "document":
            found.append(f"{answer.status}: {answer.url}")

    page.on("console", told)
    page.on("response", response)
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("requestfailed", lambda asked: found.append(f"no answer: {asked.url}"))
    return found


@pytest.fixture(scope="session")
def axe():
    """Return the accessibility checker, from the packages that the build fetched."""
    return npm.modules() / "axe-core" / "axe.min.js"


@pytest.fixture
def faultless(context, address, axe):
    """Yield a page in a fresh profile, with axe-core, on which nothing may go wrong."""
    context.add_init_script(path=axe)
    page = context.new_page()
    problems = watch(page, address)
    yield page
    assert not problems
