"""The numbers of the notebooks and their times: what is written follows from what is there."""

import re
import subprocess

import nbformat
import pytest

from stbp_edu.practice.tasks import course_table, tasks
from tests.notebook_rules import code_cells, prose
from tools import ROOT
from tools.notebooks.execution import NotebookError
from tools.notebooks.numbering import LINK, PATHS_PAGE, files, markdown_files, renumber

NUMBERED = rf"\b\d\d_(?:{'|'.join(course_table())})\b"
HERE = {"tools/notebooks/numbering.py", "tests/test_numbering.py"}  # their examples have numbers
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
    assert [path.stem for path in renamed] == [f"{n:02d}_{s}" for n, s in enumerate(course)][k:]
    written = {slug: prose(nbformat.read(p, 4)) for slug, p in files(copied, course).items()}
    assert written["new"].startswith(f"# {k} · New: more\n\n**Time.** About 20 minutes.\n")
    assert f"[notebook {k + 1}]({k + 1}_measurements.ipynb)" in written["new"]
    assert f"\n| {k + 1} | [The measurements]({k + 1}_measurements.ipynb): " in written["map"]
    assert f"Next: [{k} · New]({k}_new.ipynb)." in written["missing_paths"]
    page = (copied / PATHS_PAGE).read_text(encoding="utf-8")
    assert f"[{k + 1} · The measurements](notebooks/{k + 1}_measurements.ipynb)" in page
    assert renumber(copied, course) == []
    assert (copied / PATHS_PAGE).read_text(encoding="utf-8") == page


def test_the_map_has_a_row_for_each_notebook_with_its_title():
    read = {slug: prose(nbformat.read(path, 4)) for slug, path in files().items()}
    titles = [re.match(r"# \d+ · ([^:\n]+)", text)[1] for text in read.values()]
    rows = re.findall(r"^\| (\d+) \| \[(.+)\]\(\d\d_(\w+)\.ipynb\): .+\d \|$", read["map"], re.M)
    wanted = [
        (str(k), title, slug) for k, (title, slug) in enumerate(zip(titles, read, strict=True))
    ]
    assert rows == wanted[1:]


@pytest.mark.slow
def test_a_course_that_lacks_a_file_or_minutes_is_refused(copied):
    for course in (course_table() | {"more": {}}, {"map": {}}):
        with pytest.raises(NotebookError, match=r"course.toml .* add what is missing"):
            files(ROOT, course)
    with pytest.raises(NotebookError, match=r"course.toml .* network takes; add minutes"):
        renumber(copied, course_table() | {"network": {}})


def test_a_notebook_is_mentioned_by_a_link_or_by_its_slug():
    """A number that is no text of a link, and a file's name in code, would have to be kept."""
    names = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    read = {str(p.relative_to(ROOT)): p.read_text(encoding="utf-8") for p in markdown_files()}
    found = {name: unlinked(text) for name, text in read.items()}
    for slug, path in files().items():
        there = nbformat.read(path, 4)
        found[slug] = unlinked(prose(there))
        read[slug] = "\n".join(cell.source for cell in code_cells(there))
    code = re.compile(r"(stbp_edu|tools|tests|benchmarks|docs)/.*\.(py|toml|js|css|html|yml)")
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
    (reading, exercises), here = table["minutes"], [tasks()[id_] for id_ in table["exercises"]]
    text = prose(nbformat.read(path, 4)).partition("## Exercises")[0]
    assert reading * 15 < len(text.split()) < reading * 120
    within = [task.minutes for task in here if task.id != "backward"]  # asked in the midst of it
    assert sum(within) <= exercises + 2.5
    assert table.get("evening", 0) <= reading
    assert not {reading % 5, exercises % 5, table.get("evening", 0) % 5} - {0}
