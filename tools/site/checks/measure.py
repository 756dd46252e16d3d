"""Measure the built site in a real browser: weights of pages, and times to the first results.

python -m tools.site.checks.measure
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.browser import launched
from tools.site import SITE
from tools.site.serve import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

CELLS = {
    "first result, NumPy": "import numpy as np\nimport stbp_edu\nprint(np.arange(3).sum())",
    "again, edited": "print(np.arange(4).sum())",
    "first figure, matplotlib": (
        "from stbp_edu import plotting\nfig, ax = plotting.figure()\n"
        "plotting.show(fig, alt='An empty pair of axes to measure.')"
    ),
    "first formula, SymPy": "import sympy\nprint(sympy.sqrt(8))",
}


def _open(browser: Browser, url: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(url)
    page.wait_for_selector("html[data-live=ready]", state="attached")
    page.wait_for_load_state("networkidle")
    return page


def times(browser: Browser, url: str) -> dict[str, float]:
    """Return the seconds from a click to the result, in the order of CELLS."""
    page = _open(browser, url)
    seconds = {}
    for what, source in CELLS.items():
        page.locator("#cell-2").get_by_role("textbox").fill(source)
        page.evaluate("delete document.getElementById('cell-2').dataset.state")
        start = time.perf_counter()
        page.get_by_role("button", name="Run code cell 2", exact=True).click()
        page.wait_for_selector("#cell-2[data-state=done]", timeout=120_000)
        seconds[what] = time.perf_counter() - start
    page.context.close()
    return seconds


def weight(browser: Browser, url: str) -> tuple[int, int]:
    """Return the bytes that travel before a cell is run, and what they unpack to."""
    page = browser.new_context().new_page()
    asked: dict[str, Request] = {}
    page.on("requestfinished", lambda request: asked.update({request.url: request}))
    page.goto(url)
    page.wait_for_selector("html[data-maths]", state="attached")
    page.wait_for_load_state("networkidle")
    packed = sum(request.sizes()["responseBodySize"] for request in asked.values())
    answers = [request.response() for request in asked.values()]
    plain = sum(len(answer.body()) for answer in answers if answer)
    page.context.close()
    return packed, plain


def main() -> None:
    """Print the figures."""
    stems = sorted(p.name for p in (SITE / "notebooks").iterdir() if p.is_dir())
    with launched() as browser, served() as address:
        for what, seconds in times(browser, f"{address}notebooks/{stems[0]}/").items():
            print(f"{what}: {seconds:.2f} s")
        print("page                      HTML (KB)  all told: gzip (KB)  unpacked (KB)")
        for stem in stems:
            html = (SITE / "notebooks" / stem / "index.html").stat().st_size
            packed, plain = (size / 1000 for size in weight(browser, f"{address}notebooks/{stem}/"))
            print(f"{stem:25s} {html / 1000:9.0f}  {packed:19.0f}  {plain:13.0f}")


if __name__ == "__main__":
    main()
