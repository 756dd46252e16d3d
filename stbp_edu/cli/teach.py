"""The commands for teachers: assign and grade."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from stbp_edu._support import checks
from stbp_edu._support.files import write_text
from stbp_edu.practice.tasks import misconceptions, objectives, tasks
from stbp_edu.teaching import class_report, gradebook, notebooks, wall
from stbp_edu.teaching.notebooks import FLAVOURS, files_of
from stbp_edu.teaching.own_tasks import faults, too_few
from stbp_edu.teaching.problem_set import ProblemSet, read_problem_set
from stbp_edu.teaching.roster import Student, read_roster
from stbp_edu.teaching.student_function import Limits
from stbp_edu.teaching.submissions import Submission, found_in, graded

LEAST_MEMORY = 256  # MB: Python with NumPy takes about 150


def assign_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``assign``."""
    parser.epilog = notebooks.filled("plan.toml")
    parser.add_argument(
        "plan", nargs="?", type=Path, metavar="PLAN.toml", help="the problem set"
    )
    parser.add_argument(
        "out", nargs="?", type=Path, metavar="OUT", help="a folder to be made"
    )
    parser.add_argument(
        "--flavour", choices=FLAVOURS, default="plain", help="who grades it"
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
    """Write a problem set: notebooks for students and teacher, and a rubric, from a plan.

    The plan is a TOML file; `stbp-edu assign --list` names the tasks that it may ask. For
    example:

        stbp-edu assign plan.toml week3 --dry-run
        stbp-edu assign plan.toml week3

    OUT gets student/, teacher/ and rubric.md; with --flavour nbgrader or otter, source/ in place of
    student/. With `checks = false`, as for an exam, the notebooks hold no calls of check(); the
    package has the solutions, so an exam needs machines without it.

    A plan may name a file of your own tasks, `tasks_from = "mine.toml"`; their solutions are on no
    page. --check tries each of them in every variant: its solution must be right, and each of its
    mistakes wrong and recognised.

    Exit codes: 0 written or sound, 1 a task is not sound, 2 the plan or OUT cannot be used; then
    nothing is written.
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
    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
        raise ValueError(
            f"OUT must be a new or empty folder, got {args.out}; choose another"
        )
    files = list(files_of(plan, args.flavour))
    if not args.dry_run:
        write_folder(args.out, files)
    drawn = [plan.tasks_of(k + 1) for k in range(plan.count)]
    library = plan.library()
    variants = [
        ([library[id_] for id_ in ids], sum(map(plan.points_of, ids))) for ids in drawn
    ]
    names = {"paths": [args.out / path for path, _ in files], "dry": args.dry_run}
    print(
        notebooks.filled("assigned.txt", plan=plan, variants=variants, **names), end=""
    )
    for warning in too_few(plan.own_tasks, plan.every_task(), plan.count):
        print(warning)
    return 0


def _tasks_checked(plan: ProblemSet) -> int:
    """Print what is wrong with the teacher's own tasks, and return the exit status."""
    if plan.own_tasks is None:
        raise ValueError(
            'the plan names no file of tasks; write tasks_from = "mine.toml"'
        )
    found = list(faults(plan.own_tasks, plan.count))
    for fault in found:
        print(fault)
    for warning in too_few(plan.own_tasks, plan.every_task(), plan.count):
        print(warning)
    if not found:
        variants = notebooks.many(plan.count, "variant")
        print(f"every solution is right and every mistake recognised, in {variants}")
    return 1 if found else 0


def write_folder(out: Path, files: Iterable[tuple[Path, str]]) -> None:
    """Write a folder whole, or not at all."""
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=out.absolute().parent, prefix=f".{out.name}."
    ) as part:
        whole = Path(part, "whole")
        for path, text in files:
            write_text(whole / path, text)
        if out.exists():
            out.rmdir()
        whole.replace(out)


