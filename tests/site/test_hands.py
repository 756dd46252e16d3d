"""A cell edited and run by finger, and by keys alone.

All input arrives as a device sends it: a tap at a place on the screen, for whatever lies on top
there, or a key, for whatever has the focus. No element is focused or filled through a handle.
"""

from playwright.sync_api import expect

from tests.browsing import script
from tests.site.conftest import NARROW, WIDE
from tests.site.reader import cell, ended

PLACE = script("place")
FOCUSED = "element => element === document.activeElement"
LONG = f"second = {' + '.join(['1'] * 60)}"  # no screen shows it whole


def tap(page, x, y):
    """Tap at a place."""
    session = page.context.new_cdp_session(page)
    for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.detach()


def in_view(page, size):
    """Return a cell whose code is in view, in the middle of the screen."""
    page.set_viewport_size(size)
    number = page.locator(".cell:not([data-folded])").first.get_attribute("data-number")
    found = cell(page, int(number or 0))
    middle = "cell => cell.scrollIntoView({ block: 'center', behavior: 'instant' })"
    found.evaluate(middle)
    return found


def place(target, text):
    """Return where a text is drawn: its left and its right end, and its height."""
    return target.evaluate(PLACE, text)


def test_a_finger_edits_where_it_points(warm):
    """It reaches the editor, sets the caret, and runs on a phone."""
    target = in_view(warm, NARROW)
    editor, keys = target.get_by_role("textbox"), warm.keyboard
    _, right, height = place(target, "import")
    tap(warm, right, height)
    expect(editor).to_be_focused()
    keys.press("Control+A")
    keys.type("first = 1\nsecond = 3")
    _, right, height = place(target, "first")
    tap(warm, right, height)
    keys.type("ly")
    expect(editor).to_have_value("firstly = 1\nsecond = 3")
    keys.press("Control+End")
    keys.type("9 + firstly\nsecond")
    button = target.get_by_role("button", name="Run code cell")
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tap(warm, x, y)
    expect(target.locator(".out-result")).to_have_text("40")


def test_keys_get_into_a_cell_and_out_of_it(warm):
    """Tab leads into the code; there keys edit, select and run, and the caret stays in view."""
    target = in_view(warm, WIDE)
    editor, keys = target.get_by_role("textbox"), warm.keyboard
    for _ in range(150):
        keys.press("Tab")
        if editor.evaluate(FOCUSED):
            break
    expect(editor).to_be_focused()
    keys.press("Control+A")
    keys.type("for k in range(2):")
    keys.press("Enter")
    keys.type(f"{LONG}; print(k)")

    def shows(text):
        """Return whether the box of the code shows a text, scrolled as it is now."""
        box = target.locator(".cell-code").bounding_box()
        left, right, _ = place(target, text)
        return box is not None and box["x"] <= left and right <= box["x"] + box["width"]

    assert shows("print(k)")  # the caret is there
    keys.press("Home")
    assert shows("second")
    assert not shows("print(k)")
    for key in ["ArrowRight"] * 4 + ["Shift+ArrowRight"] * len("second"):
        keys.press(key)
    keys.type("third")
    long = LONG.replace("second", "third")
    expect(editor).to_have_value(f"for k in range(2):\n    {long}; print(k)")
    keys.press("Shift+Enter")
    expect(ended(target).locator(".out-stdout")).to_have_text("0\n1\n")
    keys.press("Tab")
    expect(editor).to_be_focused()  # Tab indents after typing
    keys.press("Escape")
    keys.press("Tab")
    expect(target.get_by_role("button", name="Run code cell")).to_be_focused()
