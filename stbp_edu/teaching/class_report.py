"""What a class handed in: all files of a folder, each judged, and what they say together.

A notebook is judged by a process of its own; a file of progress is its author's word. Of all these
there are two tables, a page "The mistakes of the class", and a text for each student.
"""

import csv
import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.saved_progress import Attempts, read_progress
from stbp_edu.practice.tasks import Task, course_table, misconceptions, tasks
from stbp_edu.teaching.judge import Limits
from stbp_edu.teaching.notebooks import LARGEST, filled, read_notebook
from stbp_edu.teaching.problem_set import ProblemSet

PATIENCE = 90.0  # seconds for the search for what is wrong, on a busy machine
ENDED = "its judge has ended before its time"
DISCUSSED = 3
"""How many misconceptions the page ends with."""
STATES = {
    "right": "right",
    "wrong": "wrong",
    "todo": "not attempted",
    "stopped": "stopped at a limit",
}


@dataclass(frozen=True)
class Submission:
    """What is found of one file.

    Attributes:
        author: the folder that it stands in, or its own name.
        file: its path in the folder of submissions.
        verdicts: one for each task of its variant.
        variant: the one that its author has.
        reported: whether it is a file of progress, whose states are its author's word.
        problem: why nothing of it could be judged, or an empty string.
        remark: what the teacher should look at, or an empty string.
    """

    author: str
    file: str
    verdicts: tuple[Feedback, ...] = ()
    variant: int = 1
    reported: bool = False
    problem: str = ""
    remark: str = ""


def found_in(folder: Path) -> dict[Path, str]:
    """Return the submitted files with their authors; nothing is read through a link.

    Raises:
        ValueError: if there are none.
    """
    if not folder.is_dir():
        raise ValueError(
            f"FOLDER must be a folder of submissions, got {folder}; check the path"
        )
    found = {}
    for path in sorted(folder.rglob("*")):
        top, *below = path.relative_to(folder).parts
        hidden = any(part.startswith((".", "__MACOSX")) for part in (top, *below))
        if (path.is_symlink() or path.is_file()) and not hidden:
            found[path] = top if below else path.stem
    if not any(p.suffix in (".ipynb", ".json") for p in found):
        raise ValueError(
            f"{folder} must hold notebooks or files of progress, and has none"
        )
    return found


def graded(
    problem_set: ProblemSet, folder: Path, limits: Limits, processes: int
) -> Iterator[Submission]:
    """Yield each submission when it is judged, so many at a time."""
    files = found_in(folder)
    books = Counter(author for path, author in files.items() if path.suffix == ".ipynb")
    seen: dict[bytes, Path] = {}

    def one(path: Path) -> Submission:
        author, reported, problem = files[path], path.suffix == ".json", problems[path]
        several = books[author] > 1 and not reported
        remark = f"one of {books[author]} notebooks of {author}" if several else ""
        name = str(path.relative_to(folder))
        found = Submission(
            author, name, reported=reported, problem=problem, remark=remark
        )
        try:
            if reported and not problem:
                return replace(found, verdicts=tuple(_reported(path, problem_set)))
            return found if problem else _judged(found, path, problem_set, limits)
        except (OSError, ValueError) as error:
            return replace(found, problem=str(error))

    problems = {path: _unread(path, seen) for path in files}
    with ThreadPoolExecutor(processes) as pool:
        yield from pool.map(one, files)


def _unread(path: Path, seen: dict[bytes, Path]) -> str:
    """Return why a file is not read, or an empty string; ``seen`` has the files of progress."""
    if path.is_symlink() or path.suffix not in (".ipynb", ".json"):
        kind = (
            "a link"
            if path.is_symlink()
            else f"a file {path.suffix or 'without an ending'}"
        )
        return f"it is {kind}, no notebook (.ipynb); ask for that"
    if path.stat().st_size > LARGEST:
        return (
            f"it has more than {LARGEST // 2**20} MB: neither a notebook nor progress"
        )
    if (
        path.suffix == ".json"
        and (first := seen.setdefault(path.read_bytes(), path)) != path
    ):
        return f"it is the same file of progress as {first.parent.name}/{first.name}"
    return ""


def _judged(
    found: Submission, notebook: Path, problem_set: ProblemSet, limits: Limits
) -> Submission:
    """Return what a process that judges a notebook could say of it."""
    variant, remark = problem_set.variant_of(found.author, read_notebook(notebook)[1])
    ids = problem_set.tasks_of(variant)
    command = [sys.executable, "-P", "-m", "stbp_edu.teaching.judge", str(notebook)]
    wall = "unsafe" if limits.unsafe else "walled"
    numbers = [f"{limits.seconds:g}", str(limits.memory), wall]
    longest = len(ids) * (limits.seconds + PATIENCE)
    try:
        done = subprocess.run(
            [*command, *numbers, *ids],
            capture_output=True,
            timeout=longest,
            check=False,
        )
        text = done.stdout
    except subprocess.TimeoutExpired as error:
        text = error.stdout or b""
    whole = [Feedback(*json.loads(line)) for line in text.split(b"\n")[:-1]]
    known = {verdict.exercise: verdict for verdict in whole}
    verdicts = (known.get(id_, Feedback(id_, "stopped", (ENDED,))) for id_ in ids)
    remark = "; ".join(filter(None, (remark, found.remark)))
    return replace(found, verdicts=tuple(verdicts), variant=variant, remark=remark)


