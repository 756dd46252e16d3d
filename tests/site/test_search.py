"""The search finds what readers look for, by words that the pages do not have, too."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from stbp_edu.practice.tasks import course_table
from tools.site.events import SEARCH


def test_words_are_given_for_notebooks_that_are_there() -> None:
    """A slug that was renamed would be lost without a word."""
    assert SEARCH.keys() <= course_table().keys()


def results(page: Page, words: str) -> Locator:
    """Search for words; return the links to the pages that are found, best first."""
    box = page.locator("[data-md-component=search-query]")
    box.fill("")
    box.press_sequentially(words)  # the search listens to keys
    return page.locator(".md-search-result__item > a")


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("surrogate", "04_"),
        ("STDP", "21_"),
        ("vanishing", "22_"),
    ],
)
def test_a_notebook_is_found_first(warm: Page, words: str, first: str) -> None:
    """By a word that somebody types who does not know the course."""
    found = results(warm, words).first
    there = re.compile(f"notebooks/{first}")
    expect(found).to_have_attribute(
        "href", there, timeout=180_000
    )  # no test asserts a time
