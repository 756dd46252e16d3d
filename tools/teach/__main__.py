"""Build everything that teachers hand out into one folder: ``python -m tools.teach OUT``.

python -m tools.teach OUT [--only quiz slides ...] [--notebooks STEM ...]

It needs the built site (``make site``) and Chromium, and no connection. The same site gives the
same bytes. Keys and solutions are in it: the folder is for teachers, and no part of the site.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stbp_edu.equations import GROUPS
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import objectives, tasks
from stbp_edu.practice.tasks.prompts import question_of
from stbp_edu.teaching.notebooks import files_of
from stbp_edu.teaching.problem_set import read_problem_set
from tools.site import SITE
from tools.site.render.notebook_page import folder
from tools.teach import bank, handouts, inventory, paper, quiz_files, slides
from tools.teach.weeks import plan, weeks
from tools.templates import filled

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TITLE = "Error through space and time"


@dataclass(frozen=True)
class Kit:
    """What one build makes: the folder, the notebooks by their stems, and the browser."""

    out: Path
    stems: Sequence[str]
    browser: "Browser"

    def print(self, name: str, title: str, parts: list[str], kind: str = "") -> None:
        """Print a document, across the sheet if it is of a kind, and say what would be cut."""
        for what in paper.printed(self.browser, self.out / name, title, parts, kind):
            print(f"{name}: too wide: {what}", file=sys.stderr)

    def write(self, name: str, text: str) -> None:
        """Write a text."""
        (self.out / name).parent.mkdir(parents=True, exist_ok=True)
        (self.out / name).write_text(text, encoding="utf-8")


def guide(kit: Kit) -> None:
    """The page "Teach with this", on paper."""
    kit.print("guide.pdf", "Teach with this", [handouts.paper("teach")])


def course(kit: Kit) -> None:
    """The whole course as one file."""
    pages = [f"notebooks/{stem}" for stem in kit.stems]
    cover = filled("cover.html", title=TITLE)
    kit.print("course.pdf", TITLE, [cover, *(handouts.paper(page, pages) for page in pages)])


def handout(kit: Kit) -> None:
    """A handout for each notebook."""
    for stem in kit.stems:
        kit.print(f"handouts/{stem}.pdf", stem, [handouts.paper(f"notebooks/{stem}")])


def deck(kit: Kit) -> None:
    """The slides, and what does not fit on one."""
    chosen = [stem for stem in kit.stems if int(stem[:2]) <= slides.LAST]
    for file in slides.write(chosen, kit.out / "slides"):
        for what in slides.overfull(kit.browser, file):
            print(f"{file.name}: does not fit: {what}", file=sys.stderr)


def quiz(kit: Kit) -> None:
    """The quiz bank, and how often each habit finds its keys."""
    questions = bank.bank()
    quiz_files.write(questions, kit.out / "quiz", "bank", f"{TITLE}: quiz bank")
    shares = bank.found_by_form(questions)
    kit.write("quiz/form.txt", filled("form.txt", shares=shares, count=len(questions)))


def concepts(kit: Kit) -> None:
    """The concept inventory."""
    for letter, name in inventory.FORMS.items():
        kit.print(f"inventory/form-{letter}.pdf", f"Form {name}", [inventory.sheet(letter)])
        title = f"{TITLE}: concept inventory, form {name}"
        quiz_files.write(inventory.form(letter), kit.out / "inventory", f"form-{letter}", title)
    kit.print("inventory/key-and-scores.pdf", "Key and scores", [inventory.key_and_scores()])


def problem_sets(kit: Kit) -> None:
    """The homework of the six weeks, as plans, notebooks, keys and rubrics."""
    for week in weeks():
        here = f"weeks/week{week.number}"
        kit.write(f"{here}/plan.toml", plan(week))
        for path, text in files_of(read_problem_set(kit.out / here / "plan.toml"), "plain"):
            kit.write(f"{here}/{path}", text)


def sheet(kit: Kit) -> None:
    """The sheet of equations, and the poster."""
    page = handouts.article("sheet")
    poster = "".join(map(str, page.select("style, .stbp-poster")))
    kit.print("poster.pdf", "The five cases", [f"<article>{poster}</article>"], "poster")
    kit.print("sheet.pdf", "All equations", [filled("sheet.html", groups=GROUPS)], "sheet")


def answer_key(kit: Kit) -> None:
    """Every task with its solution, its reason and its named mistakes."""
    asked = {task.id: quiz_files.prompt_html(question_of(task)) for task in tasks().values()}
    names = {"objectives": objectives(), "tasks": tasks(), "asked": asked, "said": markup}
    kit.print("answer-key.pdf", "Answer key", [filled("answer_key.html", **names)])


PARTS: dict[str, Callable[[Kit], None]] = {
    "course": course, "handouts": handout, "slides": deck, "quiz": quiz, "guide": guide,
    "inventory": concepts, "weeks": problem_sets, "sheet": sheet, "answer-key": answer_key,
}  # fmt: skip
"""The longest come first, so that the cores end together."""


def build(name: str, out: Path, stems: Sequence[str]) -> None:
    """Build one part, with a browser of its own."""
    with paper.browser() as running:
        PARTS[name](Kit(out, stems, running))
    print(name, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the parts that are asked for, as many at a time as there are cores."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, help="the folder")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts")
    stems = sorted(path.stem for path in folder().glob("*.ipynb"))
    parser.add_argument("--notebooks", nargs="+", choices=stems, default=stems, metavar="STEM")
    options = parser.parse_args(arguments)
    if not (SITE / "teach" / "index.html").is_file():
        parser.exit(2, f"{SITE} has no built site: run make site first\n")
    with ProcessPoolExecutor() as pool:
        jobs = [pool.submit(build, name, options.out, options.notebooks) for name in options.only]
        for job in jobs:
            job.result()
    print(f"everything is in {options.out}; it holds the keys, so keep it to yourself")


if __name__ == "__main__":
    main()
