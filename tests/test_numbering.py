"""The numbers of the notebooks and their times: what is written follows from what is there."""

import doctest
import re
import subprocess

import nbformat
import pytest

from stbp_edu.practice.tasks import course_table
from tests.notebook_rules import code_cells, prose
from tools import ROOT
from tools.notebooks import FOLDED, NotebookError, numbering, reading_paths, reading_time
from tools.notebooks.numbering import PATHS_PAGE, files, markdown_files, renumber, unlinked
from tools.notebooks.reading_time import Contents, contents

NUMBERED = rf"\b\d\d_(?:{'|'.join(course_table())})\b"
HERE = {"tools/notebooks/numbering.py", "tests/test_numbering.py"}  # their examples have numbers
PAGE = """# Paths

## All

**Time.** Long.

| part | notebooks | when you are through |
|---|---|---|
| the first | [7 · x](notebooks/00_map.ipynb) | see |
| the rest | [8 · x](notebooks/02_end.ipynb) | know |
"""
MAP = """| | notebook | minutes |
|---|---|---|
| 5 | [Old](02_end.ipynb): what | 9 |

Next: [the end](01_end.ipynb), and what it says.
See [notebook 3](02_end.ipynb#there) and [the end](end.ipynb)."""


def notebook(*cells, title="# Title: more"):
    """Return a notebook of Markdown, or of code where a cell is a tuple (code, tags, outputs)."""
    made = [nbformat.v4.new_markdown_cell(f"{title}\n\n**Time.** A while, 3 minutes at most.")]
    for cell in cells:
        if isinstance(cell, str):
            made.append(nbformat.v4.new_markdown_cell(cell))
        else:
            source, tags, outputs = cell
            made.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags}, outputs=outputs))
    return nbformat.v4.new_notebook(cells=made)


@pytest.fixture
def root(tmp_path):
    """Return a course of a map, of an end, and of a notebook between them that has no number."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / PATHS_PAGE).write_text(PAGE)
    for name, made in {
        "00_map": notebook(MAP),
        "new": notebook("word " * 2600, title="# New"),
        "01_end": notebook("[notebook 0](00_map.ipynb), [notebook 1](new.ipynb)"),
    }.items():
        nbformat.write(made, tmp_path / "notebooks" / f"{name}.ipynb")
    return tmp_path


COURSE = {"map": {}, "new": {"able": "read"}, "end": {"able": "stop"}}


def test_a_notebook_between_two_others_moves_those_behind_it(root):
    assert [path.name for path in renumber(root, COURSE)] == ["01_new.ipynb", "02_end.ipynb"]
    first, new, end = (nbformat.read(path, 4) for path in files(root, COURSE).values())
    assert [n.cells[0].source.splitlines()[0] for n in (first, new, end)] == [
        "# 0 · Title: more", "# 1 · New", "# 2 · Title: more",
    ]  # fmt: skip
    assert end.cells[1].source == "[notebook 0](00_map.ipynb), [notebook 1](01_new.ipynb)"
    assert "| 2 | [Title](02_end.ipynb): stop | 5 |" in first.cells[1].source
    assert "\nNext: [1 · New](01_new.ipynb).\n" in first.cells[1].source
    assert first.cells[1].source.endswith(
        "[notebook 2](02_end.ipynb#there) and [the end](02_end.ipynb)."
    )
    page = (root / PATHS_PAGE).read_text()
    assert "| [0 · Title](notebooks/00_map.ipynb), [1 · New](notebooks/01_new.ipynb) | see" in page
    assert "**Time.** About 30 minutes.\n" in page
    assert "**Time.** About 20 minutes." in new.cells[0].source
    assert renumber(root, COURSE) == []
    assert (root / PATHS_PAGE).read_text() == page


@pytest.mark.parametrize("course", [COURSE | {"more": {}}, {"map": {}, "end": {}}])
def test_a_course_that_does_not_name_its_files_is_refused(root, course):
    with pytest.raises(NotebookError, match=r"course.toml .*new"):
        renumber(root, course)


def test_what_follows_from_the_order_is_written(tmp_path):
    """Else run: python -m tools.notebooks renumber."""
    written = [*markdown_files(), *files().values()]
    for path in written:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    assert renumber(tmp_path) == []
    there = [(path, tmp_path / path.relative_to(ROOT)) for path in written]
    assert [path.name for path, now in there if now.read_bytes() != path.read_bytes()] == []


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


@pytest.mark.parametrize("module", [numbering, reading_paths, reading_time])
def test_examples_in_docstrings_hold(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


FIGURE = [nbformat.v4.new_output("display_data", data={"image/svg+xml": "<svg></svg>"})]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("One [link](to/some/where.md), $x + y$ and `a_name`.", Contents(words=5)),
        ("$$\na = b \\\\\nc = d\n$$\n\nand $$e$$", Contents(words=1, formulas=2)),
        ("![words about it](a.svg)", Contents(figures=1)),
        (("a = 1\n\nplotting.show(fig)", [], FIGURE), Contents(lines=2, figures=1)),
        (("a = 1\nplotting.show(fig)", [FOLDED], FIGURE), Contents(figures=1)),
        (('def f(x):\n    ...\n\ncheck("f", f)', [], []), Contents(functions=1)),
        (('f = "..."\ncheck_formula("f", f)', [], []), Contents(blanks=1)),
        (("def f(x):\n    ...\n\ncheck_network(f)", [], []), Contents(passes=1)),
        ("## Exercises\n\nSome words.\n\n1. Why?\n2. When?\n\n## Recap", Contents(questions=2)),
    ],
)
def test_what_takes_time(cell, expected):
    opening = contents(notebook())
    assert opening == Contents(words=2)
    assert contents(notebook(cell)) == opening + expected


def test_times_are_sums_rounded_to_five_minutes():
    there = Contents(words=1300, formulas=6, lines=30, figures=4, blanks=1, functions=2)
    assert (there.reading, there.exercises) == (20, 15)  # 10 + 2 + 4 + 2 = 18, and 3 + 12
    assert Contents().exercises == 0
