"""The explorers and the progress on the built site, in a real browser."""

import json

import pytest
from playwright.sync_api import expect

from stbp_edu.explorers import data
from stbp_edu.practice import exercises, predict
from stbp_edu.practice.progress import read_progress
from stbp_edu.practice.tasks import tasks
from tests.browsing import script
from tests.explorers import OBEYS, SHOWS, explorer_on, too_wide, violations

OVERPRINTED = script("overprinted")
KEEP = """async ([exercise, state]) => {
  const address = new URL("../assets/explorers/saved.js", location.href);
  (await import(address)).keep(exercise, state);
}"""  # as the page does when its runner has judged an answer


@pytest.fixture
def page(faultless):
    return faultless


def _look(page, width, theme):
    """Bring the page to this width and theme."""
    page.set_viewport_size({"width": width, "height": 900})
    dark = page.locator("body[data-md-color-scheme=slate]")
    if dark.count() != (theme == "dark"):
        page.locator("[data-theme-button]").click()
    expect(dark).to_have_count(int(theme == "dark"))


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [
        ("sweep", 1280, "light"),
        ("paths", 360, "dark"),
        ("pulse", 360, "light"),
        ("lab", 1280, "dark"),
        ("board", 360, "dark"),
    ],
)  # the hunt has a page of its own
def test_an_explorer_shows_the_values_of_the_package_to_everyone(
    page, address, name, width, theme
):
    """It fits, axe-core finds nothing, and a reader without a pointer gets everywhere."""
    page.goto(f"{address}explorers/")
    _look(page, width, theme)
    # it loads when its place comes near
    page.locator(f"[data-explorer={name}]").scroll_into_view_if_needed()
    explorer = explorer_on(page, name)
    assert violations(explorer) == []
    assert too_wide(explorer) == []
    SHOWS[name](explorer, json.loads(json.dumps(data(name))))
    page.reload()
    page.locator(f"[data-explorer={name}]").scroll_into_view_if_needed()
    OBEYS[name](explorer_on(page, name))


def test_an_explorer_in_a_notebook_is_alive_without_python(page, address):
    """It is played as the page opens, and at each step its values leave the labels legible."""
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{address}notebooks/07_case3/")
    page.locator("details:has([data-explorer])").locator("summary").first.click()
    pulse = explorer_on(page, "pulse")
    for step in range(1, 6):
        pulse.locator(".stage").press("ArrowRight")
        expect(pulse.get_by_text(f"step {step} of 5", exact=True)).to_be_visible()
        assert pulse.locator(".value").count()
        assert pulse.evaluate(OVERPRINTED) == []
    assert not [url for url in fetched if "pyodide" in url]


def test_the_bug_hunt_is_a_game(page, address):
    """A line is clicked, a symptom chosen and checked; the page keeps what was found."""
    page.goto(f"{address}bug-hunt/")
    _look(page, 360, "dark")
    hunt = explorer_on(page, "hunt")
    assert violations(hunt) == []
    assert too_wide(hunt) == []
    SHOWS["hunt"](hunt, data("hunt"))
    page.reload()
    page.locator("[data-explorer=hunt]").scroll_into_view_if_needed()
    expect(hunt.get_by_text("3 of 138 found")).to_be_visible()
    OBEYS["hunt"](hunt)


def test_an_arrow_of_the_first_page_can_be_cut(page, address):
    """By a click and by a key: the paths that are left are counted, and all can be put back."""
    page.set_viewport_size({"width": 360, "height": 900})
    page.goto(address)
    assert page.locator("[data-hero]").bounding_box()["y"] < 400  # in the first screen
    said = page.locator("[data-hero] [role=status]")
    arrow = page.get_by_role("button", name="from the spike of moment 1 to the mistake")
    arrow.locator(".line").click(force=True)
    expect(arrow).to_have_attribute("aria-pressed", "true")
    expect(said).to_contain_text("3 of 4 paths are left")
    page.get_by_role(
        "button", name="from the spike of moment 1 to the potential"
    ).focus()
    page.keyboard.press("Space")
    expect(said).to_contain_text("0 % of what it was: 0 of 4")
    page.get_by_role("button", name="Put all back").click()
    expect(said).to_contain_text("100 % of the first spike")


def test_progress_and_predictions_are_kept_saved_and_forgotten(page, address):
    """What was right stays right, until the reader forgets it."""
    page.goto(f"{address}start/")
    place = page.locator("[data-progress]")
    total = sum(task.in_course for task in tasks().values())
    said = place.get_by_role("status")
    expect(said).to_contain_text(f"0 of {total} right")
    exercise = exercises()["c3-delta-open"]
    state = place.locator("tr", has_text=exercise.title).first.locator("td").last
    for found, kept in (
        ("wrong", "not right yet"),
        ("right", "right"),
        ("wrong", "right"),
    ):
        page.evaluate(KEEP, [exercise.id, found])
        expect(state).to_have_text(kept)
    insert = (
        "(html) => document.querySelector('main').insertAdjacentHTML('beforeend', html)"
    )
    page.evaluate(insert, predict("c3-holds", "...", measured="t = 2").html())
    measured = page.locator("[data-prediction]")
    expect(measured).to_contain_text("no prediction; measured: t = 2")
    page.evaluate(insert, predict("c3-holds", "...").html())
    page.get_by_label("t = 2 and t = 1").check()
    words = "you predicted “t = 2 and t = 1”; measured: “t = 2”"
    expect(measured.first).to_contain_text(words)
    page.keyboard.press("ArrowDown")
    expect(measured.first).to_contain_text("“t = 2”, as you predicted")
    page.reload()
    expect(said).to_contain_text(f"1 of {total} right")
    expect(place).to_contain_text("You predicted, c3-holds: t = 2.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    saved = download.value.path()
    assert read_progress(saved).states == {exercise.id: "right"}
    forget = page.get_by_role("button", name="Forget my progress")
    page.once("dialog", lambda dialog: dialog.accept())
    forget.click()
    expect(said).to_contain_text(f"0 of {total} right")
    expect(place).not_to_contain_text("You predicted")
    page.get_by_label("File of progress").set_input_files(saved)
    expect(place).to_contain_text("is added")
    expect(said).to_contain_text(f"1 of {total} right")
