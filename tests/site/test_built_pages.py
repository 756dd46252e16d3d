"""The pages of the built site, in a real browser, in both themes and at phone width.

The pages made of code are many, and differ in their lines alone: the browser opens the one of
middle length of each kind.
"""

import pytest

from tests.browsing import script, served
from tests.site.conftest import FIRST, NARROW, WIDE, watch
from tests.site.reader import violations

PAPER = {"width": 604, "height": 933}  # A4 between the theme's margins of 25 mm
FROM_CODE = ("source/stbp_edu/", "source/tests/", "api/")  # pages that are made of code
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


def _chosen(site):
    """Return the addresses of the pages that the browser opens."""
    files = (path.relative_to(site).as_posix() for path in site.rglob("index.html"))
    names = sorted(file.removesuffix("index.html") for file in files)
    # the cells of notebooks are run, too: test_committed_outputs
    chosen = [name for name in names if not name.startswith((*FROM_CODE, "notebooks/"))]
    for kind in FROM_CODE:
        made = [name for name in names if name.startswith(kind)]
        made.sort(key=lambda name: (site / name / "index.html").stat().st_size)
        chosen.append(made[len(made) // 2])
    return chosen


def looked_at(page, name):
    """Return what is wrong with the page that is open.

    axe-core looks at it on a phone, in the dark or in the light by the length of its name. At the
    first page and the first notebook it looks in both, and on a wide screen, too.
    """
    found = page.evaluate(INSPECT)
    first = name in ("", f"notebooks/{FIRST}/")
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


def _examine(context, address, name):
    """Open a page and return what is wrong with it."""
    page = context.new_page()
    found = watch(page, address)
    page.goto(address + name)
    page.wait_for_selector("html[data-maths]", state="attached")
    found += looked_at(page, name)
    page.close()
    return [f"{name or '/'}: {problem}" for problem in found]


@pytest.mark.parametrize("part", range(PARTS))
def test_a_page_is_sound(part, site, address, context, axe):
    """No console error, no foreign request, no raw maths, no axe violation, nothing too wide."""
    context.add_init_script(path=axe)
    names = _chosen(site)[part::PARTS]
    problems = [p for name in names for p in _examine(context, address, name)]
    assert not problems, "\n".join(problems)


def test_the_page_of_last_resort(site, context, axe):
    """A missing page, at any depth, shows the site's own page with all that it needs."""
    context.add_init_script(path=axe)
    with served(site, below="") as address:
        found = _examine(context, address, "no/such/page/")
    problems = [
        p for p in found if "the server responded with a status of 404" not in p
    ]
    assert not problems, "\n".join(problems)
