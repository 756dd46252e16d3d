"""The numbers of the notebooks, and what each needs.

What is written follows from what is there, and nothing is needed before it was read.
"""

import re
from functools import cache

import nbformat
import pytest

from stbp_edu.practice.tasks import course_table
from tests.notebook_rules import prose
from tools import ROOT
from tools.notebooks.numbering import files, markdown_files, renumber
from tools.pages.paths_page import links, paths

COURSE = [slug for slug, table in course_table().items() if not table.get("guide")]


@pytest.fixture
def copied(tmp_path):
    """Return a folder with a copy of the notebooks and of all pages that may mention them."""
    for path in [*markdown_files(), *files().values()]:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return tmp_path


def test_what_follows_from_the_order_is_written(copied):
    """Else run: python -m tools.notebooks renumber."""
    assert renumber(copied) == []
    there = [*markdown_files(), *files().values()]
    now = {path: (copied / path.relative_to(ROOT)).read_bytes() for path in there}
    changed = [path.name for path in there if now[path] != path.read_bytes()]
    assert changed == []


def test_the_map_links_each_notebook_by_its_number_and_title():
    read = {slug: prose(nbformat.read(files()[slug], 4)) for slug in COURSE}
    titles = [re.match(r"# (\d+ · [^:\n]+)", text)[1] for text in read.values()]
    told = re.findall(r"\[(\d+ · [^\]]+)\]\(\d\d_(\w+)\.ipynb\)", read["map"])
    assert told == [*zip(titles, read, strict=True)][1:]


PATHS = paths()


@cache
def needed(slug):
    """Return what the paragraph **You need.** of a notebook's opening links."""
    opening = nbformat.read(files()[slug], as_version=4).cells[0].source
    return links(opening.partition("**You need.** ")[2].partition("\n\n")[0])


@pytest.mark.parametrize("title", PATHS)
def test_along_a_path_nothing_is_needed_before_it_was_read(title):
    """An entry into one section of a notebook needs nothing: it links that section."""
    path, before = PATHS[title], set(PATHS[title].optional)
    for slug in path.steps:
        assert slug in path.entries or before.issuperset(needed(slug).steps), slug
        before.add(slug)


def test_in_the_full_course_not_even_what_may_help_comes_later():
    assert PATHS["The full course"].steps == COURSE
    order = list(files())
    for k, slug in enumerate(order):
        assert {*needed(slug).steps, *needed(slug).optional} <= {*order[:k]}, slug
