"""What a reader's connection carries before a cell is run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.site.conftest import Opened

KB = 1000


def test_a_notebook_page_is_light(opened: Opened, site: Path) -> None:
    """Under 150 KB of HTML as it is, and under 600 KB all told as it travels."""
    html = (site / "notebooks" / opened.stem / "index.html").stat().st_size
    assert html < 150 * KB, f"{html / KB:.0f} KB of HTML"
    total = sum(opened.sizes.values())
    assert 200 * KB < total < 600 * KB, f"{total / KB:.0f} KB: {opened.sizes}"
