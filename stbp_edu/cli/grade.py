"""Grade the submissions in a folder, and say which mistakes the class made.

FOLDER holds notebooks, one for each student: anna.ipynb, or anna/anything.ipynb; and files of
progress (*.json), shown as what students report themselves, without points. What else is there is
listed as not judged, and so is a notebook of another problem set. For example:

    stbp-edu grade submissions --plan plan.toml --out week3-graded

OUT gets grades.csv (points), answers.csv (every answer: state, mistakes, what check says), a file
for each student in feedback/, and mistakes.html, which ends with the three misconceptions to
discuss. A wrong answer with one named mistake gets the plan's share of the points, `partial`.

Of a notebook nothing is run but what a task's answer needs, and nothing that it says or shows is
believed but its variant, where the plan's table `authors` does not say it. Each answer runs in a
process of its own that has NumPy alone and not what is right, with limits on time and memory;
files, other processes, the network and this package are refused. macOS does not limit memory. An
answer that breaks Python itself (through a fault in NumPy, say) could read what you can read: if
you fear that, grade in a container. For root, answers run as a user that owns nothing.

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
from stbp_edu.teaching import class_report, texts
from stbp_edu.teaching.judge import Limits
from stbp_edu.teaching.marking import Submission, found_in, graded
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
    parser.add_argument("--force", action="store_true", help="replace older reports in OUT")
    parser.add_argument("--dry-run", action="store_true", help="list what would be graded")


def run(args: argparse.Namespace) -> int:
    """Grade the submissions, write the reports, and say what to discuss."""
    plan = read_problem_set(args.plan)
    files = found_in(args.folder)
    limits = Limits(
        checks.number("seconds", args.seconds, positive=True),
        checks.count("memory", args.memory, at_least=LEAST_MEMORY),
    )
    count = (os.cpu_count() or 1) if args.processes is None else args.processes
    processes = checks.count("processes", count)
    if args.dry_run:
        for path, author in files.items():
            print(texts.encodable(f"would grade {path}, of {author}"))
        return 0
    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())) and not args.force:
        raise ValueError(f"OUT must be new or empty, got {args.out}; choose another, or --force")
    if sys.platform == "win32":
        raise OSError("grade needs the limits of Linux or macOS; on Windows, run it under WSL")
    seldom = 0.1 if sys.stderr.isatty() else 10.0  # seconds between two lines of progress
    jobs = graded(plan, args.folder, limits, processes)
    submissions = list(tqdm(jobs, total=len(files), unit="file", mininterval=seldom))
    lost = write_reports(args.out, plan, submissions, args.site)
    verdicts = [v for s in submissions if not s.reported for v in s.verdicts]
    topics = class_report.topics(submissions)[: class_report.DISCUSSED]
    said = texts.filled(
        "graded.txt", out=args.out, lost=lost, submissions=submissions, verdicts=verdicts,
        topics=topics, library=misconceptions(),
    )  # fmt: skip
    print(texts.encodable(said), end="")
    return int(any(s.problem for s in submissions) or bool(lost))


def write_reports(
    out: Path, plan: ProblemSet, submissions: list[Submission], site: str
) -> list[str]:
    """Write the reports in place of older ones, and return what of them could not be written."""
    reports = {
        "grades.csv": class_report.grades_csv(plan, submissions),
        "answers.csv": class_report.answers_csv(submissions),
        "mistakes.html": class_report.page(plan, submissions, site),
    }
    for old in filter(Path.is_file, (out / "feedback").rglob("*.md")):
        old.unlink()
    for s in submissions:
        if s.verdicts and not s.reported:
            reports[f"feedback/{s.file.removesuffix('.ipynb')}.md"] = class_report.feedback(plan, s)
    lost = []
    for name, text in reports.items():
        try:
            write_text(out / name, texts.encodable(text))
        except (OSError, ValueError) as error:
            lost.append(f"{name}: {error}")
    return lost
