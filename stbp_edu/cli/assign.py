"""Write a problem set: notebooks for students and teacher, and a rubric, from a plan.

The plan is a TOML file; `stbp-edu assign --list` names the tasks that it may ask:

    title = "Problem set 2: back through time"
    tasks = ["c1-delta-window", "c2-delta-cost", "c3-delta-soft", "c5-tau", "gain"]
    checks = true                # false for an exam: no calls of check() in the notebook
    partial = 0.5                # share of the points for one named mistake; 0 for none
    hand_in = "Send it by Monday."    # what the notebook says; there is a default

    [points]                     # where nothing is said: a task's minutes
    c5-tau = 10

    [[pools]]                    # drawn for each variant, by its number and the seed
    draw = 1
    objective = "gradients"
    use = "homework"

    [variants]
    count = 3
    seed = 7
    authors = { anna = 2 }       # who has which; else `grade` believes the notebook, and says so

For example:

    stbp-edu assign plan.toml week3 --dry-run
    stbp-edu assign plan.toml week3

OUT gets student/, teacher/ and rubric.md; with --flavour nbgrader or otter, source/ in place of
student/. With `checks = false`, as for an exam, the notebooks hold no calls of check(); the package
has the solutions, so that an exam wants machines without it.
Exit codes: 0 written, 2 the plan or OUT cannot be used; then nothing is written.
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from stbp_edu.practice.tasks import Task, objectives, tasks
from stbp_edu.teaching.class_report import many
from stbp_edu.teaching.notebooks import FLAVOURS, files_of
from stbp_edu.teaching.problem_set import ProblemSet, read_problem_set


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``assign``."""
    parser.add_argument("plan", nargs="?", type=Path, metavar="PLAN.toml", help="what is asked")
    parser.add_argument("out", nargs="?", type=Path, metavar="OUT", help="a folder to be made")
    parser.add_argument("--flavour", choices=FLAVOURS, default="plain", help="who grades it")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written")
    parser.add_argument("--list", action="store_true", help="list the tasks by objective")


def run(args: argparse.Namespace) -> int:
    """Write the problem set, or say what would be written."""
    if args.list:
        print("\n".join(listed()))
        return 0
    if args.plan is None or args.out is None:
        raise ValueError("assign needs PLAN.toml and OUT; see stbp-edu assign --help")
    problem_set = read_problem_set(args.plan)
    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
        raise ValueError(f"OUT must be a new or empty folder, got {args.out}; choose another")
    files = files_of(problem_set, args.flavour)
    print("\n".join(summary(problem_set)))
    if not args.dry_run:
        write_folder(args.out, files)
    for path, _ in files:
        print(f"{'would write' if args.dry_run else 'wrote'} {args.out / path}")
    return 0


def write_folder(out: Path, files: Sequence[tuple[Path, str]]) -> None:
    """Write a folder whole, or not at all."""
    beside = out.absolute().with_name(f".{out.absolute().name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        for path, text in files:
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            (beside / path).write_text(text, encoding="utf-8")
        if out.exists():
            out.rmdir()
        beside.replace(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def summary(problem_set: ProblemSet) -> list[str]:
    """Return the tasks of each variant, with points and minutes, a line each."""
    lines = [problem_set.title]
    for variant in range(1, problem_set.count + 1):
        chosen = [tasks()[id_] for id_ in problem_set.tasks_of(variant)]
        points = sum(problem_set.points_of(task.id) for task in chosen)
        minutes = sum(task.minutes for task in chosen)
        which = f"variant {variant}: " if problem_set.count > 1 else ""
        lines.append(
            f"{which}{many(len(chosen), 'task')}, {points:g} points, about {minutes} minutes"
        )
        lines += [_line(f"{problem_set.points_of(task.id):5g}", task) for task in chosen]
    return lines


def listed() -> list[str]:
    """Return every task under its objective."""
    lines = []
    for id_, sentence in objectives().items():
        lines.append(f"{id_}: {sentence}")
        lines += [_line(f"{t.use:8}", t) for t in tasks().values() if t.objective == id_]
    return lines


def _line(first: str, task: Task) -> str:
    return f"  {first}  {task.minutes:3} min  {task.id}: {task.title}"