def _reported(path: Path, problem_set: ProblemSet) -> Iterator[Feedback]:
    """Yield what a file of progress says of the tasks of the problem set."""
    progress = read_progress(path)
    for id_ in problem_set.every_task():
        made = progress.history.get(id_, Attempts()).mistakes
        known = tuple(m for m in sorted(made) if m in misconceptions())
        yield Feedback(id_, progress.states.get(id_, "todo"), mistakes=known)


@dataclass(frozen=True)
class Topic:
    """A misconception to discuss: how many students have it, and in which tasks."""

    id: str
    students: int
    where: Sequence[Task]


def topics(submissions: Iterable[Submission]) -> list[Topic]:
    """Return the few misconceptions that explain most wrong answers, the most frequent first.

    One that gives the same numbers as a more frequent one is not counted again. Judged answers
    alone are counted, not what students report themselves.
    """
    judged = (s for s in submissions if not s.reported)
    left = [
        (s.author, v)
        for s in judged
        for v in s.verdicts
        if v.state != "right" and v.mistakes
    ]
    found = []
    while left:
        pairs = {(author, id_) for author, v in left for id_ in v.mistakes}
        counts = Counter(id_ for _, id_ in pairs)
        best = max(misconceptions(), key=counts.__getitem__)
        if not counts[best]:
            break
        asked = {v.exercise for _, v in left if best in v.mistakes}
        found.append(
            Topic(best, counts[best], [t for t in tasks().values() if t.id in asked])
        )
        left = [(author, v) for author, v in left if best not in v.mistakes]
    return sorted(found, key=lambda topic: -topic.students)[:DISCUSSED]


def grades_csv(problem_set: ProblemSet, submissions: Iterable[Submission]) -> str:
    """Return the points of each judged notebook, a line each."""
    ids = problem_set.every_task()
    rows = [["author", "file", "variant", *ids, "total", "of", "problem", "remark"]]
    for s in submissions:
        if not s.reported:
            earned = {v.exercise: problem_set.earned(v) for v in s.verdicts}
            cells = [f"{earned[id_]:g}" if id_ in earned else "" for id_ in ids]
            total, most = sum(earned.values()), sum(map(problem_set.points_of, earned))
            head = [s.author, s.file, str(s.variant)]
            rows.append([*head, *cells, f"{total:g}", f"{most:g}", s.problem, s.remark])
    return _csv(rows)


def answers_csv(submissions: Iterable[Submission]) -> str:
    """Return the verdict on each answer, a line each."""
    rows = [["author", "file", "task", "state", "mistakes", "by", "message"]]
    for s in submissions:
        by = "the student's own report" if s.reported else "the judge"
        rows += [
            [
                s.author,
                s.file,
                v.exercise,
                v.state,
                " ".join(v.mistakes),
                by,
                " ".join(v.message),
            ]
            for v in s.verdicts
        ]
    return _csv(rows)


def _csv(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV; a text that a spreadsheet would compute is quoted."""
    text = io.StringIO()
    harmless = [
        [f"'{c}" if c[:1] in tuple("=+-@\t\r") else c for c in row] for row in rows
    ]
    csv.writer(text, lineterminator="\n").writerows(harmless)
    return text.getvalue()


def feedback(problem_set: ProblemSet, submission: Submission) -> str:
    """Return what the author of a judged notebook is told, in Markdown."""
    verdicts = submission.verdicts
    return filled(
        "feedback.md", plan=problem_set, author=submission.author, verdicts=verdicts, tasks=tasks(),
        states=STATES, total=sum(map(problem_set.earned, verdicts)),
        most=sum(problem_set.points_of(v.exercise) for v in verdicts),
    )  # fmt: skip


def page(
    problem_set: ProblemSet, submissions: Sequence[Submission], site: str = ""
) -> str:
    """Return the page as HTML: each task's mistakes, and what to discuss.

    Args:
        problem_set: what was asked.
        submissions: what came back.
        site: address of the course's site, for links to the lessons; "" names them only.
    """
    return filled(
        "mistakes.html", plan=problem_set, submissions=submissions, site=site, states=STATES,
        asked=[_found(tasks()[id_], submissions) for id_ in problem_set.every_task()],
        topics=topics(submissions), library=misconceptions(),
        slugs=list(course_table()),
    )  # fmt: skip


def _found(task: Task, submissions: Sequence[Submission]) -> dict[str, Any]:
    """Return what was found of one task: its verdicts, who is wrong and why, and what is told."""
    answers = [(s, v) for s in submissions for v in s.verdicts if v.exercise == task.id]
    judged = [(s.author, v) for s, v in answers if not s.reported]
    right = {author for author, v in judged if v.state == "right"}
    library, why = misconceptions(), {m.id: m.why for m in task.mistakes}
    wrong: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for author, v in judged:
        if v.state != "right" and v.mistakes:
            names = tuple(library[m]["name"] for m in v.mistakes)
            reason = why.get(v.mistakes[0], library[v.mistakes[0]]["why"])
            wrong.setdefault((names, reason), []).append(author)
        elif v.state == "wrong":
            said = next(
                (m[m.find("It raises") :] for m in v.message if "It raises" in m), ""
            )
            wrong.setdefault(((), (said or v.message[0])[:200]), []).append(author)
    told = {(s.author, m) for s, v in answers if s.reported for m in v.mistakes}
    return {
        "task": task,
        "verdicts": [v for _, v in judged],
        "wrong": sorted(wrong.items(), key=lambda row: -len(row[1])),
        "told": Counter(
            m for author, m in sorted(told) if author not in right
        ).most_common(),
    }
