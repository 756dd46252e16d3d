"""What a reader's connection carries before a cell is run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools.site.render.notebook_reader import folder

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

KB = 1000
NOTEBOOKS = sorted(path.stem for path in folder().glob("*.ipynb"))


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_a_notebook_page_is_light(
    stem: str, site: Path, address: str, context: BrowserContext
) -> None:
    """Under 150 KB of HTML as it is, and under 600 KB all told as it travels."""
    html = (site / "notebooks" / stem / "index.html").stat().st_size
    assert html < 150 * KB, f"{html / KB:.0f} KB of HTML"
    page = context.new_page()
    sizes: dict[str, int] = {}
    page.on("requestfinished", lambda r: sizes.update({r.url: r.sizes()["responseBodySize"]}))
    page.goto(f"{address}notebooks/{stem}/")
    page.wait_for_selector("html[data-maths]", state="attached")
    page.wait_for_load_state("networkidle")
    total = sum(sizes.values())
    assert 200 * KB < total < 600 * KB, f"{total / KB:.0f} KB: {sizes}"
