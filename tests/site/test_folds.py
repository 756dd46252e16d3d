"""Code and answers that are folded: out of sight until the reader asks for them."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.site.conftest import NARROW, READY
from tests.site.reader import bring, cell, ended, run, spoken, tab_to, violations, write
from tools.notebooks.execution import FOLDED, OUTPUT_FOLDED
from tools.site.downloads import INSTALL
from tools.site.render.notebook_page import folder, read_notebook

ANSWERS = ".answer > .out"


@dataclass(frozen=True)
class Fold:
    """A part of a cell that is folded: by which tags, where, and what its line says."""

    tags: frozenset[str]
    line: str
    inside: str
    name: str
    hidden: str  # JupyterLab's own mark

    def place(self) -> tuple[str, int]:
        """Return notebook and number of the first cell that has these tags and shows something."""
        for path in sorted(folder().glob("*.ipynb")):
            for number, one in enumerate(read_notebook(path).cells, start=1):
                tags = {*one.metadata.get("tags", [])} & {FOLDED, OUTPUT_FOLDED}
                if self.tags == tags and one.outputs:
                    return path.stem, number
        pytest.fail("no notebook has such a cell")


CODE = Fold(
    frozenset({FOLDED}),
    ":scope > .cell-fold > summary",
    ".cell-code",
    "code",
    "source_hidden",
)
OUTPUT, OUTPUT_AND_CODE = (
    Fold(
        tags,
        ".cell-output > .cell-fold > summary",
        ".cell-output .out",
        name,
        "outputs_hidden",
    )
    for name in ["the answer"]
    for tags in (frozenset({OUTPUT_FOLDED}), frozenset({FOLDED, OUTPUT_FOLDED}))
)
by_code = pytest.mark.parametrize("fold", [CODE], indirect=True)
by_output = pytest.mark.parametrize("fold", [OUTPUT_AND_CODE], indirect=True)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(fold, id=name, marks=pytest.mark.xdist_group("folds"))
        for fold, name in (
            (CODE, "code"),
            (OUTPUT, "output"),
            (OUTPUT_AND_CODE, "both"),
        )
    ],
)
def fold(request: pytest.FixtureRequest) -> Fold:
    """Return what is folded; the tests of one cell follow each other."""
    return request.param


@pytest.fixture
def number(fold: Fold) -> int:
    """Return the number of the cell."""
    return fold.place()[1]


@pytest.fixture
def warm(fold: Fold, kept: Callable[[str], Page]) -> Page:
    """Return the page of the cell."""
    return kept(fold.place()[0])


@pytest.fixture
def folded(warm: Page, number: int) -> Locator:
    """Return the cell, on its page, ready to run."""
    return cell(warm, number)


def reload(page: Page) -> None:
    """Load the page again, which keeps what was written."""
    page.reload()
    page.wait_for_selector(READY, state="attached")


def test_its_line_says_what_it_opens_by_mouse_and_by_keys_for_everyone(
    warm: Page, folded: Locator, fold: Fold, number: int, axe: Path
) -> None:
    """In sight and by its name it says what, of which cell, and whether it is open.

    Opened, axe-core finds nothing on a narrow, dark page; closed, test_built_pages looks.
    """
    line, inside = folded.locator(fold.line), folded.locator(fold.inside).first

    def said(verb: str) -> set[bool | None]:
        """Return whether what the line opens is open, by the names that begin with a verb."""
        names = [node[1:] for node in spoken(warm, folded)]
        assert (f"Run code cell {number}", None) in names
        begin, end = f"{verb} {fold.name}", f" of cell {number}"
        return {
            is_open
            for name, is_open in names
            if name.startswith(begin) and name.endswith(end)
        }

    expect(inside).not_to_be_visible()
    assert line.inner_text().startswith(f"Show {fold.name}")
    assert said("Show") == {False}
    folded.get_by_role("button", name="Run code cell").focus()
    tab_to(warm, line, 5)
    warm.keyboard.press("Enter")
    expect(inside).to_be_visible()
    assert line.inner_text().startswith(f"Hide {fold.name}")
    assert said("Hide") == {True}
    warm.keyboard.press("Space")
    expect(inside).not_to_be_visible()
    line.click()
    expect(inside).to_be_visible()
    bring(warm, axe)
    warm.locator("[data-theme-button]").click()
    warm.set_viewport_size(NARROW)
    assert violations(warm) == []
    assert warm.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_it_is_folded_without_scripts_on_paper_and_in_jupyterlab(
    fold: Fold, browser: Browser, address: str, site: Path
) -> None:
    """The browser opens it; on paper its line never is; a download has JupyterLab's own mark."""
    stem, number = fold.place()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}notebooks/{stem}/")
    target = cell(page, number)
    line, inside = target.locator(fold.line), target.locator(fold.inside).first
    expect(inside).not_to_be_visible()
    line.click()
    expect(inside).to_be_visible()
    page.emulate_media(media="print")
    expect(line).not_to_be_visible()
    expect(inside).to_be_visible()
    context.close()
    there = nbformat.read(site / "notebooks" / stem / f"{stem}.ipynb", as_version=4)
    code = [c for c in there.cells if c.cell_type == "code" and c.source.strip()]
    own = [c for c in code if c.id != INSTALL]  # the download's first cell installs
    assert own[number - 1].metadata["jupyter"][fold.hidden] is True


