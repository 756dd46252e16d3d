"""What a reader does to a notebook page: edit, run again, reset, undo, reload."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from stbp_edu.practice.predictions import questions
from tests.site.conftest import NOTEBOOKS, READY
from tests.site.reader import HELD, cell, go_on, run, write

AT = "time => { performance.now = () => time; }"  # a clock that stands still, in milliseconds
PREDICTED = "localStorage.getItem('stbp-edu-predictions')"


def open_menu(page: Page) -> None:
    """Open the menu of the notebook, if it is not open."""
    if not page.locator(".live-menu[open]").count():
        page.locator(".live-menu > summary").click()


def reset_all(page: Page) -> None:
    """Reset all cells."""
    open_menu(page)
    page.get_by_role("button", name="Reset all cells").click()


def undo_all(page: Page) -> None:
    """Undo it."""
    open_menu(page)
    page.get_by_role("button", name="Undo reset of all cells").click()


def test_each_run_that_is_asked_for_takes_place(warm: Page) -> None:
    """A cell that fails ends the request that it belongs to, and not what was asked for later."""
    write(warm, HELD + "unknown")
    write(warm, "1", 2)
    cell(warm, 2).get_by_role("button", name="Run code cell 2", exact=True).click()
    expect(cell(warm)).to_have_attribute("data-state", "running")
    cell(warm).locator(".cell-editor").click()
    warm.keyboard.press("Control+A")
    warm.keyboard.type("6 * 7")
    warm.keyboard.press("Shift+Enter")
    warm.keyboard.type(" + 1")  # of what is written later nothing runs
    go_on()
    expect(cell(warm).locator(".out-result")).to_have_text("42")
    expect(cell(warm).locator(".out-error")).to_have_count(0)
    assert cell(warm, 2).get_attribute("data-state") is None


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
    unrun = write(warm, "mine = 1", 3)
    unrun.get_by_role("button", name="Reset code cell 3").focus()
    warm.keyboard.press("Enter")
    expect(
        unrun.get_by_role("button", name="Undo reset of code cell 3")
    ).to_be_focused()
    warm.keyboard.press("Enter")
    expect(unrun.locator("textarea")).to_have_value("mine = 1")


def test_one_click_too_many_costs_nothing_that_was_written(warm: Page) -> None:
    """Reset all can be undone, even while a cell runs; what is written in between stays."""
    original = cell(warm, 3).locator("textarea").input_value()
    run(warm, "4 + 5")
    write(warm, "mine = 2", 2)
    write(warm, "while True: pass", 3).get_by_role(
        "button", name="Run code cell 3"
    ).click()
    expect(cell(warm, 3)).to_have_attribute("data-state", "running")
    open_menu(warm)
    warm.get_by_role("button", name="Reset all cells").dblclick()
    expect(warm.locator(".cell[data-edited]")).to_have_count(0)
    expect(warm.locator(".cell[data-state]")).to_have_count(0)
    expect(cell(warm, 3).locator("textarea")).to_have_value(original)
    undo_all(warm)
    expect(cell(warm).locator(".out-result")).to_have_text("9")
    expect(cell(warm)).to_have_attribute("data-state", "stale")
    reset_all(warm)
    write(warm, "later = 3", 2)
    cell(warm, 3).get_by_role("button", name="Undo reset of code cell 3").click()
    reset_all(warm)
    undo_all(warm)
    warm.reload()
    warm.wait_for_selector(READY, state="attached")
    written = [cell(warm, k).locator("textarea").input_value() for k in (1, 2, 3)]
    assert written == ["4 + 5", "later = 3", "while True: pass"]
    assert all(cell(warm, k).get_attribute("data-edited") == "" for k in (1, 2, 3))
    expect(warm.locator(".cell[data-state]")).to_have_count(0)  # nothing has run


def test_a_reset_takes_the_prediction_back_and_an_undo_returns_it(
    kept: Callable[[str], Page],
) -> None:
    """The question stands there once, with no choice made, however often the cell was run."""
    question = next(iter(questions().values()))
    page = kept(next(stem for stem in NOTEBOOKS if question.notebook in stem))
    output = page.locator(".cell-output:has([data-prediction][data-measured=''])").first
    number = page.locator(".cell").filter(has=output).get_attribute("data-number")
    html = output.inner_html()
    choice = output.get_by_label(question.choices[0], exact=True)
    for _ in range(2):
        choice.click()
        expect(output.get_by_role("status")).to_contain_text("you predicted")
        run(page, "unknown", int(number or 0), "error")
        expect(choice).to_be_visible()  # to choose instead of what was typed
        reset_all(page)
        expect(choice).not_to_be_checked()
        assert output.inner_html() == html
        assert page.evaluate(PREDICTED) == "{}"
    choice.click()
    reset_all(page)
    undo_all(page)
    expect(choice).to_be_checked()
    assert question.choices[0] in page.evaluate(PREDICTED)


def test_undo_takes_back_what_was_typed_at_once(warm: Page) -> None:
    """Not letter by letter; and it can be done again, until something else is written."""
    editor = write(warm, "first = 1").get_by_role("textbox")
    editor.press("Control+End")
    warm.evaluate(AT, 1e9)
    warm.keyboard.type(" + second")
    warm.keyboard.press("Enter")
    warm.keyboard.type("third")
    editor.press("Control+Z")
    expect(editor).to_have_value("first = 1")
    editor.press("Control+Shift+Z")
    expect(editor).to_have_value("first = 1 + second\nthird")
    editor.press("Control+Z")
    warm.evaluate(AT, 2e9)
    warm.keyboard.type(" + 2")
    editor.press("Control+Y")
    expect(editor).to_have_value("first = 1 + 2")
    expect(cell(warm).locator("code")).to_have_text("first = 1 + 2\n")
    warm.evaluate("() => { delete performance.now; }")


def test_code_is_copied_as_it_is_now(warm: Page) -> None:
    """With what the reader has changed."""
    warm.context.grant_permissions(["clipboard-read", "clipboard-write"])
    target = write(warm, "mine = 1")
    target.get_by_role("button", name="Copy code cell 1").click()
    expect(target.get_by_text("Copied")).to_be_visible()
    assert warm.evaluate("navigator.clipboard.readText()") == "mine = 1"
