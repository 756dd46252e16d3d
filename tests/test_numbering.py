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
from tools.pages.paths_page import Links, links, paths

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


def test_the_course_names_every_notebook():
    assert len(files()) == len([*(ROOT / "notebooks").glob("*.ipynb")])


def test_the_map_links_each_notebook_by_its_number_and_title():
    read = {slug: prose(nbformat.read(files()[slug], 4)) for slug in COURSE}
    titles = [re.match(r"# (\d+ · [^:\n]+)", text)[1] for text in read.values()]
    told = re.findall(r"\[(\d+ · [^\]]+)\]\(\d\d_(\w+)\.ipynb\)", read["map"])
    assert told == [*zip(titles, read, strict=True)][1:]


PATHS = paths()


def needs(notebook) -> Links:
    """Return what the paragraph **You need.** of a notebook's opening links."""
    opening = notebook.cells[0].source
    found = re.search(
        r"^\*\*You need\.\*\* (.+?)(?:\n\n|\Z)", opening, flags=re.M | re.S
    )
    return links(found[1] if found else "")


@cache
def notebooks():
    """Return all notebooks by slug, in their order; nothing here changes them."""
    return {slug: nbformat.read(path, as_version=4) for slug, path in files().items()}


def missing(path, wanted):
    """Return a line for each notebook of a path that needs one which does not come before it.

    An entry into one section of a notebook needs nothing: it links that section.
    """
    before = set(path.optional)
    lines = []
    for slug in path.steps:
        absent = (
            [] if slug in path.entries else [s for s in wanted[slug] if s not in before]
        )
        lines += [f"{slug} needs {other}" for other in absent]
        before.add(slug)
    return lines


@pytest.mark.parametrize("slug", files())
def test_a_notebook_needs_only_earlier_ones(slug):
    there, order = needs(notebooks()[slug]), list(notebooks())
    assert {*there.steps, *there.optional} <= {*order[: order.index(slug)]}


@pytest.mark.parametrize("title", PATHS)
def test_along_a_path_nothing_is_needed_before_it_was_read(title):
    wanted = {slug: needs(notebook).steps for slug, notebook in notebooks().items()}
    assert missing(PATHS[title], wanted) == []


def test_the_full_course_has_every_notebook_in_order():
    assert PATHS["The full course"].steps == COURSE
