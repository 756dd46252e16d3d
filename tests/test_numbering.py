"""The numbers of the notebooks and their times, and what each needs.

What is written follows from what is there, and nothing is needed before it was read.
"""

import re
import subprocess
from functools import cache

import nbformat
import pytest

from stbp_edu._support.equations import EQUATIONS
from stbp_edu.practice.tasks import course_table, tasks
from tests.notebook_rules import code_cells, prose, written_ids
from tools import ROOT
from tools.notebooks.execution import NotebookError
from tools.notebooks.numbering import (
    LINK,
    PATHS_PAGE,
    Links,
    files,
    links,
    markdown_files,
    paths,
    renumber,
)

NUMBERED = rf"\b\d\d_(?:{'|'.join(course_table())})\b"
COURSE = [slug for slug, table in course_table().items() if not table.get("guide")]
HERE = {
    "tools/notebooks/numbering.py",
    "tests/test_numbering.py",
}  # their examples have numbers
MENTION = re.compile(r"\b[Nn]otebooks?(?:[ \0,–-]|\n(?=\S)|and\b|or\b|to\b)+\d+")
CODE = re.compile(r"^( *)(```|~~~).*?^\1\2|\$\$.*?\$\$", flags=re.M | re.S)


def unlinked(text: str) -> list[str]:
    """Return the mentions of a notebook by its number that are no link.

    >>> unlinked("Notebook 3, notebooks [1](01_b.ipynb) and 2; [notebook 1](01_b.ipynb) has 4.")
    ['Notebook 3', 'notebooks [...] and 2']
    """
    plain = LINK.sub("\0", CODE.sub("", text))
    return [found.replace("\0", "[...]") for found in MENTION.findall(plain)]


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


@pytest.mark.slow
def test_a_notebook_between_two_others_moves_those_behind_it(copied):
    tables = list(course_table().items())
    k = list(course_table()).index("measurements")
    course = dict([*tables[:k], ("new", {"minutes": [20, 0]}), *tables[k:]])
    text = "# New: more\n\n**Time.** A while.\n\n[notebook 7](measurements.ipynb)"
    new = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    nbformat.write(new, copied / "notebooks" / "new.ipynb")
    renamed = renumber(copied, course)
    assert [path.stem for path in renamed] == [
        f"{n:02d}_{s}" for n, s in enumerate(course)
    ][k:]
    written = {
        slug: prose(nbformat.read(p, 4)) for slug, p in files(copied, course).items()
    }
    assert written["new"].startswith(
        f"# {k} · New: more\n\n**Time.** About 20 minutes.\n"
    )
    assert f"[notebook {k + 1}]({k + 1}_measurements.ipynb)" in written["new"]
    assert (
        f"\n| {k + 1} | [The measurements]({k + 1}_measurements.ipynb): "
        in written["map"]
    )
    assert f"Next: [{k} · New]({k}_new.ipynb)." in written["missing_paths"]
    page = (copied / PATHS_PAGE).read_text(encoding="utf-8")
    assert f"[{k + 1} · The measurements](notebooks/{k + 1}_measurements.ipynb)" in page
    assert renumber(copied, course) == []
    assert (copied / PATHS_PAGE).read_text(encoding="utf-8") == page


def test_the_map_has_a_row_for_each_notebook_with_its_title():
    read = {slug: prose(nbformat.read(files()[slug], 4)) for slug in COURSE}
    titles = [re.match(r"# \d+ · ([^:\n]+)", text)[1] for text in read.values()]
    rows = re.findall(
        r"^\| (\d+) \| \[(.+)\]\(\d\d_(\w+)\.ipynb\): .+\d \|$", read["map"], re.M
    )
    wanted = [
        (str(k), title, slug)
        for k, (title, slug) in enumerate(zip(titles, read, strict=True))
    ]
    assert rows == wanted[1:]


@pytest.mark.slow
def test_a_course_that_lacks_a_file_or_minutes_is_refused(copied):
    for course in (course_table() | {"more": {}}, {"map": {}}):
        with pytest.raises(NotebookError, match=r"course.toml .* add what is missing"):
            files(ROOT, course)
    with pytest.raises(
        NotebookError, match=r"course.toml .* network takes; add minutes"
    ):
        renumber(copied, course_table() | {"network": {}})


def test_a_notebook_is_mentioned_by_a_link_or_by_its_slug():
    """A number that is no text of a link, and a file's name in code, would have to be kept."""
    names = subprocess.check_output(
        ["git", "ls-files"], cwd=ROOT, text=True
    ).splitlines()
    read = {
        str(p.relative_to(ROOT)): p.read_text(encoding="utf-8")
        for p in markdown_files()
    }
    found = {name: unlinked(text) for name, text in read.items()}
    for slug, path in files().items():
        there = nbformat.read(path, 4)
        found[slug] = unlinked(prose(there))
        read[slug] = "\n".join(cell.source for cell in code_cells(there))
    code = re.compile(
        r"(stbp_edu|tools|tests|benchmarks|docs)/.*\.(py|toml|js|css|html|yml)"
    )
    for name in filter(code.fullmatch, {*names} - HERE):
        if (ROOT / name).exists():
            read[name] = (ROOT / name).read_text(encoding="utf-8")
    for name in read.keys() - found.keys() | files().keys():
        found[name] = found.get(name, []) + unlinked(read[name])
        found[name] += re.findall(NUMBERED, read[name])
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(("slug", "path"), files().items())
def test_the_minutes_of_a_notebook_are_those_that_it_may_take(slug, path):
    """Nobody reads more than 120 words a minute here, nor less than 15; a task says its minutes."""
    table = course_table()[slug]
    (reading, exercises), here = (
        table["minutes"],
        [tasks()[id_] for id_ in table["exercises"]],
    )
    text = prose(nbformat.read(path, 4)).partition("## Exercises")[0]
    assert reading * 15 < len(text.split()) < reading * 120
    assert sum(task.minutes for task in here) <= exercises + 2.5
    assert table.get("evening", 0) <= reading
    assert not {reading % 5, exercises % 5, table.get("evening", 0) % 5} - {0}


STATED = re.compile(r"`([a-z0-9-]+)`:\s+\$\$?[^$]+\$|\\tag\{([a-z0-9-]+)\}")
PATHS = paths((ROOT / PATHS_PAGE).read_text(encoding="utf-8"))


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
    assert PATHS["The full course"].steps == COURSE
    wanted = {"a": [], "b": ["a"], "c": ["b"]}
    for path, lines in (
        (Links(["a", "c"]), ["c needs b"]),
        (Links(["a", "c"], {"b"}), []),
        (Links(["a", "c"], entries={"c"}), []),
        (Links(["b", "a"]), ["b needs a"]),
    ):
        assert missing(path, wanted) == lines


def test_the_paper_states_the_hours_of_the_full_course():
    page = (
        (ROOT / PATHS_PAGE)
        .read_text(encoding="utf-8")
        .partition("## The full course")[2]
    )
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
