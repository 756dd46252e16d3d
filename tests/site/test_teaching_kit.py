"""What teachers hand out: whole, untold on paper, the same bytes twice, and never on the site."""

import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from stbp_edu.practice.tasks import tasks
from tests.browsing import find
from tests.notebook_rules import CLOSED
from tools.notebooks.execution import FOLDED
from tools.site import ROOT
from tools.site.render.notebook_page import folder
from tools.teach import handouts, slides

SLUGS = (
    "case1",
    "case3",
    "all_together",
    "languages",
)  # with folds and answers of every kind


def stem(slug: str) -> str:
    return next(folder().glob(f"*_{slug}.ipynb")).stem


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("slug", SLUGS)
def test_on_paper_code_is_whole_and_no_answer_is_told(slug: str, site: Path) -> None:
    name = stem(slug)
    page = BeautifulSoup(handouts.paper(f"notebooks/{name}", site=site), "html.parser")
    cells = [
        c
        for c in nbformat.read(folder() / f"{name}.ipynb", 4).cells
        if c.cell_type == "code"
    ]
    shown = {node["id"].partition("--")[2]: node for node in page.select(".cell")}
    asked = 0
    for number, cell in enumerate((c for c in cells if c.source.strip()), start=1):
        node, tags = shown[f"cell-{number}"], cell.metadata.get("tags", [])
        code = node.select_one(".cell-code")
        if any(
            CLOSED in out.get("data", {}).get("text/html", "") for out in cell.outputs
        ):
            asked += 1
            assert node.select_one(".write"), cell.source
            told = node.select("pre.out, .out-figure, .out-html")
            filled = [one for one in told if one.get_text() or one.select("img, svg")]
            assert not [one for one in filled if not one.select(".write")], cell.source
            assert not (code and FOLDED in tags), (
                "the code draws or computes the answer"
            )
        elif FOLDED not in tags and "predict(" not in cell.source:
            assert code, cell.source
            assert bare(code.get_text()) == bare(cell.source)
    assert asked
    assert not page.select("details, summary, button, .stbp-solution, [data-exercise]")
    for answer in BeautifulSoup(
        (site / "notebooks" / name / "index.html").read_text(), "html.parser"
    ).select("details.answer:not(.cell-fold) p:not(:empty)"):
        assert bare(answer.get_text()) not in bare(page.get_text())


def test_links_stay_within_what_is_printed(site: Path) -> None:
    first, second = (f"notebooks/{stem(slug)}" for slug in SLUGS[:2])
    alone = BeautifulSoup(handouts.paper(second, site=site), "html.parser")
    both = BeautifulSoup(handouts.paper(second, [first], site=site), "html.parser")
    assert not [
        a
        for a in alone.select("a[href]")
        if not a["href"].startswith(("http", f"#{second}"))
    ]
    assert both.select(f'a[href="#{first}"]')


def test_a_deck_shows_the_equations_and_asks_before_it_tells(site: Path) -> None:
    deck = BeautifulSoup(slides.deck(stem("case3"), site), "html.parser")
    shown = deck.get_text()
    assert "c3-delta" in shown
    assert "c3-epsilon" in shown
    assert deck.select(".choices li")
    told = [slide for slide in deck.select("section") if slide.select(".fragment")]
    assert told
    assert not deck.select("details")  # an answer comes when the teacher goes on
    costs = BeautifulSoup(slides.deck(stem("gradients"), site), "html.parser")
    assert costs.select(".unit > table")
    notes = " ".join(note.get_text() for note in deck.select("aside.notes"))
    assert "Expect: δ ⊙ h is passed back where ε belongs" in notes


def test_the_kit_is_built_twice_alike_and_nothing_is_cut(
    site: Path, tmp_path: Path
) -> None:
    """A small part of it: a handout, a deck, a problem set, and the inventory, which has tables."""
    if find() is None:
        pytest.skip("no Chromium found")
    for name in ("one", "two"):
        parts = ["--only", "handouts", "inventory", "weeks"] + ["slides"] * (
            name == "one"
        )
        command = [sys.executable, "-m", "tools.teach", str(tmp_path / name), *parts]
        command += ["--notebooks", stem("case1")]
        run = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert "too wide" not in run.stderr
        assert "does not fit" not in run.stderr
    again = [p for p in (tmp_path / "two").rglob("*") if p.is_file()]
    assert len(again) > 20
    for path in again:
        first = tmp_path / "one" / path.relative_to(tmp_path / "two")
        assert path.read_bytes() == first.read_bytes(), first.name
    pdf = PdfReader(tmp_path / "one" / "handouts" / f"{stem('case1')}.pdf")
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert pdf.trailer["/Root"]["/Lang"] == "en"
    assert len(pdf.outline) >= 1
    assert not {"/CreationDate", "/ModDate"} & set(pdf.metadata or {})


def test_no_key_is_on_the_site(site: Path) -> None:
    files = [p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file()]
    keys = re.compile(
        r"(answer-?key|rubric|teacher/|moodle|qti|inventory|/slides/)", re.I
    )
    assert not [name for name in files if keys.search(name)]
    pages = [
        p
        for p in site.rglob("*.html")
        if p.relative_to(site).parts[0] not in ("source", "api")
    ]
    texts = {
        p: bare(unescape(re.sub(r"<[^>]+>", "", p.read_text("utf-8")))) for p in pages
    }
    for task in tasks().values():
        if task.use == "exam" and len(solution := bare(task.solution)) > 25:
            assert not [p for p, text in texts.items() if solution in text], task.id
