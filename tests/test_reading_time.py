"""The rule by which the times of the notebooks are stated."""

import doctest

import nbformat
import pytest

from tools.notebooks import FOLDED, __main__, reading_paths, reading_time
from tools.notebooks.reading_time import Contents, contents, stated, with_times

OPENING = "# 7 · Title\n\n**Goal.** Count.\n\n**Time.** A while, 3 minutes at most.\n"
FIGURE = [nbformat.v4.new_output("display_data", data={"image/svg+xml": "<svg></svg>"})]


def notebook(*cells):
    """Return a notebook of Markdown, or of code where a cell is a tuple (code, tags, outputs)."""
    made = [nbformat.v4.new_markdown_cell(OPENING)]
    for cell in cells:
        if isinstance(cell, str):
            made.append(nbformat.v4.new_markdown_cell(cell))
        else:
            source, tags, outputs = cell
            made.append(nbformat.v4.new_code_cell(source, outputs=outputs))
            made[-1].metadata["tags"] = tags
    return nbformat.v4.new_notebook(cells=made)


@pytest.mark.parametrize("module", [reading_paths, reading_time])
def test_examples_in_docstrings_hold(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Two words.", Contents(words=2)),
        ("One [link](to/some/where.md), $x + y$ and `a_name`.", Contents(words=5)),
        ("$$\na = b \\\\\nc = d\n$$\n\nand $$e$$", Contents(words=1, formulas=2)),
        ("![words about it](a.svg)", Contents(figures=1)),
        (("a = 1\n\nb = 2", [], []), Contents(lines=2)),
        (("a = 1\nplotting.show(fig)", [], FIGURE), Contents(lines=2, figures=1)),
        (("a = 1\nplotting.show(fig)", [FOLDED], FIGURE), Contents(figures=1)),
        (('def f(x):\n    ...\n\ncheck("f", f)', [], []), Contents(functions=1)),
        (('f = "..."\ncheck_formula("f", f)', [], []), Contents(blanks=1)),
        (("def f(x):\n    ...\n\ncheck_network(f)", [], []), Contents(passes=1)),
        ("## Exercises\n\nSome words.\n\n1. Why?\n2. When?", Contents(questions=2)),
    ],
)
def test_what_is_counted(cell, expected):
    opening = contents(notebook())
    assert contents(notebook(cell)) == opening + expected


def test_the_opening_counts_but_for_its_time():
    assert contents(notebook()) == Contents(words=4)


def test_the_exercises_end_with_the_next_section():
    there = contents(notebook("## Exercises\n\n1. Why?", ("x = 1", [], []), "## Recap\n\nword"))
    assert there == Contents(words=5, questions=1)


def test_the_times_are_sums_rounded_to_five_minutes():
    there = Contents(words=1300, formulas=6, lines=30, figures=4, blanks=1, functions=2)
    assert there.reading == 20  # 10 + 2 + 4 + 2 = 18
    assert there.exercises == 15  # 3 + 12
    assert Contents().exercises == 0


def test_times_are_written_where_they_stand_and_writing_twice_changes_nothing():
    long = notebook("word " * 2600)
    map_ = notebook("| 7 | [Long](07_long.ipynb): what it is for | 99 |", "## Exercises\n\n1. Why?")
    page = "# Paths\n\n## All\n\n**Time.** Long.\n\n1. [a](notebooks/00_map.ipynb)\n2. "
    page += "[b](notebooks/07_long.ipynb)\n\n## Other\n\n**Time.** None.\n"
    written = with_times({"00_map": map_, "07_long": long}, page)
    assert stated(long.cells[0].source) == (20, 0)
    assert stated(map_.cells[0].source) == (5, 5)
    assert map_.cells[1].source.endswith(" | 20 |")
    assert "**Time.** About 25 minutes, and 5 for the exercises.\n\n1." in written
    assert "## Other\n\n**Time.** None." in written
    assert with_times({"00_map": map_, "07_long": long}, written) == written


def test_the_command_prints_and_writes(tmp_path, capsys, monkeypatch):
    path = tmp_path / "07_long.ipynb"
    nbformat.write(notebook("word " * 2600), path)
    monkeypatch.setattr(__main__, "PATHS_PAGE", tmp_path / "paths.md")
    (tmp_path / "paths.md").write_text("# Paths\n")
    assert __main__.main(["times", str(path)]) == 0
    assert stated(nbformat.read(path, as_version=4).cells[0].source) == (3, 0)
    assert __main__.main(["times", "--write", str(path)]) == 0
    assert stated(nbformat.read(path, as_version=4).cells[0].source) == (20, 0)
    assert "07_long" in capsys.readouterr().out
