"""What a reader does to a notebook page: reset, edit, reload, and all by the keyboard only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.site.reader import cell, run, write

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_reset_brings_back_code_and_results(warm: Page) -> None:
    """Reset restores one cell; reset all restores every cell and turns Python off."""
    original = cell(warm).locator("textarea").input_value()
    html = cell(warm).locator(".cell-output").inner_html()
    run(warm, "2 + 3")
    run(warm, "4 + 5", 2)
    cell(warm).get_by_role("button", name="Reset code cell 1").click()
    expect(cell(warm).locator("textarea")).to_have_value(original)
    assert cell(warm).locator(".cell-output").inner_html() == html
    expect(cell(warm).get_by_role("button", name="Run code cell 1", exact=True)).to_be_focused()
    warm.get_by_role("button", name="Reset all cells").click()
    assert cell(warm, 2).locator("textarea").input_value() != "4 + 5"
    warm.reload()
    warm.wait_for_selector("html[data-live=ready]", state="attached")
    expect(warm.locator(".cell[data-edited]")).to_have_count(0)


def test_an_edit_survives_a_reload(page: Page) -> None:
    """What was written is there again, marked as edited, and nothing has run."""
    write(page, "mine = 1  # kept")
    page.reload()
    page.wait_for_selector("html[data-live=ready]", state="attached")
    expect(cell(page).get_by_role("textbox")).to_have_value("mine = 1  # kept")
    expect(cell(page)).to_have_attribute("data-edited", "")
    assert cell(page).get_attribute("data-state") is None
    expect(page.locator(".cell[data-edited]")).to_have_count(1)


def test_the_keyboard_is_enough(warm: Page) -> None:
    """Tab to a cell's button, into the code, edit, run, stop, and out again, without a mouse."""
    number = warm.locator(".cell:not([data-folded])").first.get_attribute("data-number")
    target, keys = cell(warm, int(number or 0)), warm.keyboard
    for _ in range(150):
        keys.press("Tab")
        if (
            warm.evaluate("document.activeElement.getAttribute('aria-label')")
            == f"Run code cell {number}"
        ):
            break
    else:
        pytest.fail("Tab never reached the Run button")
    width = "getComputedStyle(document.activeElement).outlineWidth"
    assert warm.evaluate(width) != "0px", "focus cannot be seen"
    keys.press("Tab")
    keys.press("Tab")
    expect(target.get_by_role("textbox")).to_be_focused()
    keys.press("Control+A")
    keys.type("for k in range(2):")
    keys.press("Enter")
    keys.type("print(k)")
    expect(target.get_by_role("textbox")).to_have_value("for k in range(2):\n    print(k)")
    keys.press("Shift+Enter")
    expect(target).to_have_attribute("data-state", "done")
    expect(target.locator(".out-stdout")).to_have_text("0\n1\n")
    keys.press("Tab")
    expect(target.get_by_role("textbox")).to_be_focused()  # Tab indents after typing …
    keys.press("Escape")
    keys.press("Tab")
    expect(target.get_by_role("textbox")).not_to_be_focused()  # … and leaves after Escape


def test_the_menu_search_and_theme_work_from_the_keyboard(warm: Page) -> None:
    """On a phone's width the menu opens, takes the focus, and closes; search and theme answer."""
    warm.set_viewport_size({"width": 360, "height": 740})
    warm.get_by_role("button", name="Menu").focus()
    warm.keyboard.press("Enter")
    expect(warm.locator("#__drawer")).to_be_checked()
    assert warm.evaluate("document.activeElement.closest('.md-sidebar--primary') !== null")
    warm.keyboard.press("Escape")
    expect(warm.locator("#__drawer")).not_to_be_checked()
    warm.locator("[data-theme-button]").focus()
    before = warm.evaluate("document.body.dataset.mdColorScheme")
    warm.keyboard.press("Enter")
    assert warm.evaluate("document.body.dataset.mdColorScheme") != before
    warm.set_viewport_size({"width": 1280, "height": 900})
    warm.locator("[data-md-component=search-query]").focus()
    warm.keyboard.type("surrogate")
    expect(warm.locator(".md-search-result__item").first).to_be_visible()
