"""Every notebook's page, and every cell run in it: what it shows equals what is committed."""

import re
from decimal import Decimal

import pytest

from tests.browsing import script
from tests.site.conftest import NOTEBOOKS, READY
from tests.site.test_built_pages import looked_at

MINUTES = 60_000
ABOVE_TRAINING = {"13_digits": 9, "22_where_time_decides": 5}
"""Cells after which a notebook trains for a minute or so, as 09 does in the page for seconds."""
NUMBER = re.compile(r"[-+−]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
NOISE = 1e-11  # a smaller number is rounding error itself, and differs from machine to machine
OUTPUTS = script("outputs")


def close(got, wanted):
    """Return whether two numbers agree within the rounding with which they are printed."""
    a, b = (Decimal(text.replace("−", "-")) for text in (got, wanted))
    if not any(mark in got + wanted for mark in ".eE"):
        return a == b
    unit = max(
        Decimal(1).scaleb(int(x.as_tuple().exponent)) for x in (a, b)
    )  # of the last digit
    return float(abs(a - b)) <= 1.01 * float(unit) or max(abs(a), abs(b)) < NOISE


def same(got, wanted):
    """Return whether two texts are equal but for rounding and spacing."""
    words = [" ".join(NUMBER.sub("#", text).split()) for text in (got, wanted)]
    numbers = list(zip(NUMBER.findall(got), NUMBER.findall(wanted), strict=False))
    return words[0] == words[1] and all(close(a, b) for a, b in numbers)


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_a_notebook_page_is_sound_and_shows_what_is_committed(stem, faultless, address):
    """Then its cells run in the page, and each shows it again."""
    page, name = faultless, f"notebooks/{stem}/"
    page.goto(address + name)
    page.wait_for_selector(READY, state="attached")
    page.wait_for_selector("html[data-maths]", state="attached")
    problems = looked_at(page, name)
    before = page.evaluate(OUTPUTS)
    last = ABOVE_TRAINING.get(stem)
    words = f"Run code cell {last}" if last else "Run all cells"
    page.get_by_role("button", name=words, exact=True).click()
    page.wait_for_selector("html[data-live-busy]", state="attached")
    page.wait_for_selector(
        "html:not([data-live-busy])", state="attached", timeout=10 * MINUTES
    )
    after = page.evaluate(OUTPUTS)
    for committed, live in zip(before[:last], after[:last], strict=True):
        problems += _differences(committed, live)
    assert not problems, "\n".join(problems)
    assert all(cell["state"] == "done" for cell in after[:last])


def in_a_page(shown):
    """Return an output without what needs Numba, which no page has."""
    return re.sub(r"^program compiled.*\n", "", shown, flags=re.MULTILINE)


def _differences(committed, live):
    wanted, got = [*map(in_a_page, committed["shown"])], live["shown"]
    where = f"cell {live['number']} ({live['state'] or 'not run'})"
    if len(wanted) != len(got):
        return [
            f"{where}: {len(got)} outputs and not {len(wanted)}: {got} against {wanted}"
        ]
    pairs = zip(got, wanted, strict=True)
    return [f"{where}:\n{a}\n-- committed --\n{b}" for a, b in pairs if not same(a, b)]
