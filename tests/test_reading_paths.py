"""What each notebook needs, and the reading paths: nothing is needed before it was read."""

import re
from functools import cache

import nbformat
import pytest

from stbp_edu.equations import EQUATIONS
from tests.notebook_rules import code_cells, prose, written_ids
from tools import ROOT
from tools.notebooks.numbering import PATHS_PAGE, Links, files, links, paths

STATED = re.compile(r"`([a-z0-9-]+)`:\s+\$\$?[^$]+\$|\\tag\{([a-z0-9-]+)\}")
PATHS = paths((ROOT / PATHS_PAGE).read_text(encoding="utf-8"))


def needs(notebook) -> Links:
    """Return what the paragraph **You need.** of a notebook's opening links."""
    opening = notebook.cells[0].source
    found = re.search(r"^\*\*You need\.\*\* (.+?)(?:\n\n|\Z)", opening, flags=re.M | re.S)
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
        absent = [] if slug in path.entries else [s for s in wanted[slug] if s not in before]
        lines += [f"{slug} needs {other}" for other in absent]
        before.add(slug)
    return lines


def known(slug, wanted):
    """Return all notebooks that one needs, and all that these need."""
    return {slug}.union(*(known(other, wanted) for other in wanted[slug]))


@pytest.mark.parametrize("slug", files())
def test_a_notebook_needs_only_earlier_ones(slug):
    there, order = needs(notebooks()[slug]), list(notebooks())
    assert {*there.steps, *there.optional} <= {*order[: order.index(slug)]}


@pytest.mark.parametrize("title", PATHS)
def test_along_a_path_nothing_is_needed_before_it_was_read(title):
    wanted = {slug: needs(notebook).steps for slug, notebook in notebooks().items()}
    assert missing(PATHS[title], wanted) == []


def test_the_full_course_has_every_notebook_in_order_and_a_path_with_a_gap_is_found():
    assert PATHS["The full course"].steps == list(notebooks())
    wanted = {"a": [], "b": ["a"], "c": ["b"]}
    for path, lines in (
        (Links(["a", "c"]), ["c needs b"]),
        (Links(["a", "c"], {"b"}), []),
        (Links(["a", "c"], entries={"c"}), []),
        (Links(["b", "a"]), ["b needs a"]),
    ):
        assert missing(path, wanted) == lines


def test_the_paper_states_the_hours_of_the_full_course():
    page = (ROOT / PATHS_PAGE).read_text(encoding="utf-8").partition("## The full course")[2]
    hours = re.findall(r"[\d½]+ hours", page.partition("\n|")[0])
    paper = (ROOT / "paper.md").read_text(encoding="utf-8")
    assert re.findall(r"[\d½]+ hours", paper) == hours
    assert len(hours) == 2


def shown(notebook):
    """Return the ids of the equations that a notebook states."""
    return {one or two for one, two in STATED.findall(prose(notebook))}


def spoken_of(notebook):
    """Return the ids that a notebook names before its recap or writes in its code."""
    text = prose(notebook).split("## Recap")[0]
    code = "\n".join(cell.source for cell in code_cells(notebook))
    named = re.findall(r"`([a-z0-9-]+)`", text) + written_ids(code)
    return {id_ for id_ in named if id_ in EQUATIONS}


@pytest.mark.parametrize("slug", list(files())[1:])
def test_an_equation_is_known_from_a_notebook_that_is_needed(slug):
    """An id is stated here, or in a notebook that is needed; the map, the first, only shows."""
    wanted = {s: [*needs(n).steps, *needs(n).optional] for s, n in notebooks().items()}
    before = known(slug, wanted) - {next(iter(notebooks()))} | {slug}
    stated = set().union(*(shown(notebooks()[s]) for s in before))
    assert sorted(spoken_of(notebooks()[slug]) - stated) == []
