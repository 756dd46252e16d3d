"""A cell edited and run by finger.

All input arrives as a device sends it: at a place on the screen, for whatever lies on top there.
No element is focused or filled through a handle.
"""

from playwright.sync_api import Locator, Page, expect

from tests.browsing import script
from tests.site.conftest import NARROW
from tests.site.reader import cell

PLACE = script("place")


def tap(page: Page, x: float, y: float) -> None:
    """Tap at a place."""
    session = page.context.new_cdp_session(page)
    for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.detach()


def in_view(page: Page) -> Locator:
    """Return a cell whose code is in view, in the middle of the screen of a phone."""
    page.set_viewport_size(NARROW)
    number = page.locator(".cell:not([data-folded])").first.get_attribute("data-number")
    found = cell(page, int(number or 0))
    middle = "cell => cell.scrollIntoView({ block: 'center', behavior: 'instant' })"
    found.evaluate(middle)
    return found


def place(target: Locator, text: str) -> tuple[float, float, float]:
    """Return where a text is drawn: its left and its right end, and its height."""
    return target.evaluate(PLACE, text)


def test_a_finger_edits_where_it_points(warm: Page) -> None:
    """It reaches the editor, sets the caret, and runs on a phone."""
    target = in_view(warm)
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
