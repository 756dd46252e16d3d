"""Grade the submissions in a folder, and say which mistakes the class made.

FOLDER holds notebooks, one for each student: anna.ipynb, or anna/anything.ipynb; and files of
progress (*.json), shown as what students report themselves, without points. What else is there is
listed as not judged, and so is a notebook of another problem set.

For example:

    stbp-edu grade submissions --plan plan.toml --out week3-graded

OUT gets grades.csv (points), answers.csv (every answer: state, mistakes, what check says), a file
for each student in feedback/, and mistakes.html, which ends with the three misconceptions to
discuss. A wrong answer with one named mistake gets the plan's share of the points, `partial`: half
where nothing is said. Where there are variants and the plan's table `authors` does not say who has
which, the notebook is believed, and the reports say so.

An answer is taken to be hostile. Of a notebook nothing is run but the statements that a task's
answer needs, each answer in a process of its own that has NumPy alone: what is right never enters
it. What it may take is limited (--seconds, --memory); files, other processes, the network and this
package are refused. On Linux the network is out of its reach as well where the system allows it.
What the system does not enforce: macOS does not limit memory; for a user who is not root, an answer
that breaks Python itself (through a fault in NumPy, say) could read what you can read. Whoever
fears that runs the command as root or in a container: answers then run as a user that owns nothing.

Exit codes: 0 all is judged, 1 a file could not be judged, 2 nothing could.
"""

import argparse
import os
import sys
from pathlib import Path

from tqdm import tqdm

from stbp_edu import checks
from stbp_edu.files import write_text
from stbp_edu.practice.tasks.mistakes import misconceptions
from stbp_edu.teaching import class_report
from stbp_edu.teaching.judge import Limits
from stbp_edu.teaching.marking import Submission, encodable, found_in, graded
from stbp_edu.teaching.problem_set import ProblemSet, read_problem_set

LEAST_MEMORY = 256  # MB: Python with NumPy takes about 150


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``grade``."""
    limits = Limits()
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="what was handed in")
    parser.add_argument("--plan", type=Path, required=True, help="PLAN.toml of the problem set")
    parser.add_argument("--out", type=Path, default=Path("graded"), help="folder of the reports")
    parser.add_argument("--site", default="", help="address of the course's site, for links")
    parser.add_argument("--seconds", type=float, default=limits.seconds, help="for each answer")
    parser.add_argument("--memory", type=int, default=limits.memory, help="MB for each answer")
    parser.add_argument("--processes", type=int, help="notebooks at a time (as the cores allow)")
    parser.add_argument("--force", action="store_true", help="write over older reports in OUT")
    parser.add_argument("--dry-run", action="store_true", help="list what would be graded")


def run(args: argparse.Namespace) -> int:
    """Grade the submissions, write the reports, and say what to discuss."""
    problem_set = read_problem_set(args.plan)
    files = found_in(args.folder)
    limits = Limits(
        checks.number("seconds", args.seconds, positive=True),
        checks.count("memory", args.memory, at_least=LEAST_MEMORY),
    )
    count = (os.cpu_count() or 1) if args.processes is None else args.processes
    processes = checks.count("processes", count)
    if args.dry_run:
        for path, author in files.items():
            print(encodable(f"would grade {path}, of {author}"))
        return 0
    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())) and not args.force:
        raise ValueError(f"OUT must be new or empty, got {args.out}; choose another, or --force")
    if sys.platform == "win32":
        raise OSError("grade needs the limits of Linux or macOS; on Windows, run it under WSL")
    jobs = graded(problem_set, args.plan, args.folder, limits, processes)
    seldom = 0.1 if sys.stderr.isatty() else 10.0  # seconds between two lines of progress
    shown = tqdm(jobs, total=len(files), unit="file", mininterval=seldom)
    submissions = sorted(shown, key=lambda submission: submission.file)
    for name, text in {
        "grades.csv": class_report.grades_csv(problem_set, submissions),
        "answers.csv": class_report.answers_csv(submissions),
        "mistakes.html": class_report.page(problem_set, submissions, args.site),
    }.items():
        write_text(args.out / name, text)
        print(f"wrote {args.out / name}")
    lost = unwritten(args.out / "feedback", problem_set, submissions)
    print("\n".join([*lost, *said(submissions)]))
    return int(any(s.problem for s in submissions) or bool(lost))


def unwritten(folder: Path, problem_set: ProblemSet, submissions: list[Submission]) -> list[str]:
    """Write what each student is told, and return which of it could not be written."""
    told = [s for s in submissions if s.verdicts and not s.reported]
    lost = []
    for s in told:
        try:
            path = (folder / s.file).with_suffix(".md")
            write_text(path, class_report.feedback(problem_set, s))
        except (OSError, ValueError) as error:
            lost.append(f"no feedback could be written for {s.file}: {error}")
    print(f"wrote {class_report.many(len(told) - len(lost), 'file')} in {folder}")
    return lost


def said(submissions: list[Submission]) -> list[str]:
    """Return how many answers are right, what could not be judged, and what to discuss."""
    verdicts = [v for s in submissions if not s.reported for v in s.verdicts]
    right = sum(v.state == "right" for v in verdicts)
    lines = [f"{right} of {len(verdicts)} answers are right."]
    lines += [f"not judged: {s.file}: {s.problem}" for s in submissions if s.problem]
    lines += [f"look at: {s.file}: {s.remark}" for s in submissions if s.remark]
    for topic in class_report.topics(submissions)[: class_report.DISCUSSED]:
        students = class_report.many(topic.students, "student")
        name, asked = misconceptions()[topic.id]["name"], ", ".join(topic.tasks)
        lines.append(f"to discuss: {name} ({students}, in {asked})")
    return lines
