"""What a reader does to a notebook page: reset, edit, reload, and all by the keyboard only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.site.reader import cell, run, write

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_reset_brings_back_code_and_results(page: Page) -> None:
    """Reset restores one cell; reset all restores every cell and turns Python off."""
    original = cell(page).locator("textarea").input_value()
    html = cell(page).locator(".cell-output").inner_html()
    run(page, "2 + 3")
    run(page, "4 + 5", 2)
    cell(page).get_by_role("button", name="Reset code cell 1").click()
    expect(cell(page).locator("textarea")).to_have_value(original)
    assert cell(page).locator(".cell-output").inner_html() == html
    expect(cell(page).get_by_role("button", name="Run code cell 1", exact=True)).to_be_focused()
    page.get_by_role("button", name="Reset all cells").click()
    assert cell(page, 2).locator("textarea").input_value() != "4 + 5"
    page.reload()
    page.wait_for_selector("html[data-live=ready]", state="attached")
    expect(page.locator(".cell[data-edited]")).to_have_count(0)


def test_an_edit_survives_a_reload(page: Page) -> None:
    """What was written is there again, marked as edited, and nothing has run."""
    write(page, "mine = 1  # kept")
    page.reload()
    page.wait_for_selector("html[data-live=ready]", state="attached")
    expect(cell(page).get_by_role("textbox")).to_have_value("mine = 1  # kept")
    expect(cell(page)).to_have_attribute("data-edited", "")
    assert cell(page).get_attribute("data-state") is None
    expect(page.locator(".cell[data-edited]")).to_have_count(1)


def test_the_keyboard_is_enough(page: Page) -> None:
    """Tab to a cell's button, into the code, edit, run, stop, and out again, without a mouse."""
    number = page.locator(".cell:not([data-folded])").first.get_attribute("data-number")
    target, keys = cell(page, int(number or 0)), page.keyboard
    for _ in range(150):
        keys.press("Tab")
        if (
            page.evaluate("document.activeElement.getAttribute('aria-label')")
            == f"Run code cell {number}"
        ):
            break
    else:
        pytest.fail("Tab never reached the Run button")
    width = "getComputedStyle(document.activeElement).outlineWidth"
    assert page.evaluate(width) != "0px", "focus cannot be seen"
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


def test_the_menu_search_and_theme_work_from_the_keyboard(page: Page) -> None:
    """On a phone's width the menu opens, takes the focus, and closes; search and theme answer."""
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_role("button", name="Menu").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#__drawer")).to_be_checked()
    assert page.evaluate("document.activeElement.closest('.md-sidebar--primary') !== null")
    page.keyboard.press("Escape")
    expect(page.locator("#__drawer")).not_to_be_checked()
    page.locator("[data-theme-button]").focus()
    before = page.evaluate("document.body.dataset.mdColorScheme")
    page.keyboard.press("Enter")
    assert page.evaluate("document.body.dataset.mdColorScheme") != before
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("[data-md-component=search-query]").focus()
    page.keyboard.type("surrogate")
    expect(page.locator(".md-search-result__item").first).to_be_visible()
