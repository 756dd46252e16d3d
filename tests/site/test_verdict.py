"""The card that judges an answer: what it shows, what it keeps, and that nothing else can."""

import json
import re

from playwright.sync_api import expect

from tests.site.reader import cell, run

PROGRESS = "localStorage.getItem('stbp-edu-progress')"
ANSWER = """from stbp_edu.practice import check


def case_at(t, n, T, N):
    return {body}


check("case-at", case_at)"""


def exercise(page):
    """Return the number of the cell that asks for case-at."""
    target = page.locator(".cell[data-exercise=case-at]")
    return int(target.get_attribute("data-number") or 0)


def test_the_first_wrong_cell_is_lit_and_the_card_has_hint_and_solution(
    warm,
):
    """In a grid as large as the network of the first difference; each time the cell runs."""
    number = exercise(warm)
    for _ in range(2):
        output = run(warm, ANSWER.format(body="3"), number)
        card = output.locator(".stbp-feedback")
        card.get_by_role("button", name="Show a hint for case-at").click()
        expect(card.locator(".cell-help")).to_contain_text("hint")
    said = card.inner_text()
    found = re.search(
        r"First at t = (\d+).*?n = (\d+), with T = (\d+), N = (\d+)", said
    )
    assert found, said
    t, n, steps, layers = map(int, found.groups())
    expect(output.locator(".verdict-grid rect")).to_have_count(steps * layers)
    lit = output.locator(".verdict-grid .lit")
    expect(lit).to_have_count(1)
    assert float(lit.get_attribute("x") or 0) // (120 / steps) == t - 1
    assert float(lit.get_attribute("y") or 0) // (60 / layers) == layers - n
    card.get_by_role("button", name="Show a solution for case-at").click()
    expect(card.locator(".cell-help")).to_contain_text("the solution")


def test_the_verdict_is_there_again_after_a_reload(page):
    """As the storage has it."""
    number = exercise(page)
    page.evaluate(
        "localStorage.setItem('stbp-edu-progress', '{\"case-at\": \"right\"}')"
    )
    page.reload()
    page.wait_for_selector("html[data-live=ready]", state="attached")
    card = cell(page, number).locator(".stbp-feedback")
    expect(card).to_have_attribute("data-state", "right")
    expect(card).to_contain_text("case-at: right.")
    expect(card.get_by_role("button", name="Show a hint for case-at")).to_be_visible()
    expect(page.locator(".nav-done").first).to_contain_text("1/2")


def test_no_output_counts_as_an_answer(warm):
    """Only what ``check`` has found out is kept."""
    fake = '<div class="stbp-feedback" data-exercise="case-at" data-state="right">right</div>'
    output = run(warm, f"from IPython.display import HTML\nHTML({fake!r})")
    expect(output.locator(".stbp-feedback")).to_have_text("right")
    assert json.loads(warm.evaluate(PROGRESS) or "{}") == {}
