"""Build everything that teachers hand out into one folder: ``python -m tools.teach OUT``.

python -m tools.teach OUT [--only quiz slides ...] [--notebooks STEM ...]

It needs the built site (``make site``) and Chromium, and no connection. The same site gives the
same bytes. Keys and solutions are in it: the folder is for teachers, and no part of the site.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from playwright.sync_api import Browser

from stbp_edu._support.equations import GROUPS
from stbp_edu._support.files import write_text
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import course_table, misconceptions, objectives, tasks
from stbp_edu.teaching.notebooks import notebook
from stbp_edu.teaching.problem_set import read_problem_set
from tools.site import SITE
from tools.site.render.notebook_page import folder, read_notebooks
from tools.teach import bank, handouts, quiz_files, slides
from tools.teach.weeks import plan, weeks
from tools.templates import filled

TITLE = "Error through space and time"


def documents(
    part: str, stems: Sequence[str]
) -> Iterator[tuple[str, str, Iterable[str], str]]:
    """Yield what is printed of a part of the kit; of most, that is all.

    That is for each document its file, title, parts, and kind if it lies across the sheet.
    """
    pages = [f"notebooks/{stem}" for stem in stems]
    match part:
        case "guide":
            yield "guide.pdf", "Teach with this", [handouts.paper("teach")], ""
        case "course":
            told = (handouts.paper(page, pages) for page in pages)
            yield "course.pdf", TITLE, [filled("cover.html", title=TITLE), *told], ""
        case "handouts":
            titles = {stem: book.title for stem, book in read_notebooks().items()}
            for stem, page in zip(stems, pages, strict=True):
                title, parts = titles[stem], [handouts.paper(page)]
                yield f"handouts/{stem}.pdf", title, parts, ""
        case "inventory":
            for letter, name in quiz_files.FORMS.items():
                sheet = quiz_files.written(
                    "inventory.html", quiz_files.form(letter), form=name
                )
                yield f"inventory/form-{letter}.pdf", f"Form {name}", [sheet], ""
            names = {
                "both": list(zip(*map(quiz_files.form, quiz_files.FORMS), strict=True))
            }
            key = quiz_files.written(
                "inventory_key.html", [], library=misconceptions(), **names
            )
            yield "inventory/key-and-scores.pdf", "Key and scores", [key], ""
        case "sheet":
            poster = "".join(
                map(str, handouts.article("sheet").select("style, .stbp-poster"))
            )
            yield (
                "poster.pdf",
                "The five cases",
                [f"<article>{poster}</article>"],
                "poster",
            )
            yield (
                "sheet.pdf",
                "All equations",
                [filled("sheet.html", groups=GROUPS)],
                "sheet",
            )
        case "answer-key":
            asked = {t.id: quiz_files.prompt_html(t.question) for t in tasks().values()}
            names = {
                "objectives": objectives(),
                "tasks": tasks(),
                "asked": asked,
                "said": markup,
            }
            yield (
                "answer-key.pdf",
                "Answer key",
                [filled("answer_key.html", **names)],
                "",
            )


def write_files(part: str, out: Path, stems: Sequence[str], running: Browser) -> None:
    """Write what is shown or read in by machines: slides, questions and homework."""
    match part:
        case "slides":
            decks = {
                slug for slug, table in course_table().items() if table.get("deck")
            }
            chosen = [stem for stem in stems if stem.partition("_")[2] in decks]
            for file in slides.write(chosen, out / part):
                for what in slides.overfull(running, file):
                    print(f"{file.name}: does not fit: {what}", file=sys.stderr)
        case "quiz":
            questions = bank.bank()
            for week in weeks():
                ids = [task.id for task in week.tasks]
                own = [q for q in questions if bank.task_of(q) in ids]
                title = f"{TITLE}: week {week.number}"
                quiz_files.write(own, out / part, f"week{week.number}", title)
            asked_in = {task.id for week in weeks() for task in week.tasks}
            rest = [q for q in questions if bank.task_of(q) not in asked_in]
            quiz_files.write(rest, out / part, "other-weeks", f"{TITLE}: further tasks")
            shares = bank.found_by_form(questions)
            by_sibling = bank.found_by_sibling(questions)
            names = {"shares": shares, "count": len(questions), "sibling": by_sibling}
            write_text(out / part / "form.txt", filled("form.txt", **names))
        case "inventory":
            for letter, name in quiz_files.FORMS.items():
                title = f"{TITLE}: concept inventory, form {name}"
                quiz_files.write(
                    quiz_files.form(letter), out / part, f"form-{letter}", title
                )
        case "weeks":
            for week in weeks():
                here = out / part / f"week{week.number}"
                write_text(here / "plan.toml", plan(week))
                asked = read_problem_set(here / "plan.toml")
                write_text(here / f"week{week.number}.ipynb", notebook(asked))


PARTS = (  # the longest come first, so that the cores end together
    "course", "handouts", "slides", "quiz", "guide", "inventory", "weeks", "sheet", "answer-key",
)  # fmt: skip


def build(part: str, out: Path, stems: Sequence[str]) -> None:
    """Build one part, with a browser of its own, and say what would be cut."""
    with handouts.browser() as running:
        for name, title, parts, kind in documents(part, stems):
            for what in handouts.printed(running, out / name, title, list(parts), kind):
                print(f"{name}: too wide: {what}", file=sys.stderr)
        write_files(part, out, stems, running)
    print(part, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the parts that are asked for, as many at a time as there are cores."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, help="the folder")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, help="these parts"
    )
    stems = sorted(path.stem for path in folder().glob("*.ipynb"))
    parser.add_argument(
        "--notebooks", nargs="+", choices=stems, default=stems, metavar="STEM"
    )
    options = parser.parse_args(arguments)
    if not (SITE / "teach" / "index.html").is_file():
        parser.exit(2, f"{SITE} has no built site: run make site first\n")
    with ProcessPoolExecutor() as pool:
        jobs = [
            pool.submit(build, name, options.out, options.notebooks)
            for name in options.only
        ]
        for job in jobs:
            job.result()
    print(f"everything is in {options.out}; it holds the keys, so keep it to yourself")


if __name__ == "__main__":
    main()
