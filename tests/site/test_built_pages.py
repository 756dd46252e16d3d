"""The pages of the built site, in a real browser, in both themes and at phone width.

The pages made of code are many, and differ in their lines alone: the browser opens the shortest
and the longest of each kind.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browsing import script, served
from tests.site.conftest import NARROW, NOTEBOOKS, WIDE, Opened, profile, watched
from tests.site.reader import bring, violations

PAPER = {"width": 604, "height": 933}  # A4 between the theme's margins of 25 mm
FROM_CODE = ("source/stbp_edu/", "source/tests/", "api/")  # pages that are made of code
KINDS = (*FROM_CODE, "notebooks/", "")
PARTS = 4  # as many as share the pages evenly among browsers
THEMES = "default", "slate"
INSPECT = script("inspect")
CUT = """() => [...document.querySelectorAll("article *")].filter((one) => {
    const { overflowX, display } = getComputedStyle(one);
    return overflowX !== "visible" && display !== "inline" && one.clientWidth > 1
        && one.scrollWidth > one.clientWidth + 1;
}).map((one) => {
    const text = [...one.textContent.trim()].slice(0, 60).join("");  // no half of a letter
    return `cut on paper: ${one.className}: ${text}`;
})"""


def page_names(site: Path) -> list[str]:
    """Return the addresses of all pages."""
    files = (path.relative_to(site).as_posix() for path in site.rglob("index.html"))
    return sorted(file.removesuffix("index.html") for file in files)


def _kind(name: str) -> str:
    return next(filter(name.startswith, KINDS))


def _opened(site: Path) -> list[str]:
    """Return the addresses of the pages that the browser opens."""
    names = page_names(site)
    chosen = {name for name in names if not name.startswith((*FROM_CODE, "notebooks/"))}
    for kind in FROM_CODE:
        made = [name for name in names if name.startswith(kind)]
        made.sort(key=lambda name: (site / name / "index.html").stat().st_size)
        chosen |= {made[0], made[-1]}
    return sorted(chosen)


def _looked_at(page: Page, name: str, *, first: bool) -> list[str]:
    """Return what is wrong with the page that is open.

    axe-core looks at it on a phone, in the dark or in the light by the length of its name. At the
    first page of each kind it looks in both, and on a wide screen, too.
    """
    found: list[str] = page.evaluate(INSPECT)
    for theme in THEMES if first else [THEMES[len(name) % 2]]:
        if theme == "slate":
            page.locator("[data-theme-button]").click()
        page.wait_for_selector(f"body[data-md-color-scheme={theme}]")
        for size in [WIDE, NARROW] if first else [NARROW]:
            page.set_viewport_size(size)
            found += [f"{theme}, {size['width']} px: {v}" for v in violations(page)]
    page.set_viewport_size(NARROW)
    wide = page.evaluate("document.documentElement.scrollWidth")
    found += [f"{wide} px wide at 360 px"] * (wide > 360)
    if theme == "slate":
        page.locator("[data-theme-button]").click()
    page.evaluate("localStorage.clear()")  # the next page is light again
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)
    found += page.evaluate(CUT)  # nothing scrolls there
    page.emulate_media(media="screen")
    page.set_viewport_size(WIDE)
    assert not page.context.cookies()
    return found


@pytest.fixture(scope="module")
def tab(browser: Browser, axe: Path) -> Iterator[Page]:
    """Yield the tab in which the pages are opened one after the other; each has axe-core."""
    with profile(browser) as context:
        context.add_init_script(path=axe)
        yield context.new_page()


def _examine(page: Page, address: str, name: str, *, first: bool = True) -> list[str]:
    """Open a page in the tab and return what is wrong with it."""
    page.goto("about:blank")  # ends what the page before still asks for
    with watched(page, address) as found:
        page.goto(address + name)
        page.wait_for_selector("html[data-maths]", state="attached")
        found += _looked_at(page, name, first=first)
    return [f"{name or '/'}: {problem}" for problem in found]


@pytest.mark.parametrize("part", range(PARTS))
def test_a_page_is_sound(part: int, site: Path, address: str, tab: Page) -> None:
    """No console error, no foreign request, no raw maths, no axe violation, nothing too wide."""
    opened = _opened(site)
    first = {
        next(name for name in opened if _kind(name) == kind)
        for kind in (*FROM_CODE, "")
    }
    names = opened[part::PARTS]
    assert names
    problems = [
        p for name in names for p in _examine(tab, address, name, first=name in first)
    ]
    assert not problems, "\n".join(problems)


def test_a_notebook_page_is_sound(opened: Opened, axe: Path) -> None:
    """The same, on the page on which its cells are run afterwards."""
    bring(opened.page, axe)
    name = f"notebooks/{opened.stem}/"
    problems = _looked_at(opened.page, name, first=opened.stem == NOTEBOOKS[0])
    assert not [*opened.problems, *problems]


def test_a_phone_stacks_the_rows_of_a_table_that_it_would_cut(
    address: str, tab: Page
) -> None:
    """Each cell then has the name of its column."""
    tab.set_viewport_size(NARROW)
    tab.goto(address + "time/")
    tab.wait_for_selector("html[data-maths]", state="attached")
    assert (
        tab.evaluate("""[...document.querySelectorAll("article table")].filter((table) =>
        table.scrollWidth > table.closest("article").clientWidth).length""")
        == 0
    )
    stacked = tab.locator("table[data-stacked]")
    heads = [text.strip() for text in stacked.first.locator("th").all_text_contents()]
    cells = stacked.first.locator("tbody tr").first.get_by_role("cell")
    assert [cell.get_attribute("data-head") for cell in cells.all()] == heads
    tab.set_viewport_size(WIDE)


def test_the_page_of_last_resort(site: Path, tab: Page) -> None:
    """A missing page, at any depth, shows the site's own page with all that it needs."""
    with served(site, below="") as address:
        found = _examine(tab, address, "no/such/page/")
    problems = [
        p for p in found if "the server responded with a status of 404" not in p
    ]
    assert not problems, "\n".join(problems)


def test_no_page_shows_its_front_matter(site: Path) -> None:
    """MkDocs prints what YAML cannot read as text, and says nothing."""
    names = page_names(site)
    texts = {name: (site / name / "index.html").read_text("utf-8") for name in names}
    assert not [name for name, text in texts.items() if "<p>title: " in text]
