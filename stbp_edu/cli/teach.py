"""The commands for teachers: assign and mistakes."""

import argparse
from pathlib import Path

from stbp_edu._support.files import read_text, write_text
from stbp_edu.practice.tasks import misconceptions, objectives, tasks
from stbp_edu.teaching import marks, notebooks
from stbp_edu.teaching.problem_set import (
    ProblemSet,
    faults,
    read_problem_set,
    read_roster,
)


def assign_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``assign``."""
    parser.epilog = notebooks.filled("plan.toml")
    parser.add_argument(
        "plan", nargs="?", type=Path, metavar="PLAN.toml", help="the problem set"
    )
    parser.add_argument(
        "out", nargs="?", type=Path, metavar="OUT", help="nbgrader's folder of a course"
    )
    parser.add_argument(
        "--roster",
        type=Path,
        metavar="CLASS.csv",
        help="the students, as nbgrader lists them: a notebook for each",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be written"
    )
    parser.add_argument(
        "--list", action="store_true", help="list the tasks by objective"
    )
    parser.add_argument(
        "--own-tasks", action="store_true", help="print a file of tasks to begin with"
    )
    parser.add_argument(
        "--list-mistakes", action="store_true", help="list the mistakes that have names"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="try the solutions and mistakes of your tasks",
    )


def assign(args: argparse.Namespace) -> int:
    """Write a problem set for nbgrader, from a plan.

    The plan is a TOML file; `stbp-edu assign --list` names the tasks that it may ask. For example:

        stbp-edu assign week3.toml course --dry-run
        stbp-edu assign week3.toml course
        cd course
        nbgrader generate_assignment week3

    OUT is the folder of a course, new or with other assignments in it. It gets the source notebook
    with solutions and hidden tests, source/week3/week3.ipynb, and nbgrader_config.py, unless it has
    one. nbgrader makes the notebook for students from the source, in release/week3/.

    With --roster each student gets a notebook by name, handout/week3/anna.ipynb, in one of the
    plan's variants, and the hidden tests know who has which. The roster is a CSV file with the
    column id, as `nbgrader db student import` reads it.

    With `checks = false`, as for an exam, the notebooks hold no calls of check(); the package has
    the solutions, so an exam needs machines without it. A plan may name a file of your own tasks,
    `tasks_from = "mine.toml"`; their solutions are on no page. --check tries each of them in every
    variant: its solution must be right, and each of its mistakes wrong and recognised.

    Exit codes: 0 written or sound, 1 a task is not sound, 2 the plan, the roster or OUT cannot be
    used; then nothing is written.
    """
    if args.list:
        every = list(tasks().values())
        print(
            notebooks.filled("listed.txt", objectives=objectives(), tasks=every), end=""
        )
        return 0
    if args.own_tasks:
        print(notebooks.filled("own_tasks.toml"), end="")
        return 0
    if args.list_mistakes:
        for id_, mistake in misconceptions().items():
            print(f"{id_}: {mistake['name']}")
        return 0
    if args.plan is None or (args.out is None and not args.check):
        raise ValueError("assign needs PLAN.toml and OUT; see stbp-edu assign --help")
    plan = read_problem_set(args.plan)
    if args.check:
        return _tasks_checked(plan)
    roster = read_roster(args.roster) if args.roster else []
    files = {args.out / path: text for path, text in notebooks.files_of(plan, roster)}
    for path in files:
        if path.exists() and path.suffix == ".ipynb":
            raise ValueError(
                f"{path} is there already; move it away, or choose another OUT"
            )
    if not args.dry_run:
        for path, text in files.items():
            if not path.exists():  # a teacher's own nbgrader_config.py stays
                write_text(path, text)
    said = notebooks.filled(
        "assigned.txt",
        plan=plan,
        variants=[plan.questions(k + 1) for k in range(plan.count)],
        paths=files,
        out=args.out,
        dry=args.dry_run,
        other=[p for p, text in files.items() if p.exists() and read_text(p) != text],
    )
    print(said, end="")
    return 0


def _tasks_checked(plan: ProblemSet) -> int:
    """Print what is wrong with the teacher's own tasks, and return the exit status."""
    if not plan.own_tasks:
        raise ValueError(
            'the plan names no file of tasks; write tasks_from = "mine.toml"'
        )
    found: dict[str, list[int]] = {}
    for variant in range(1, plan.count + 1):
        for fault in faults(plan.own_tasks, variant):
            found.setdefault(fault, []).append(variant)
    for fault, variants in found.items():
        more = f" and {len(variants) - 1} more" if len(variants) > 1 else ""
        print(f"variant {variants[0]}{more}: {fault}")
    if not found:
        variants_tried = notebooks.many(plan.count, "variant")
        print(
            f"every solution is right and every mistake recognised, in {variants_tried}"
        )
    return 1 if found else 0


def mistakes_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mistakes``."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the notebooks")
    parser.add_argument(
        "--assignment", default="", metavar="NAME", help="only of this assignment"
    )
    parser.add_argument(
        "--page", type=Path, metavar="FILE.html", help="write a page, with names, too"
    )


def mistakes(args: argparse.Namespace) -> int:
    """Say which mistakes a class made, and which three to talk about.

    FOLDER is nbgrader's folder of a course after `nbgrader autograde`, or any folder of executed
    notebooks: anna.ipynb, or anna/anything.ipynb. For example:

        stbp-edu mistakes course --assignment week3
        stbp-edu mistakes course --assignment week3 --page mistakes.html

    It runs nothing: it reads what check and the hidden tests wrote into the notebooks. Where
    nbgrader gave points, only the cells that gave them count; in other notebooks students could
    have written anything.

    Exit codes: 0 all is read, 1 a file could not be read or holds no check, 2 there is no notebook.
    """
    found = marks.executed(args.folder, args.assignment)
    if not found:
        raise ValueError(
            f"FOLDER must hold executed notebooks, got {args.folder}, which has none; "
            "run nbgrader autograde first"
        )
    answers, unread = [], []
    for path, student in found.items():
        try:
            answers += [(student, v) for v in marks.verdicts_in(path)]
        except ValueError as error:
            unread.append(error)
    names = {
        "count": len(found) - len(unread),
        "unread": unread,
        "reports": marks.task_reports(answers),
        "topics": marks.topics(answers),
        "lesson": marks.lesson,
        "share": lambda part, whole: f"{part} ({part / whole:.0%})",
    }
    print(notebooks.filled("mistakes.txt", **names), end="")
    if args.page:
        write_text(args.page, notebooks.filled("mistakes.html", **names))
    return 1 if unread else 0
