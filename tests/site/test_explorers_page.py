"""The explorers and the progress on the built site, in a real browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from stbp_edu.explorers import EXPLORERS, data
from stbp_edu.practice import check, exercises, predict
from stbp_edu.practice.saved_progress import read_progress
from stbp_edu.practice.tasks import tasks
from tests.browsing import script
from tests.explorers import OBEYS, SHOWS, explorer_on, too_wide, violations
from tests.site.conftest import profile, watched_page

OVERPRINTED = script("overprinted")
TOGETHER = [name for name in EXPLORERS if name != "hunt"]
"""The explorers of the page of explorers; the hunt has a page of its own."""


KEEP = """async ([exercise, state]) => {
  const address = new URL("../assets/explorers/saved.js", location.href);
  (await import(address)).keep(exercise, state);
}"""  # as the page does when its runner has judged an answer


@pytest.fixture
def page(faultless: Page) -> Page:
    return faultless


@pytest.fixture(scope="module")
def explorers(browser: Browser, address: str, axe: Path) -> Iterator[Page]:
    """Yield the page of explorers: what leaves them as they were comes first.

    Then each test has an explorer of its own.
    """
    with profile(browser) as context, watched_page(context, address, axe) as page:
        page.goto(f"{address}explorers/")
        for name in TOGETHER:  # each loads when its place comes near
            page.locator(f"[data-explorer={name}]").scroll_into_view_if_needed()
            explorer_on(page, name)
        yield page


def _look(page: Page, width: int, theme: str) -> None:
    """Bring the page to this width and theme."""
    page.set_viewport_size({"width": width, "height": 900})
    dark = page.locator("body[data-md-color-scheme=slate]")
    if dark.count() != (theme == "dark"):
        page.locator("[data-theme-button]").click()
    expect(dark).to_have_count(int(theme == "dark"))


@pytest.mark.xdist_group("explorers")
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_explorers_are_accessible_and_fit(
    explorers: Page, theme: str, width: int
) -> None:
    """No violation, and nothing leaves the screen; JupyterLab's tests have both screens in both."""
    _look(explorers, width, theme)
    for name in TOGETHER:
        explorer = explorer_on(explorers, name)
        assert violations(explorer) == []
        assert too_wide(explorer) == []
    expect(explorers.locator(".scroll table[tabindex]")).to_have_count(
        0
    )  # their box is a stop


@pytest.mark.xdist_group("explorers")
@pytest.mark.parametrize("name", TOGETHER)
def test_an_explorer_obeys_the_keyboard(explorers: Page, name: str) -> None:
    """A reader without a pointer gets everywhere."""
    _look(explorers, 1280, "light")
    OBEYS[name](explorer_on(explorers, name))


@pytest.mark.xdist_group("explorers")
@pytest.mark.parametrize("name", TOGETHER)
def test_an_explorer_shows_the_values_of_the_package(
    explorers: Page, name: str
) -> None:
    """At every setting that a reader can choose."""
    SHOWS[name](explorer_on(explorers, name), json.loads(json.dumps(data(name))))


@pytest.mark.parametrize("width", [1280, 390])
def test_an_explorer_in_a_notebook_is_alive_without_python(
    page: Page, address: str, width: int
) -> None:
    """It is played as the page opens, and at each step its values leave the labels legible."""
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}notebooks/07_case3/")
    page.locator("details:has([data-explorer])").locator("summary").first.click()
    pulse = explorer_on(page, "pulse")
    for step in range(1, 6):
        pulse.locator(".stage").press("ArrowRight")
        expect(pulse.get_by_text(f"step {step} of 5", exact=True)).to_be_visible()
        assert pulse.locator(".value").count()
        assert pulse.evaluate(OVERPRINTED) == []
    graph = pulse.locator(".stage svg").bounding_box()
    assert graph
    page.mouse.move(graph["x"] + graph["width"] - 2, graph["y"] + 9)
    page.mouse.down()
    expect(pulse.get_by_text("step 0 of 5", exact=True)).to_be_visible()
    page.mouse.move(graph["x"] + graph["width"] / 2, graph["y"] + 9)
    page.mouse.up()
    expect(pulse.get_by_text(re.compile("step [23] of 5"))).to_be_visible()
    assert not [url for url in fetched if "pyodide" in url]


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_the_bug_hunt_is_a_game(
    page: Page, address: str, theme: str, width: int
) -> None:
    """A line is clicked, a symptom chosen and checked; the page keeps what was found."""
    page.goto(f"{address}bug-hunt/")
    _look(page, width, theme)
    hunt = explorer_on(page, "hunt")
    assert violations(hunt) == []
    assert too_wide(hunt) == []
    SHOWS["hunt"](hunt, data("hunt"))
    page.reload()
    page.locator("[data-explorer=hunt]").scroll_into_view_if_needed()
    expect(hunt.get_by_text("3 of 138 found")).to_be_visible()
    OBEYS["hunt"](hunt)


