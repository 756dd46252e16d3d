"""Write a problem set: notebooks for students and teacher, and a rubric, from a plan.

The plan is a TOML file; `stbp-edu assign --list` names the tasks that it may ask. For example:

    stbp-edu assign plan.toml week3 --dry-run
    stbp-edu assign plan.toml week3

OUT gets student/, teacher/ and rubric.md; with --flavour nbgrader or otter, source/ in place of
student/. With `checks = false`, as for an exam, the notebooks hold no calls of check(); the package
has the solutions, so that an exam wants machines without it.
Exit codes: 0 written, 2 the plan or OUT cannot be used; then nothing is written.
"""

import argparse
import tempfile
from collections.abc import Iterable
from pathlib import Path

from stbp_edu.files import write_text
from stbp_edu.practice.tasks import objectives, tasks
from stbp_edu.teaching import texts
from stbp_edu.teaching.notebooks import FLAVOURS, files_of
from stbp_edu.teaching.problem_set import read_problem_set


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``assign``."""
    parser.epilog = texts.filled("plan.toml")
    parser.add_argument("plan", nargs="?", type=Path, metavar="PLAN.toml", help="what is asked")
    parser.add_argument("out", nargs="?", type=Path, metavar="OUT", help="a folder to be made")
    parser.add_argument("--flavour", choices=FLAVOURS, default="plain", help="who grades it")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written")
    parser.add_argument("--list", action="store_true", help="list the tasks by objective")


def run(args: argparse.Namespace) -> int:
    """Write the problem set, or say what would be written."""
    if args.list:
        every = list(tasks().values())
        print(texts.filled("listed.txt", objectives=objectives(), tasks=every), end="")
        return 0
    if args.plan is None or args.out is None:
        raise ValueError("assign needs PLAN.toml and OUT; see stbp-edu assign --help")
    plan = read_problem_set(args.plan)
    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
        raise ValueError(f"OUT must be a new or empty folder, got {args.out}; choose another")
    files = list(files_of(plan, args.flavour))
    if not args.dry_run:
        write_folder(args.out, files)
    drawn = [plan.tasks_of(k + 1) for k in range(plan.count)]
    variants = [([tasks()[id_] for id_ in ids], sum(map(plan.points_of, ids))) for ids in drawn]
    names = {"paths": [args.out / path for path, _ in files], "dry": args.dry_run}
    print(texts.filled("assigned.txt", plan=plan, variants=variants, **names), end="")
    return 0


def write_folder(out: Path, files: Iterable[tuple[Path, str]]) -> None:
    """Write a folder whole, or not at all."""
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=f".{out.name}.") as part:
        whole = Path(part, "whole")
        for path, text in files:
            write_text(whole / path, text)
        if out.exists():
            out.rmdir()
        whole.replace(out)
