"""The pages of the built site, in a real browser, in both themes and at phone width.

The pages made of code are many: those of source files, which differ in their lines alone, and the
reference. The browser opens of each kind the shortest and the longest, and then as many more as it
takes until nothing that stands on such a page is new: no element, no class, no script. The others
are read as written, by the same judge. What follows from the text of one such page (a title, a
heading, an id, an image, a link) is noticed there; what follows from its styles and scripts (a
contrast, a width, an error of the console) is noticed on a page that has the same.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browsing import script, served
from tests.site.conftest import NARROW, NOTEBOOKS, WIDE, Opened, profile, watched
from tests.site.reader import bring, violations
from tools.site.render.links import broken

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


def faults(facts: dict[str, Any], name: str) -> list[str]:
    """Return what is wrong with a page that says this about itself."""
    found = [f"maths not typeset: {f}" for f in facts["unset"]]
    found += [f"raw maths: {text}" for text in facts["raw"]]
    found += [f"{facts['failed']} formulas failed"] * bool(facts["failed"])
    found += [f"{facts['unspoken']} formulas without words"] * bool(facts["unspoken"])
    found += [f"{facts['unnamed']} images without words"] * bool(facts["unnamed"])
    found += [f"id {id_} again" for id_ in facts["repeated"]]
    found += ["no title"] * (not facts["title"]) + ["no language"] * (
        facts["lang"] != "en"
    )
    found += ["the policy is not first"] * (facts["first"] != "Content-Security-Policy")
    if not name.startswith("no/"):
        found += ["description too short or long"] * (
            not 20 <= len(facts["description"]) <= 330
        )
        found += ["no canonical address"] * (not facts["canonical"].startswith("http"))
        found += ["no preview picture"] * (
            not facts["image"].endswith("assets/social.png")
        )
    levels = [level for level, _ in facts["headings"]]
    found += [f"{levels.count(1)} headings of level 1"] * (levels.count(1) != 1)
    for (before, _), (level, text) in zip(
        facts["headings"], facts["headings"][1:], strict=False
    ):
        found += [f"heading jumps from {before} to {level}: {text}"] * (
            level > before + 1
        )
    return found


def _text(site: Path, name: str) -> str:
    return (site / name / "index.html").read_text(encoding="utf-8")


def _stands_on(site: Path, name: str) -> set[str]:
    """Return the elements, the classes and the scripts of a page."""
    return set(re.findall(r'<script[^<]*|<\w+|class="[^"]*"', _text(site, name)))


def _kind(name: str) -> str:
    return next(filter(name.startswith, KINDS))


def _opened(site: Path) -> list[str]:
    """Return the addresses of the pages that the browser opens."""
    made = [name for name in page_names(site) if name.startswith(FROM_CODE)]
    made.sort(
        key=lambda name: sha256(name.encode()).digest()
    )  # drawn, the same each time
    sizes = {name: (site / name / "index.html").stat().st_size for name in made}
    chosen = []
    for kind in FROM_CODE:
        pages = [name for name in made if _kind(name) == kind]
        chosen += [min(pages, key=sizes.__getitem__), max(pages, key=sizes.__getitem__)]
    seen = set().union(*(_stands_on(site, name) for name in chosen))
    for name in made:
        if new := _stands_on(site, name) - seen:
            chosen.append(name)
            seen |= new
    return sorted({*page_names(site)} - {*made} | {*chosen})


def _looked_at(page: Page, name: str, *, first: bool) -> list[str]:
    """Return what is wrong with the page that is open.

    axe-core looks at it on a phone, in the dark or in the light, as is drawn by its name: what has
    a colour stands on many pages. At the first page of each kind it looks in both, and on a wide
    screen too, whose tabs and sidebars are the same on all of a kind.
    """
    found = faults(page.evaluate(INSPECT), name)
    drawn = THEMES[sha256(name.encode()).digest()[0] % 2]
    for theme in THEMES if first else [drawn]:
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
    opened = [name for name in _opened(site) if _kind(name) != "notebooks/"]
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
    """Each cell then has the name of its column; a share is shaded by its size, on any screen."""
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
    share = tab.get_by_role("cell", name="20 of 20 (").first
    assert "--share: 1" in str(share.get_attribute("style"))
    tab.set_viewport_size(WIDE)


def test_the_page_of_last_resort(site: Path, tab: Page) -> None:
    """A missing page, at any depth, shows the site's own page with all that it needs."""
    with served(site, below="") as address:
        found = _examine(tab, address, "no/such/page/")
    problems = [
        p for p in found if "the server responded with a status of 404" not in p
    ]
    assert not problems, "\n".join(problems)


def test_a_page_made_of_code_is_sound_as_it_is_written(site: Path, tab: Page) -> None:
    """There are no formulas on them, which the browser would set."""
    problems = []
    for name in (name for name in page_names(site) if name.startswith(FROM_CODE)):
        found = faults(tab.evaluate(INSPECT, _text(site, name)), name)
        problems += [f"{name}: {problem}" for problem in found]
    assert not problems, "\n".join(problems)


def test_what_is_wrong_is_seen_as_it_is_written(tab: Page) -> None:
    """A page without a title, a description or a policy, with what it must not have."""
    text = (
        r"<html><head><title></title></head><body><h1 id='a'>A</h1><h3 id='a'>B</h3>"
        r"<main><img src='x'><p>\frac{1}{2}</p><code>$$</code></main>"
    )
    assert faults(tab.evaluate(INSPECT, text), "page/") == [
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
    (tmp_path / "index.html").write_text(
        '<a href="a/#x"></a><a href="b/"></a><a href="a/#y">'
    )
    (tmp_path / "a" / "index.html").write_text(
        '<p id="x"><img src="../no.png"><a href="..">'
    )
    assert [line.split(" leads")[0] for line in broken(tmp_path)] == [
        "a/index.html: ../no.png",
        "index.html: a/#y",
        "index.html: b/",
    ]