@by_code
def test_it_runs_while_folded_and_after_the_cells_above(
    warm: Page, folded: Locator, number: int
) -> None:
    """Run to here runs it with all the cells above, folded or not; all folds stay as they were.

    At a phone's width its buttons do not lie on each other, and Run is as large as a finger.
    """
    for k in range(1, number):
        write(warm, f"seen_{k} = {k}", k)
    write(warm, f"print([seen_{number - 1}])" if number > 1 else "print([0])", number)
    folded.locator(CODE.line).click()
    for name in ("Run to here", "Run code cell"):
        folded.get_by_role("button", name=name).click()
        ended(folded)
        expect(folded.locator(".out-stdout")).to_have_text(f"[{number - 1}]\n")
        expect(folded.locator(".cell-code")).not_to_be_visible()
    expect(warm.locator(".cell[data-state=done]")).to_have_count(number)
    warm.set_viewport_size(NARROW)
    names = ("Run code cell", "Run to here", "Reset code cell")
    boxes = [folded.get_by_role("button", name=name).bounding_box() for name in names]
    boxes.append(folded.locator(CODE.line).bounding_box())
    assert boxes[0]
    assert min(boxes[0]["width"], boxes[0]["height"]) >= 44
    for one, two in combinations([box for box in boxes if box], 2):
        beside = (
            one["x"] + one["width"] <= two["x"] or two["x"] + two["width"] <= one["x"]
        )
        assert (
            beside
            or one["y"] + one["height"] <= two["y"]
            or two["y"] + two["height"] <= one["y"]
        )


@by_code
def test_code_that_was_changed_or_failed_is_seen(
    warm: Page, folded: Locator, number: int
) -> None:
    """After a reload a changed cell is open; a run that fails opens the code it speaks of."""
    write(warm, "unknown_name", number)
    reload(warm)
    expect(folded.get_by_role("textbox")).to_have_value("unknown_name")
    folded.locator(CODE.line).click()
    expect(folded.locator(".cell-code")).not_to_be_visible()
    folded.get_by_role("button", name="Run code cell").click()
    ended(folded, "error")
    expect(folded.get_by_role("textbox")).to_be_visible()


@by_output
def test_an_answer_is_seen_by_who_asks_and_a_reset_folds_it_again(
    warm: Page, folded: Locator, number: int
) -> None:
    """No answer of the page is in sight before, nor after the code was changed; a run asks."""
    assert warm.locator(ANSWERS).count()
    write(warm, "6 * 7", number)
    reload(warm)
    expect(folded.get_by_role("textbox")).to_have_value("6 * 7")
    expect(folded.get_by_role("textbox")).to_be_visible()
    for one in warm.locator(ANSWERS).all():
        expect(one).not_to_be_visible()
    assert (
        run(warm, "6 * 7", number).locator(":scope > .out-result").inner_text() == "42"
    )
    expect(folded.locator(OUTPUT.line)).to_have_count(0)
    expect(
        run(warm, "unknown_name", number, "error").locator(".out-error")
    ).to_be_visible()
    folded.get_by_role("button", name="Reset code cell").click()
    expect(folded.locator(OUTPUT.line)).to_be_visible()
    expect(folded.locator(OUTPUT.inside).first).not_to_be_visible()
