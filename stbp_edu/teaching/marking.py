"""All submissions of a folder: notebooks, each judged by a process, and files of progress."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.saved_progress import Attempts, read_progress
from stbp_edu.practice.tasks.mistakes import misconceptions
from stbp_edu.teaching.answers import LARGEST, read_notebook
from stbp_edu.teaching.judge import Limits
from stbp_edu.teaching.problem_set import ProblemSet

PATIENCE = 90.0  # seconds for the search for what is wrong, on a busy machine
ENDED = "its judge has ended before its time"


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
        raise ValueError(f"FOLDER must be a folder of submissions, got {folder}; check the path")
    found = {}
    for path in sorted(folder.rglob("*")):
        top, *below = path.relative_to(folder).parts
        hidden = any(part.startswith((".", "__MACOSX")) for part in (top, *below))
        if (path.is_symlink() or path.is_file()) and not hidden:
            found[path] = top if below else path.stem
    if not any(p.suffix in (".ipynb", ".json") for p in found):
        raise ValueError(f"{folder} must hold notebooks or files of progress, and has none")
    return found


def graded(
    problem_set: ProblemSet, folder: Path, limits: Limits, processes: int
) -> Iterator[Submission]:
    """Yield each submission when it is judged, so many at a time."""
    files = found_in(folder)
    books = Counter(author for path, author in files.items() if path.suffix == ".ipynb")
    seen: dict[bytes, Path] = {}

    def one(path: Path) -> Submission:
        found = Submission(files[path], str(path.relative_to(folder)))
        if path in problems:
            return replace(found, reported=path.suffix == ".json", problem=problems[path])
        if path.suffix == ".json":
            return _reported(found, path, problem_set)
        found = _judged(found, path, problem_set, limits)
        several = books[found.author]
        more = f"one of {several} notebooks of {found.author}" if several > 1 else ""
        return replace(found, remark="; ".join(filter(None, (found.remark, more))))

    problems = {path: why for path in files if (why := _unread(path, seen))}
    with ThreadPoolExecutor(processes) as pool:
        yield from pool.map(one, files)


def _unread(path: Path, seen: dict[bytes, Path]) -> str:
    """Return why a file is not read, or an empty string; ``seen`` has the files of progress."""
    if path.is_symlink() or path.suffix not in (".ipynb", ".json"):
        kind = "a link" if path.is_symlink() else f"a file {path.suffix or 'without an ending'}"
        return f"it is {kind}, no notebook (.ipynb); ask for that"
    if path.stat().st_size > LARGEST:
        return f"it has more than {LARGEST // 2**20} MB: neither a notebook nor progress"
    if path.suffix == ".json" and (first := seen.setdefault(path.read_bytes(), path)) != path:
        return f"it is the same file of progress as {first.parent.name}/{first.name}"
    return ""


def _judged(
    found: Submission, notebook: Path, problem_set: ProblemSet, limits: Limits
) -> Submission:
    """Return what a process that judges a notebook could say of it."""
    try:
        _, told = read_notebook(notebook)
        variant, remark = problem_set.variant_of(found.author, told)
        ids = problem_set.tasks_of(variant)
    except (OSError, ValueError) as error:
        return replace(found, problem=str(error))
    command = [sys.executable, "-P", "-m", "stbp_edu.teaching.judge", str(notebook)]
    numbers = [f"{limits.seconds:g}", str(limits.memory)]
    longest = len(ids) * (limits.seconds + PATIENCE)
    try:
        done = subprocess.run(
            [*command, *numbers, *ids], capture_output=True, timeout=longest, check=False
        )
        text = done.stdout
    except subprocess.TimeoutExpired as error:
        text = error.stdout or b""
    whole = [Feedback(*json.loads(line)) for line in text.split(b"\n")[:-1]]
    known = {verdict.exercise: verdict for verdict in whole}
    verdicts = (known.get(id_, Feedback(id_, "stopped", (ENDED,))) for id_ in ids)
    return replace(found, verdicts=tuple(verdicts), variant=variant, remark=remark)


def _reported(found: Submission, path: Path, problem_set: ProblemSet) -> Submission:
    """Return what a file of progress says of the tasks of the problem set."""
    try:
        progress = read_progress(path)
    except (OSError, ValueError) as error:
        return replace(found, reported=True, problem=str(error))
    verdicts = []
    for id_ in problem_set.every_task():
        made = progress.history.get(id_, Attempts()).mistakes
        known = tuple(m for m in sorted(made) if m in misconceptions())
        verdicts.append(Feedback(id_, progress.states.get(id_, "todo"), mistakes=known))
    return replace(found, verdicts=tuple(verdicts), reported=True)
