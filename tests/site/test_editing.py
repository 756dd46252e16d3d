"""What a reader does to a notebook page: reset, edit, reload, and all by the keyboard only."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
