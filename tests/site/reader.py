"""What a reader does with a cell of a notebook page, and what may keep one from it."""

import re

from playwright.sync_api import expect

from tests.browsing import GATE, script

ENDS = re.compile("done|error|stopped")
STARTING = 180_000  # milliseconds: a busy machine takes its time
AXE = script("axe")
HELD = """from js import XMLHttpRequest, location
held = XMLHttpRequest.new()
held.open("GET", location.origin + "/go-on", False)
held.send()
"""
"""The beginning of a cell that waits for the test, however busy the machine is: see ``go_on``."""


def cell(page, number=1):
    """Return a cell of the page."""
    return page.locator(f"#cell-{number}")


def write(page, source, number=1):
    """Put source into a cell, whose code is opened first if it is folded; return the cell."""
    target = cell(page, number)
    summary = target.locator(":scope > .cell-fold:not([open]) > summary")
    if summary.count():
        summary.click()
    target.get_by_role("textbox").fill(source)
    return target


def run(page, source, number=1, state="done"):
    """Put source into a cell, run it, wait for its end, and return its output."""
    target = write(page, source, number)
    target.get_by_role("button", name=f"Run code cell {number}", exact=True).click()
    return ended(target, state)


def ended(target, state="done"):
    """Wait for the end of a cell's run, which may start Python first, and return its output."""
    expect(target).to_have_attribute("data-state", ENDS, timeout=STARTING)
    assert target.get_attribute("data-state") == state, target.locator(
        ".cell-output"
    ).inner_text()
    return target.locator(".cell-output")


def go_on():
    """Let a cell that begins with HELD go on; wait until it has begun."""
    GATE.open("w").close()


def bring(page, script):
    """Run a script in the page that is open, whatever its policy; a later page has it no more."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": script.read_text(encoding="utf-8")})
    session.detach()


def violations(page):
    """Return what axe-core finds on the page as it is now."""
    return page.evaluate(AXE)
