"""What each notebook needs, the reading paths, and the times: they agree with each other."""

import re
from functools import cache

import nbformat
import pytest

from stbp_edu.equations import EQUATIONS
from tests.notebook_rules import code_cells, prose, written_ids
from tools import ROOT
from tools.notebooks.reading_paths import LINK, Links, needs, paths
from tools.notebooks.reading_time import contents, stated, with_times

PAGE = ROOT / "docs" / "reading-paths.md"
EVENING = "An evening or two"
MAP = "00_map"
PLACES = [ROOT / "notebooks" / f"{MAP}.ipynb"] + [
    ROOT / "docs" / name for name in ("start.md", "prerequisites.md", "index.md")
]
COUNTED = re.compile(r"\b\d{1,2}(?:, \d{1,2})+,? and \d{1,2}\b")
STATED = re.compile(r"`([a-z0-9-]+)`:\s+\$\$?[^$]+\$|\\tag\{([a-z0-9-]+)\}")


@cache
def notebooks():
    """Return all notebooks by stem; nothing here changes them."""
    found = sorted((ROOT / "notebooks").glob("*.ipynb"))
    return {path.stem: nbformat.read(path, as_version=4) for path in found}


def page():
    return PAGE.read_text(encoding="utf-8")


def missing(path, wanted):
    """Return a line for each notebook of a path that needs one which does not come before it."""
    before = set(path.optional)
    lines = []
    for stem in path.steps:
        absent = [] if stem in path.entries else [s for s in wanted[stem] if s not in before]
        lines += [f"{stem} needs {other}" for other in absent]
        before.add(stem)
    return lines


def known(stem, wanted):
    """Return all notebooks that one needs, and all that these need."""
    found = set(wanted[stem])
    for other in wanted[stem]:
        found |= known(other, wanted)
    return found


def hard():
    return {stem: needs(notebook).steps for stem, notebook in notebooks().items()}


@pytest.mark.parametrize("stem", notebooks())
def test_a_notebook_needs_only_earlier_ones(stem):
    """So that there is no cycle."""
    there = needs(notebooks()[stem])
    wanted = [*there.steps, *there.optional]
    assert [other for other in wanted if other not in notebooks()] == []
    assert [other for other in wanted if other >= stem] == []


@pytest.mark.parametrize("title", paths(page()))
def test_along_a_path_nothing_is_needed_before_it_was_read(title):
    """An entry into one section of a notebook needs nothing: it links that section."""
    path = paths(page())[title]
    assert missing(path, hard()) == []


def test_the_full_course_has_every_notebook_in_order():
    (full,) = (path for title, path in paths(page()).items() if title == "The full course")
    assert full.steps == [stem for stem in notebooks() if stem != MAP] or full.steps == list(
        notebooks()
    )


def passages(path):
    """Return the paragraphs and list items of a page, or of a notebook, that name the evening."""
    if path.suffix == ".ipynb":
        text = prose(nbformat.read(path, as_version=4))
    else:
        text = path.read_text(encoding="utf-8")
    parts = re.split(r"\n\s*\n|\n(?=- |\d+\. )", text)
    return [part for part in parts if re.search(r"\bevening\b", part, flags=re.I)]


def disagreements(part, evening):
    """Return what is wrong with a passage that names the evening path."""
    lines = []
    if "reading-paths.md" not in part:
        lines.append("it does not link the reading paths")
    listed = [stem for stem, _ in LINK.findall(part)]
    counted = [re.findall(r"\d+", run) for run in COUNTED.findall(part)]
    if len(listed) > 1 and listed != evening:
        lines.append(f"it lists {listed}")
    numbers = [str(int(stem[:2])) for stem in evening]
    lines += [f"it lists {run}" for run in counted if run not in (numbers, numbers[1:])]
    return lines


@pytest.mark.parametrize("path", PLACES, ids=lambda p: p.stem)
def test_the_evening_path_stands_in_one_place_and_elsewhere_is_linked(path):
    evening = paths(page())[EVENING].steps
    found = {part[:60]: disagreements(part, evening) for part in passages(path)}
    assert {part: lines for part, lines in found.items() if lines} == {}


def displayed(notebook):
    return {one or two for one, two in STATED.findall(prose(notebook))}


def spoken_of(notebook):
    """Return the ids that a notebook names before its recap or writes in its code."""
    text = prose(notebook).split("## Recap")[0]
    code = "\n".join(cell.source for cell in code_cells(notebook))
    named = re.findall(r"`([a-z0-9-]+)`", text) + written_ids(code)
    return {id_ for id_ in named if id_ in EQUATIONS}


@pytest.mark.parametrize("stem", [stem for stem in notebooks() if stem != MAP])
def test_an_equation_is_known_from_a_notebook_that_is_needed(stem):
    """An id is shown with its formula here, or in a notebook that is needed; the map only shows."""
    wanted = {s: [*needs(n).steps, *needs(n).optional] for s, n in notebooks().items()}
    before = known(stem, wanted) - {MAP}
    shown = displayed(notebooks()[stem]).union(*(displayed(notebooks()[s]) for s in before))
    assert sorted(spoken_of(notebooks()[stem]) - shown) == []


@pytest.mark.parametrize("stem", notebooks())
def test_a_notebook_states_the_time_that_the_rule_gives(stem):
    """Else run: python -m tools.notebooks times --write."""
    there = contents(notebooks()[stem])
    assert stated(notebooks()[stem].cells[0].source) == (there.reading, there.exercises)


def test_the_map_and_the_paths_have_the_same_times():
    copies = {p.stem: nbformat.read(p, 4) for p in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    assert with_times(copies, page()) == page()
    assert [c.source for c in copies[MAP].cells] == [c.source for c in notebooks()[MAP].cells]


def test_the_map_takes_a_quarter_of_an_hour():
    assert contents(notebooks()[MAP]).reading <= 15


# The checks themselves can fail.


def test_a_path_with_a_gap_is_found():
    wanted = {"00_a": [], "01_b": ["00_a"], "02_c": ["01_b"]}
    assert missing(Links(["00_a", "02_c"]), wanted) == ["02_c needs 01_b"]
    assert missing(Links(["00_a", "02_c"], {"01_b"}), wanted) == []
    assert missing(Links(["00_a", "02_c"], entries={"02_c"}), wanted) == []
    assert missing(Links(["01_b", "00_a"]), wanted) == ["01_b needs 00_a"]
    assert known("02_c", wanted) == {"00_a", "01_b"}


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("One evening: see [the paths](../docs/reading-paths.md).", 0),
        ("One evening: this page, then 1 and 2, 3.", 1),
        ("One evening ([paths](reading-paths.md)): this page, then 1, 3 and 7.", 1),
        ("One evening ([paths](reading-paths.md)): this page, then 3, 6 and 8.", 0),
        ("Evening ([paths](reading-paths.md)): [a](08_d.ipynb), [b](03_b.ipynb).", 1),
    ],
)
def test_another_evening_is_found(part, found):
    assert len(disagreements(part, ["00_a", "03_b", "06_c", "08_d"])) == found


def test_an_equation_out_of_the_blue_is_found():
    cells = [
        nbformat.v4.new_markdown_cell("By `c1-delta` and `fwd-u`: $u$, with `x-y`. ## Recap `h1`"),
        nbformat.v4.new_code_cell("x = 1  # c2-delta"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert spoken_of(notebook) - displayed(notebook) == {"c1-delta", "c2-delta"}