@pytest.mark.parametrize("width", [1280, 360])
def test_an_arrow_of_the_first_page_can_be_cut(
    page: Page, address: str, width: int
) -> None:
    """By a click and by a key: the paths that are left are counted, and all can be put back."""
    page.set_viewport_size({"width": width, "height": 900})
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
    assert (
        "lost" not in page.locator(".hero").inner_text()
    )  # what case 3 finds is not told


def test_progress_keeps_what_a_check_answers(page: Page, address: str) -> None:
    """What was right stays right, until the reader forgets it and means it."""
    page.goto(f"{address}start/")
    place = page.locator("[data-progress]")
    total = sum(task.in_course for task in tasks().values())
    said = place.get_by_role("status")
    expect(said).to_contain_text(f"0 of {total} right")
    exercise = exercises()["c3-delta-open"]
    wrong = check("c3-delta-open", exercise.function(exercise.mistakes[0].body))
    right = check("c3-delta-open", exercise.function())
    state = place.locator("tr", has_text=exercise.title).first.locator("td").last
    for feedback, kept in (
        (wrong, "not right yet"),
        (right, "right"),
        (wrong, "right"),
    ):
        page.evaluate(KEEP, [exercise.id, feedback.state])
        expect(state).to_have_text(kept)
    page.reload()
    expect(said).to_contain_text(f"1 of {total} right")
    place.get_by_text("Exercises of the notebooks", exact=True).click()
    expect(state).to_be_visible()
    expect(state).to_have_text("right")
    saved = _saved(page)
    found = read_progress(saved)
    assert found.states == {exercise.id: "right"}
    forget = page.get_by_role("button", name="Forget my progress")
    page.once("dialog", lambda dialog: dialog.dismiss())
    forget.click()
    expect(said).to_contain_text(f"1 of {total} right")
    page.once("dialog", lambda dialog: dialog.accept())
    forget.click()
    expect(said).to_contain_text(f"0 of {total} right")
    expect(page.locator("[data-progress]")).not_to_contain_text("downloads")
    _read_back(page, saved)
    expect(said).to_contain_text(f"1 of {total} right")
    said.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/notebooks/00_\w+/#exercise-[\w-]+$"))


def _saved(page: Page) -> Path:
    """Return the file that the page gives out."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    return download.value.path()


def _read_back(page: Page, saved: Path) -> None:
    """Give the page its file cut short, which it refuses, and then as it was."""
    for content, answer in (
        (saved.read_bytes()[:-5], "It is no file of progress."),
        (saved.read_bytes(), "is added"),
    ):
        given = {"name": "a.json", "mimeType": "application/json", "buffer": content}
        page.get_by_label("File of progress").set_input_files(given)
        expect(page.locator("[data-progress]")).to_contain_text(answer)


def test_a_prediction_is_chosen_by_click_or_key_and_held_against_the_measurement(
    page: Page, address: str
) -> None:
    """It is kept in the browser with the progress, and forgotten with it."""
    page.goto(f"{address}start/")
    insert = (
        "(html) => document.querySelector('main').insertAdjacentHTML('beforeend', html)"
    )
    page.evaluate(insert, predict("c3-holds", "...").html())
    page.evaluate(insert, predict("c3-holds", "...", measured="t = 2").html())
    asked, measured = page.locator("[data-prediction]").all()
    expect(measured).to_contain_text("no prediction; measured: t = 2")
    asked.get_by_label("t = 2 and t = 1").check()
    expect(asked.get_by_role("status")).to_contain_text(
        "you predicted “t = 2 and t = 1”"
    )
    expect(measured).to_contain_text(
        "you predicted “t = 2 and t = 1”; measured: “t = 2”"
    )
    page.keyboard.press("ArrowDown")
    expect(measured).to_contain_text("“t = 2”, as you predicted")
    expect(page.locator("[data-progress]")).to_contain_text(
        "You predicted, c3-holds: t = 2."
    )
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget my progress").click()
    expect(page.locator("[data-progress]")).not_to_contain_text("You predicted")
