"""A class of 40 for each week, with planted mistakes: does the report name them?

``python -m benchmarks.simulated_class`` prints a table. The mistakes are drawn from the catalogue,
a quarter of the wrong answers have two, and everything is written to a temporary folder.
"""

import argparse
import ast
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stbp_edu.practice.grading.pairs import merged, pairs_of, with_both
from stbp_edu.practice.tasks import Exercise, Task, misconceptions, tasks
from stbp_edu.teaching.class_report import topics
from stbp_edu.teaching.notebooks import code, name_of, notebook
from stbp_edu.teaching.problem_set import ProblemSet
from stbp_edu.teaching.student_function import Limits
from stbp_edu.teaching.submissions import Submission, graded
from tools.teach.weeks import weeks

STUDENTS, RIGHT, DOUBLE = 40, 0.45, 0.25


@dataclass
class Count:
    """What was planted in a week, and what of it the report says."""

    right: int = 0
    right_called_wrong: int = 0
    planted: int = 0
    named: int = 0
    doubles: int = 0
    doubles_named: int = 0
    wrong_called_right: int = 0
    most_frequent: list[str] = field(default_factory=list)
    discussed: list[str] = field(default_factory=list)


def renamed(task: Exercise, source: str) -> str:
    """Return a function's source under the name that its answer has in a notebook."""
    return f"def {name_of(task)}({source.partition('(')[2]}"


def drawn_answer(task: Task, rng: np.random.Generator) -> tuple[str, tuple[str, ...]]:
    """Return an answer as a student's cell has it, and the mistakes that are planted in it."""
    if rng.random() < RIGHT:
        return code(task), ()
    if rng.random() < DOUBLE:
        pairs = list(pairs_of(task.mistakes))
        for k in rng.permutation(len(pairs)):
            one, other = pairs[k]
            if isinstance(task, Exercise):
                source = with_both(task, one, other)
                if source:
                    return renamed(task, source), (one.id, other.id)
            else:
                text = merged(task.solution, one.body, other.body)
                if text and is_formula(text):
                    return code(task, text), (one.id, other.id)
    mistake = task.mistakes[int(rng.integers(len(task.mistakes)))]
    return code(task, mistake.body), (mistake.id,)


def is_formula(text: str) -> bool:
    """Return whether a text can be read."""
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def write_class(
    plan: ProblemSet, folder: Path, rng: np.random.Generator
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Write the notebooks of a class; return what is planted, by student and task."""
    planted = {}
    for k in range(STUDENTS):
        author = f"student{k:02}"
        book = json.loads(notebook(plan, 1, "student"))
        cells = {cell["id"]: cell for cell in book["cells"]}
        for id_ in plan.tasks_of(1):
            task = tasks()[id_]
            answer, mistakes = drawn_answer(task, rng)
            cells[f"{name_of(task)}-answer"]["source"] = answer
            planted[author, id_] = mistakes
        (folder / f"{author}.ipynb").write_text(json.dumps(book), encoding="utf-8")
    return planted


def counted(
    planted: dict[tuple[str, str], tuple[str, ...]], submissions: Sequence[Submission]
) -> Count:
    """Return how the report agrees with what was planted."""
    found = Count()
    ideas = set[tuple[str, str]]()
    for s in submissions:
        for verdict in s.verdicts:
            mistakes = planted[s.author, verdict.exercise]
            ideas |= {(mistake, s.author) for mistake in mistakes}
            if not mistakes:
                found.right += 1
                found.right_called_wrong += verdict.state != "right"
                continue
            if verdict.state == "right":
                found.wrong_called_right += 1
            is_named = set(mistakes) <= set(verdict.mistakes)
            found.planted += 1
            found.named += is_named
            if len(mistakes) == 2:
                found.doubles += 1
                found.doubles_named += is_named
    students = Counter(mistake for mistake, _ in ideas)
    top = [misconceptions()[m]["name"] for m, _ in students.most_common(3)]
    found.most_frequent = top
    found.discussed = [topic.name for topic in topics(submissions, tasks())]
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--weeks", type=int, nargs="+", default=range(1, 7))
    parser.add_argument("--seed", type=int, default=44)
    parser.add_argument("--unsafe", action="store_true", help="without the wall")
    options = parser.parse_args()
    limits = Limits(seconds=30, unsafe=options.unsafe)
    head = "week  right (wrong)  planted  named  doubles  named  called right  in the three"
    print(head)
    for week in weeks():
        if week.number not in options.weeks:
            continue
        plan = ProblemSet(f"Week {week.number}", [task.id for task in week.homework])
        rng = np.random.default_rng([options.seed, week.number])
        with tempfile.TemporaryDirectory() as folder:
            planted = write_class(plan, Path(folder), rng)
            jobs = graded(plan, Path(folder), limits, os.cpu_count() or 1)
            found = counted(planted, list(jobs))
        in_three = len(set(found.most_frequent) & set(found.discussed))
        right = f"{found.right} ({found.right_called_wrong})"
        print(
            f"{week.number:4}  {right:13}  {found.planted:7}  {found.named:5}  "
            f"{found.doubles:7}  {found.doubles_named:5}  {found.wrong_called_right:12}  "
            f"{in_three} of {len(found.most_frequent)}"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
