"""A cell edited, selected in, scrolled and run by mouse, by finger and by keys.

All input arrives as a device sends it: at a place on the screen, for whatever lies on top there,
or for whatever has the focus. No element is focused or filled through a handle.
"""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browsing import script
from tests.site.reader import cell, tab_to

LONG = f"second = {'2 + ' * 40}1"
STEPS = 10
FAR = 1500  # pixels, more than the long line has
BETWEEN = 700  # milliseconds, after which a tap is not the second one of a double tap

PLACE = script("place")


class Mouse:
    """Clicks, drags, and turns the wheel sideways."""

    def __init__(self, page: Page) -> None:
        self.mouse = page.mouse

    def press(self, x: float, y: float) -> None:
        """Click at a place."""
        self.mouse.click(x, y)

    def select(self, left: float, right: float, y: float) -> None:
        """Drag from the left end of a word to its right end."""
        self.mouse.move(left, y)
        self.mouse.down()
        self.mouse.move(right - 1, y, steps=STEPS)
        self.mouse.up()

    def scroll(self, x: float, y: float) -> None:
        """Turn the wheel sideways, with the pointer at a place."""
        self.mouse.move(x, y)
        self.mouse.wheel(FAR, 0)


class Finger:
    """Taps and swipes."""

    def __init__(self, page: Page) -> None:
        page.wait_for_timeout(BETWEEN)
        self.session = page.context.new_cdp_session(page)

    def _touch(self, kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x, "y": y} for x, y in points]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    def press(self, x: float, y: float) -> None:
        """Tap at a place."""
        self._touch("touchStart", (x, y))
        self._touch("touchEnd")

    def select(self, left: float, right: float, y: float) -> None:
        """Tap twice on a word."""
        self.press((left + right) / 2, y)
        self.press((left + right) / 2, y)

    def scroll(self, x: float, y: float) -> None:
        """Swipe to the left from a place, again and again."""
        for _ in range(FAR // 150):
            self._touch("touchStart", (x, y))
            for step in range(1, STEPS + 1):
                self._touch("touchMove", (x - 150 * step / STEPS, y))
            self._touch("touchEnd")


@pytest.fixture(params=[1280, 360], ids=["wide", "narrow"])
def target(request: pytest.FixtureRequest, warm: Page) -> Locator:
    """Return a cell whose code is in view, in the middle of a wide or a narrow screen."""
    warm.set_viewport_size({"width": request.param, "height": 740})
    number = warm.locator(".cell:not([data-folded])").first.get_attribute("data-number")
    found = cell(warm, int(number or 0))
    found.evaluate(
        "cell => cell.scrollIntoView({ block: 'center', behavior: 'instant' })"
    )
    return found


def place(target: Locator, text: str) -> tuple[float, float, float]:
    """Return where a text is drawn: its left and its right end, and its height."""
    return target.evaluate(PLACE, text)


def is_wide(page: Page) -> bool:
    """Return whether the page is wider than a phone."""
    return (page.viewport_size or {"width": 0})["width"] > 480


def in_view(target: Locator, text: str) -> bool:
    """Return whether the box of the code shows a text, scrolled as it is now."""
    box = target.locator(".cell-code").bounding_box()
    left, right, _ = place(target, text)
    return box is not None and box["x"] <= left and right <= box["x"] + box["width"]


@pytest.mark.parametrize("device", [Mouse, Finger])
def test_a_pointer_edits_where_it_points(
    warm: Page, target: Locator, device: type[Mouse | Finger]
) -> None:
    """It reaches the editor, selects, scrolls the code and the editor as one, and runs."""
    hand, keys, editor = device(warm), warm.keyboard, target.get_by_role("textbox")
    _, right, height = place(target, "import")
    hand.press(right, height)
    expect(editor).to_be_focused()
    keys.press("Control+A")
    keys.type(f"wrong = 1\n{LONG}\n")
    keys.press("Control+Home")
    hand.select(*place(target, "wrong"))
    keys.type("first")
    expect(editor).to_have_value(f"first = 1\n{LONG}\n")
    if is_wide(warm):  # on a phone a long line is broken
        assert not in_view(target, "+ 1")
        _, right, height = place(target, "second")
        hand.scroll(right + 150, height)
        box = target.locator(".highlight").element_handle()
        at_end = "box => box.scrollLeft + box.clientWidth > box.scrollWidth - 1"
        warm.wait_for_function(at_end, arg=box, polling=100)
        _, right, height = place(target, "+ 1")
        hand.press(right + 6, height)  # behind the end, which may still move by a pixel
    else:
        keys.press("Control+End")
        keys.press("ArrowLeft")
    keys.type(" + first")
    expect(editor).to_have_value(f"first = 1\n{LONG} + first\n")
    keys.press("Control+End")
    keys.type("second")
    button = target.get_by_role("button", name="Run code cell")
    button.scroll_into_view_if_needed()
    run = button.bounding_box()
    assert run
    hand.press(run["x"] + run["width"] / 2, run["y"] + run["height"] / 2)
    expect(target.locator(".out-result")).to_have_text("82")


def test_the_keyboard_is_enough(warm: Page, target: Locator) -> None:
    """Tab into a cell's code, edit, select, scroll, run, and on to its button."""
    keys, editor = warm.keyboard, target.get_by_role("textbox")
    tab_to(warm, editor, 150)
    keys.press("Control+A")
    keys.type("for k in range(2):")
    keys.press("Enter")
    keys.type(f"{LONG}; print(k)")
    wide = is_wide(warm)  # where a long line is not broken, the box scrolls
    assert not wide or in_view(target, "print(k)")  # the caret is, where one types
    for key in ["Home"] if wide else ["Control+Home", "ArrowDown"]:  # of the whole line
        keys.press(key)
    assert in_view(target, "second")
    for key in ["ArrowRight"] * 4 + ["Shift+ArrowRight"] * len("second"):
        keys.press(key)
    keys.type("third")
    keys.press("Control+End")
    assert not wide or in_view(target, "print(k)")
    long = LONG.replace("second", "third")
    expect(editor).to_have_value(f"for k in range(2):\n    {long}; print(k)")
    keys.press("Shift+Enter")
    expect(target).to_have_attribute("data-state", "done")
    expect(target.locator(".out-stdout")).to_have_text("0\n1\n")
    keys.press("Tab")
    expect(editor).to_be_focused()  # Tab indents after typing …
    keys.press("Escape")
    keys.press("Tab")
    expect(target.get_by_role("button", name="Run code cell")).to_be_focused()
