"""The built site, served under a sub-path, and one browser for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("mkdocs", reason="the site's tests need the extra [test]")


from stbp_edu.files import locked
from tools.browser import find, launched
from tools.site import ROOT, SITE, build
from tools.site.assets import vendor
from tools.site.render.notebook_reader import folder
from tools.site.serve import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

SOURCES = ("docs", "notebooks", "stbp_edu", "tools", "tests")
TOP = ("mkdocs.yml", "pyproject.toml", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md")
FIRST = min(path.stem for path in folder().glob("*.ipynb"))
SECONDS = 1000


def _newest() -> float:
    files = [p for folder in SOURCES for p in (ROOT / folder).rglob("*")]
    files = [p for p in files if p.is_file() and "__pycache__" not in p.parts]
    return max(p.stat().st_mtime for p in [*files, *(ROOT / n for n in TOP)] if p.exists())


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
    with served(site) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Yield the browser; without one, fail in CI and skip elsewhere."""
    if find() is None:
        words = "no Chromium found; install one (Debian: apt-get install chromium) or set CHROMIUM"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(words)
    with launched() as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Yield a fresh profile."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    fresh.set_default_timeout(60 * SECONDS)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Page:
    """Open the first notebook, ready to run."""
    from playwright.sync_api import expect

    expect.set_options(timeout=60 * SECONDS)
    opened = context.new_page()
    opened.goto(f"{address}notebooks/{FIRST}/")
    opened.wait_for_selector("html[data-live=ready]", state="attached")
    return opened


@pytest.fixture(scope="session")
def axe() -> Path:
    """Return the accessibility checker, from the packages that the build fetched."""
    return vendor.modules() / "axe-core" / "axe.min.js"
