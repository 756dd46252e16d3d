"""The search finds what readers look for, by words that the pages do not have, too."""

import re

from playwright.sync_api import expect

from tests.site.reader import STARTING


def test_a_notebook_is_found_first(warm):
    """By a word that somebody types who does not know the course."""
    box = warm.locator("[data-md-component=search-query]")
    for words, first in (("surrogate", "04_"), ("STDP", "21_"), ("vanishing", "22_")):
        box.fill("")
        box.press_sequentially(words)  # the search listens to keys
        found = warm.locator(".md-search-result__item > a").first
        there = re.compile(f"notebooks/{first}")
        expect(found).to_have_attribute("href", there, timeout=STARTING)
