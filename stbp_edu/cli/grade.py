"""Grade the submissions in a folder, and say which mistakes the class made.

FOLDER holds notebooks, one for each student: anna.ipynb, or anna/anything.ipynb; and files of
progress (*.json), which count as what students report themselves, and give no points.

For example:

    stbp-edu grade submissions --plan plan.toml --out week3-graded

OUT gets grades.csv (points), answers.csv (every answer: state, mistakes, what check says) and
mistakes.html, which ends with the three misconceptions to discuss.

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
from stbp_edu.teaching.marking import Submission, found_in, graded
from stbp_edu.teaching.problem_set import read_problem_set

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
        print("\n".join(f"would grade {path}, of {author}" for path, author in files.items()))
        return 0
    if sys.platform == "win32":
        raise OSError("grade needs the limits of Linux or macOS; on Windows, run it under WSL")
    jobs = graded(problem_set, args.plan, args.folder, limits, processes)
    shown = tqdm(jobs, total=len(files), unit="file", disable=not sys.stderr.isatty())
    submissions = sorted(shown, key=lambda submission: submission.file)
    for name, text in {
        "grades.csv": class_report.grades_csv(problem_set, submissions),
        "answers.csv": class_report.answers_csv(submissions),
        "mistakes.html": class_report.page(problem_set, submissions, args.site),
    }.items():
        write_text(args.out / name, text)
        print(f"wrote {args.out / name}")
    print("\n".join(said(submissions)))
    return int(any(s.problem for s in submissions))


def said(submissions: list[Submission]) -> list[str]:
    """Return how many answers are right, what could not be judged, and what to discuss."""
    verdicts = [v for s in submissions if not s.reported for v in s.verdicts]
    right = sum(v.state == "right" for v in verdicts)
    lines = [f"{right} of {len(verdicts)} answers are right."]
    lines += [f"not judged: {s.file}: {s.problem}" for s in submissions if s.problem]
    for topic in class_report.topics(submissions)[: class_report.DISCUSSED]:
        name, asked = misconceptions()[topic.id]["name"], ", ".join(topic.tasks)
        lines.append(f"to discuss: {name} ({topic.students} students, in {asked})")
    return lines
