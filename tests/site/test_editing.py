"""What a reader does to a notebook page: edit, run again, reset, undo, reload."""

from playwright.sync_api import expect

from tests.site.conftest import READY
from tests.site.reader import STARTING, cell, run, write


def test_a_reset_brings_back_code_and_results_and_can_be_undone(warm):
    """By the same button, which keeps the focus; the variables of the cell stay."""
    original = cell(warm).locator("textarea").input_value()
    html = cell(warm).locator(".cell-output").inner_html()
    run(warm, "two = 2\ntwo + 3")
    cell(warm).get_by_role("button", name="Reset code cell 1").click()
    expect(cell(warm).locator("textarea")).to_have_value(original)
    assert cell(warm).locator(".cell-output").inner_html() == html
    undo = cell(warm).get_by_role("button", name="Undo reset of code cell 1")
    expect(undo).to_be_focused()
    warm.keyboard.press("Enter")
    expect(cell(warm).locator("textarea")).to_have_value("two = 2\ntwo + 3")
    expect(cell(warm).locator(".out-result")).to_have_text("5")
    assert run(warm, "two", 2).inner_text().strip() == "2"


def test_what_is_written_is_there_after_a_reload(page):
    """Also where all cells were reset by a click too many, which can be undone."""
    write(page, "1 + 5")
    page.locator(".live-menu > summary").click()
    page.get_by_role("button", name="Reset all cells").dblclick()
    expect(page.locator(".cell[data-edited]")).to_have_count(0)
    page.get_by_role("button", name="Undo reset of all cells").click()
    page.reload()
    page.wait_for_selector(READY, state="attached")
    expect(cell(page).locator("textarea")).to_have_value("1 + 5")


def test_tab_completes_a_name(warm):
    """The names are Python's; after a space Tab indents."""
    run(warm, "spike_one = spike_other = 3; import math")
    area, offered = (
        cell(warm, 2).locator("textarea"),
        cell(warm, 2).locator(".strip-note[role=status]"),
    )
    write(warm, "", 2)
    for typed, text, offer in (
        ("spi", "spike_o", "spike_one, spike_other"),
        ("t", "spike_other", ""),
        (" + math.isqr", "spike_other + math.isqrt", ""),
        ("(4).re", "spike_other + math.isqrt(4).re", "no such name yet"),
        (" ", "spike_other + math.isqrt(4).re     ", ""),
    ):
        warm.keyboard.type(typed)
        warm.keyboard.press("Tab")
        expect(area).to_have_value(text, timeout=STARTING)
        expect(offered).to_have_text(offer)
