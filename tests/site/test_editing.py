"""What a reader does to a notebook page: edit, run again, reset, undo, reload."""

from playwright.sync_api import Page, expect

from tests.site.conftest import READY
from tests.site.reader import STARTING, cell, run, write


def open_menu(page: Page) -> None:
    """Open the menu of the notebook, if it is not open."""
    if not page.locator(".live-menu[open]").count():
        page.locator(".live-menu > summary").click()


def test_a_reset_brings_back_code_and_results_and_can_be_undone(warm: Page) -> None:
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


def test_one_click_too_many_costs_nothing_that_was_written(warm: Page) -> None:
    """Reset all ends what runs, and can be undone; what is written is there after a reload."""
    run(warm, "4 + 5")
    write(warm, "while True: pass", 2).get_by_role(
        "button", name="Run code cell 2"
    ).click()
    expect(cell(warm, 2)).to_have_attribute("data-state", "running")
    open_menu(warm)
    warm.get_by_role("button", name="Reset all cells").dblclick()
    expect(warm.locator(".cell:is([data-edited], [data-state])")).to_have_count(0)
    open_menu(warm)
    warm.get_by_role("button", name="Undo reset of all cells").click()
    expect(cell(warm).locator(".out-result")).to_have_text("9")
    expect(cell(warm)).to_have_attribute("data-state", "stale")
    warm.reload()
    warm.wait_for_selector(READY, state="attached")
    written = [cell(warm, k).locator("textarea").input_value() for k in (1, 2)]
    assert written == ["4 + 5", "while True: pass"]
    expect(warm.locator(".cell[data-state]")).to_have_count(0)  # nothing has run


def test_tab_completes_a_name_and_leaves_the_cell_otherwise(warm: Page) -> None:
    """The names are Python's; after a space Tab indents, and after Escape it moves on."""
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
    expect(area).to_be_focused()
    warm.keyboard.type("spi")
    warm.keyboard.press("Escape")
    warm.keyboard.press("Tab")
    expect(area).not_to_be_focused()
    warm.keyboard.press("Shift+Tab")
    for key in ("Control+A", "2", "Shift+Enter"):
        warm.keyboard.press(key)
    expect(cell(warm, 2).locator(".out-result")).to_have_text("2")
