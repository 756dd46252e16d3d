"""Every code cell of every notebook, run in the page: what it shows equals what is committed."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.browsing import script
from tests.site.conftest import READY, Opened
from tools.site.render.notebook_page import read_notebooks

MINUTES = 60_000
NUMBER = re.compile(r"[-+−]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
NOISE = 1e-11  # a smaller number is rounding error itself, and differs from machine to machine
OUTPUTS = script("outputs")


def close(got: str, wanted: str) -> bool:
    """Return whether two numbers agree within the rounding with which they are printed."""
    a, b = (Decimal(text.replace("−", "-")) for text in (got, wanted))
    if not any(mark in got + wanted for mark in ".eE"):
        return a == b
    unit = max(
        Decimal(1).scaleb(int(x.as_tuple().exponent)) for x in (a, b)
    )  # of the last digit
    return float(abs(a - b)) <= 1.01 * float(unit) or max(abs(a), abs(b)) < NOISE


def same(got: str, wanted: str) -> bool:
    """Return whether two texts are equal but for rounding and spacing."""
    words = [" ".join(NUMBER.sub("#", text).split()) for text in (got, wanted)]
    numbers = list(zip(NUMBER.findall(got), NUMBER.findall(wanted), strict=False))
    return words[0] == words[1] and all(close(a, b) for a, b in numbers)


def test_every_cell_runs_in_the_page(opened: Opened) -> None:
    """Run all cells of a notebook in one page, and compare each with what is committed."""
    page = opened.page
    if page.locator(
        ".cell[data-state]"
    ).count():  # another test of the notebook came first
        page.evaluate("localStorage.clear()")
        page.reload()
        page.wait_for_selector(READY, state="attached")
    before: list[dict[str, Any]] = page.evaluate(OUTPUTS)
    page.get_by_role("button", name="Run all cells", exact=True).click()
    page.wait_for_selector("html[data-live-busy]", state="attached")
    page.wait_for_selector(
        "html:not([data-live-busy])", state="attached", timeout=10 * MINUTES
    )
    after: list[dict[str, Any]] = page.evaluate(OUTPUTS)
    problems = opened.problems + [
        p for b, a in zip(before, after, strict=True) for p in _differences(b, a)
    ]
    assert not problems, "\n".join(problems)
    assert all(cell["state"] == "done" for cell in after)


def in_a_page(shown: str) -> str:
    """Return an output without what needs Numba, which no page has."""
    return re.sub(r"^program compiled.*\n", "", shown, flags=re.MULTILINE)


def _differences(committed: dict[str, Any], live: dict[str, Any]) -> list[str]:
    wanted, got = [*map(in_a_page, committed["shown"])], live["shown"]
    where = f"cell {live['number']} ({live['state'] or 'not run'})"
    if len(wanted) != len(got):
        return [
            f"{where}: {len(got)} outputs and not {len(wanted)}: {got} against {wanted}"
        ]
    pairs = zip(got, wanted, strict=True)
    return [f"{where}:\n{a}\n-- committed --\n{b}" for a, b in pairs if not same(a, b)]


def test_a_notebook_page_is_light(site: Path) -> None:
    """Under a megabyte of HTML with its figures, which a server packs to a fifth."""
    for stem in read_notebooks():
        size = (site / "notebooks" / stem / "index.html").stat().st_size
        assert size < 1_000_000, f"{stem}: {size} bytes of HTML"