def grade_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``grade``."""
    limits = Limits()
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the submissions")
    parser.add_argument(
        "--plan", type=Path, required=True, help="PLAN.toml of the problem set"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("graded"), help="folder of the reports"
    )
    parser.add_argument(
        "--roster",
        type=Path,
        metavar="CLASS.csv",
        help="the students: your own list, or an export of Moodle or Canvas",
    )
    parser.add_argument(
        "--absent-zero",
        action="store_true",
        help="0 instead of an empty cell for students who handed nothing in",
    )
    parser.add_argument(
        "--site", default="", help="address of the course's site, for links"
    )
    parser.add_argument(
        "--seconds", type=float, default=limits.seconds, help="for each answer"
    )
    parser.add_argument(
        "--memory", type=int, default=limits.memory, help="MB for each answer"
    )
    parser.add_argument(
        "--processes", type=int, help="notebooks at a time (as the cores allow)"
    )
    parser.add_argument(
        "--unsafe", action="store_true", help="run answers with your own rights"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace older reports in OUT"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="list what would be graded"
    )


def grade(args: argparse.Namespace) -> int:
    """Grade the submissions in a folder, and say which mistakes the class made.

    FOLDER holds notebooks, one for each student: anna.ipynb, or anna/anything.ipynb, or as Moodle
    and Canvas name what is downloaded from them; and files of progress (*.json), shown as what
    students report themselves, without points. Anything else is listed as not judged, and so is
    a notebook of another problem set. For example:

        stbp-edu grade submissions --plan plan.toml --out week3-graded

    OUT gets grades.csv (points), answers.csv (every answer: state, mistakes, what check says),
    a page for each student in feedback/, and mistakes.html, which ends with the three ideas to
    discuss. Of several notebooks of a student the one changed last counts. A wrong answer with
    one named mistake gets the plan's fraction of the points, `partial`, and one that is right but
    for a slip of the keyboard (a mistyped name, a missing colon) gets `slip`.

    A roster is a CSV file with one of the columns author, name, email and id, and perhaps
    section, or what Moodle or Canvas exports. Files are matched with it by any of these columns,
    in upper or lower case. With a roster, grades.csv has the absent too, and there are
    grades-moodle.csv and grades-canvas.csv, which these platforms import. If no file is of a
    student in it, grade does not start; if some are not, it names them and returns 1.

    A notebook's code is run from top to bottom for each task, and nothing that it says or shows
    is believed except its variant, where the plan's table `authors` does not give that. Answers
    run behind a wall, bubblewrap, where they have NumPy and Python's own modules, and reach no
    file of yours, no network and no other process; limits hold for time and memory. Where there
    is no bubblewrap, grade does not start, unless you write --unsafe: answers then run with your
    own rights, and can read, change and send whatever you can.

    Exit codes: 0 all is judged, 1 a file could not be judged or is of nobody in the roster,
    2 nothing could.
    """
    plan = read_problem_set(args.plan)
    roster = [] if args.roster is None else read_roster(args.roster)
    files = found_in(args.folder, roster)
    strangers = strangers_in(files, roster)
    if len(strangers) == len(files):
        raise ValueError(
            f"no file in FOLDER is of a student in {args.roster}: the first is "
            f"{strangers[0]!r}, and the first student is {roster[0]['author']!r}; name the files "
            "by a column of the roster"
        )
    limits = Limits(
        checks.number("seconds", args.seconds, positive=True),
        checks.count("memory", args.memory, at_least=LEAST_MEMORY),
        args.unsafe,
    )
    count = (os.cpu_count() or 1) if args.processes is None else args.processes
    processes = checks.count("processes", count)
    if args.dry_run:
        for path, author in files.items():
            print(notebooks.encodable(f"would grade {path}, of {author}"))
        return 0
    if (
        args.out.exists()
        and (not args.out.is_dir() or any(args.out.iterdir()))
        and not args.force
    ):
        raise ValueError(
            f"OUT must be new or empty, got {args.out}; choose another, or --force"
        )
    if sys.platform == "win32":
        raise OSError("grade needs Linux or macOS; on Windows, run it under WSL")
    if args.unsafe:
        print("answers run UNSAFE, with your own rights and without a wall")
    else:
        print(f"answers run behind a wall: {wall.tool()}")
    from tqdm import tqdm

    # Seconds between two lines of progress.
    seldom = 0.1 if sys.stderr.isatty() else 10.0
    jobs = graded(plan, args.folder, limits, processes, roster)
    submissions = list(tqdm(jobs, total=len(files), unit="file", mininterval=seldom))
    reports = reports_of(plan, submissions, args.site)
    if roster:
        absent = "0" if args.absent_zero else ""
        reports |= gradebook_files(plan, submissions, roster, absent)
    lost = write_reports(args.out, reports)
    verdicts = [v for s in submissions if not s.reported for v in s.verdicts]
    said = notebooks.filled(
        "graded.txt",
        out=args.out,
        names=[name for name in reports if "/" not in name],
        lost=lost,
        submissions=submissions,
        verdicts=verdicts,
        topics=class_report.topics(submissions, plan.library()),
    )
    print(notebooks.encodable(said), end="")
    for author in strangers:
        text = f"not in {args.roster}, so in no file for the import: {author}"
        print(notebooks.encodable(text), file=sys.stderr)
    is_all_judged = not any(s.problem for s in submissions)
    return 0 if is_all_judged and not lost and not strangers else 1


def strangers_in(files: Mapping[Path, str], roster: Sequence[Student]) -> list[str]:
    """Return the authors who are not in the roster; none where there is no roster."""
    if not roster:
        return []
    known = {student["author"] for student in roster}
    return [author for author in dict.fromkeys(files.values()) if author not in known]


def reports_of(
    plan: ProblemSet, submissions: list[Submission], site: str
) -> dict[str, str]:
    """Return the reports, by path in their folder."""
    reports = {
        "grades.csv": gradebook.grades_csv(plan, submissions),
        "answers.csv": class_report.answers_csv(submissions),
        "mistakes.html": class_report.page(plan, submissions, site),
    }
    for s in submissions:
        if s.verdicts and not s.reported:
            name = s.file.removesuffix(".ipynb")
            reports[f"feedback/{name}.html"] = class_report.feedback(plan, s, site)
    return reports


def gradebook_files(
    plan: ProblemSet,
    submissions: list[Submission],
    roster: Sequence[Student],
    absent: str,
) -> dict[str, str]:
    """Return the files with a line for each student of the roster."""
    return {
        "grades.csv": gradebook.grades_csv(plan, submissions, roster),
        "grades-moodle.csv": gradebook.moodle_csv(plan, submissions, roster, absent),
        "grades-canvas.csv": gradebook.canvas_csv(plan, submissions, roster, absent),
    }


def write_reports(out: Path, reports: Mapping[str, str]) -> list[str]:
    """Write the reports in place of older ones, and return which of them could not be written."""
    for old in filter(Path.is_file, (out / "feedback").rglob("*.html")):
        old.unlink()
    lost = []
    for name, text in reports.items():
        try:
            write_text(out / name, notebooks.encodable(text))
        except (OSError, ValueError) as error:
            lost.append(f"{name}: {error}")
    return lost
