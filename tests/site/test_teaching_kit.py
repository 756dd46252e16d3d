"""What teachers hand out in a week: whole and untold on paper, shown on slides, and on the site."""

import re
from html import unescape

import pytest
from bs4 import BeautifulSoup

from stbp_edu.practice.tasks import tasks
from tests.notebook_rules import CLOSED
from tools.notebooks.execution import FOLDED
from tools.teach import week_files
from tools.teach.weeks import weeks

WEEK = weeks()[2]


def bare(text):
    return re.sub(r"\s+", "", text)


def test_on_paper_code_is_whole_and_no_answer_is_told():
    page = BeautifulSoup(week_files.handout(WEEK), "html.parser")
    assert not page.select("details, summary, script:not([src]), [data-exercise]")
    text = bare(page.get_text())
    asked = 0
    for cell in (c for read in WEEK.notebooks for c in week_files.cells_of(read)):
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code":
            assert (bare(cell.source) in text) == (FOLDED not in tags), cell.source
            shown = [out.get("data", {}).get("text/html", "") for out in cell.outputs]
            answers = [html for html in shown if CLOSED in html]
        else:
            answers = re.findall(
                r'(?s)<details class="answer".*?</details>', cell.source
            )
        for answer in answers:
            asked += 1
            told = BeautifulSoup(answer, "html.parser").select("pre, p")
            assert not [p for p in told if bare(p.get_text()) in text], answer
    assert asked > 10
    assert len(page.select(".write")) >= asked


def test_slides_ask_before_they_tell_and_have_notes():
    deck = BeautifulSoup(week_files.deck(WEEK), "html.parser")
    shown = deck.get_text()
    assert "c3-delta" in shown
    assert "c3-epsilon" in shown
    assert deck.select(".fragment")
    assert deck.select(".stbp-feedback[data-choices]")
    assert not deck.select("details")  # an answer comes with the next key
    assert all(
        section.select_one(":scope > :not(h2)") for section in deck.select("section")
    )
    notes = " ".join(note.get_text() for note in deck.select("aside.notes"))
    with_both = 'Expect in "Case 3 with both signals given: which one do you need?": '
    assert f"{with_both}δ ⊙ h is passed back where ε belongs" in notes


@pytest.mark.parametrize("name", ["handout", "slides"])
def test_the_site_shows_a_week(name, page, address):
    """Its formulas are set, and nothing is wider than the paper or the screen."""
    page.goto(f"{address}teach/")
    page.locator(f"a[href$='week3/{name}.html']").first.click()
    page.wait_for_selector("html[data-maths=ready]", state="attached")
    assert page.locator("mjx-container").count() > 20
    assert not page.locator("mjx-merror").count()
    if name == "handout":
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 658, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 658
        return
    assert page.evaluate("Reveal.getTotalSlides()") > 40
    cut = """() => Reveal.getSlides().filter((slide, k) => {
      Reveal.slide(k);
      return slide.scrollWidth > slide.clientWidth + 1;
    }).map((slide) => slide.textContent)"""
    assert page.evaluate(cut) == []


def test_no_key_is_on_the_site(site):
    files = [p for p in site.rglob("*") if p.is_file()]
    assert not [p for p in files if re.search(r"nbgrader|BEGIN SOLUTION", p.name)]
    keys = {bare(task.solution) for task in tasks().values() if task.use == "exam"}
    keys = {key for key in keys if len(key) > 25} | {"###BEGINHIDDEN"}
    for path in files:
        made_of_code = path.relative_to(site).parts[0] in ("source", "api")
        if path.suffix in (".html", ".ipynb") and not made_of_code:
            text = bare(unescape(re.sub(r"<[^>]+>", "", path.read_text("utf-8"))))
            assert not [key for key in keys if key in text], path
