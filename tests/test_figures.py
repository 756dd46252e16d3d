"""Every measured figure that a page quotes comes from a record, and pages agree with each other."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from tools import ROOT
from tools.pages import read_records
from tools.pages.page_names import names
from tools.templates import filled

pytestmark = pytest.mark.slow  # the pages of measurements are made

RECORDS = read_records()
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FIGURE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?) (%|ms|MB)(?!\w)")
TEMPLATES = [
    ROOT / "docs" / f"{name}.md" for name in ("results", "performance", "time", "trust")
]
WRITTEN = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
ELSEWHERE = {
    "98.89 %": "usually quoted for Wu et al. (2018)",
    "95.99 %": "the notes",
    "90.0 %": "the page of Fashion-MNIST: a network with layers of 256, 128 and 64",
    "83.5 %": "the page of Fashion-MNIST: people",
    "99.42 %": "the convolutional network of Wu et al. (2018), as two later papers quote it",
}
"""Figures that no record of ours gives, and whose they are."""
DERIVED = {
    "docs/results.md": {"95 %"},  # the level of its intervals
    "docs/time.md": {
        "95 %",
        "98 %",
    },  # that of its intervals, and what is called constant
    "docs/trust.md": {"95 %"},  # the level of its interval
    "docs/glossary.md": {"95 %"},  # the bound of the diagnosis
    "docs/train-save-use.md": {
        "35 ms",
        "40 ms",
        "150 ms",
    },  # bins of the recipes for events
    "what_matters": {"96.0 %", "96.8 %"},  # means that question 2 makes up
    "README.md": {"47 %", "95 %", "100 %"},  # ends of intervals, and their level
    "docs/exact-is-not-best.md": {"95 %"},
    "docs/pytorch.md": {"1 ms"},  # the step that frameworks assume
    "docs/performance.md": {"13 %"},  # of the inputs that spike, drawn
}
"""Figures that a page, or the notebook of a slug, derives and does not measure."""


def plain(text: str) -> str:
    """Return text with one kind of space, without marks of emphasis and code blocks."""
    text = re.sub(r"```.*?```|\{[%#{].*?[%#}]\}", " … ", text, flags=re.S)
    return re.sub(r"&nbsp;|\xa0|\\[,%]|\*\*|\$|\s+|(?<=\d)(?=%)", _spaced, text)


def _spaced(found: re.Match[str]) -> str:
    return {"**": "", "$": "", "\\%": " %"}.get(found[0], " ")


def figures(text: str) -> set[str]:
    """Return the measured figures of a text, such as ``98.70 %``."""
    return {
        f"{number} {unit}"
        for number, unit in FIGURE.findall(re.sub(" +", " ", plain(text)))
    }


@cache
def printed() -> set[str]:
    """Return the decimals that the pages of measurements print, which come from the records."""
    measured = ("results.md", "performance.md", "time.md")
    pages = "".join(filled(name, **names(name)) for name in measured)
    return set(re.findall(r"\d+\.\d+", re.sub(r"<svg.*?</svg>", "", pages, flags=re.S)))


def prose(path: Path) -> str:
    if path.suffix != ".ipynb":
        return path.read_text("utf-8")
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "\n\n".join(
        "".join(c["source"]) for c in cells if c["cell_type"] == "markdown"
    )


@pytest.mark.parametrize("path", [*WRITTEN, *NOTEBOOKS], ids=lambda path: path.name)
def test_a_figure_in_prose_is_one_that_the_records_give(path: Path):
    """A notebook's whole percentages are left out: they are bounds, which its cells compute."""
    name = path.relative_to(ROOT).as_posix()
    quoted = figures(prose(path)) - DERIVED.get(name, set()) - ELSEWHERE.keys()
    if path.suffix == ".ipynb":
        slug = path.stem.partition("_")[2]
        quoted -= DERIVED.get(slug, set())
        quoted = {figure for figure in quoted if "." in figure}
    unknown = {figure for figure in quoted if figure.split()[0] not in printed()}
    assert not unknown, f"{name} quotes {sorted(unknown)}, which no record gives"


def test_a_template_writes_no_figure_of_ours():
    """What is measured is filled in from a record; only what others report is written out."""
    for path in TEMPLATES:
        derived = DERIVED.get(f"docs/{path.name}", set())
        ours = figures(path.read_text("utf-8")) - derived - ELSEWHERE.keys()
        assert not ours, path.name
    text = "It reaches **12.34&nbsp;%** in 567.8\xa0ms, $91.2\\%$, 3 messages, a 4%."
    assert figures(text) == {"12.34 %", "567.8 ms", "91.2 %", "4 %"}
    assert not {"12.34", "567.8"} & printed()


def test_one_machine_has_one_figure():
    """Milliseconds of a step stand in one table for each processor, and nowhere with other values.

    All other tables of times are ratios within one run.
    """
    page = re.sub(
        "\xa0|&nbsp;", " ", filled("performance.md", **names("performance.md"))
    )
    tables = re.findall(
        r"^ *\|  \| median, ms .*\n.*\n((?: *\|.*\n)*)", page, flags=re.M
    )
    assert len(tables) == 1
    shown = {
        row.split("|")[2].strip() for t in tables for row in t.strip().splitlines()
    }
    (picture,) = {
        *re.findall(r"<title>(Milliseconds.*?)</title>", page)
    }  # wide and narrow
    text = re.sub(r"<svg.*?</svg>", "", page, flags=re.S)
    pairs = re.findall(r"(\d+\.\d) (?:ms|against (\d+\.\d) ms)", text)
    said = {number for pair in pairs for number in pair if number}
    assert said | {*re.findall(r"\d+\.\d", picture)} <= shown
    assert not re.search(r"\d ms \|", page)
