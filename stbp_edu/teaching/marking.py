"""All submissions of a folder: notebooks, each judged by a process, and files of progress."""

import contextlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stbp_edu.practice.saved_progress import Attempts, read_progress
from stbp_edu.practice.tasks.mistakes import misconceptions
from stbp_edu.teaching.answers import LARGEST
from stbp_edu.teaching.judge import Limits, Verdict
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
    verdicts: tuple[Verdict, ...] = ()
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
    paths = [p for p in sorted(folder.rglob("*")) if _handed_in(*_trail(p, folder))]
    if not any(p.suffix in JUDGES for p in paths):
        raise ValueError(f"{folder} must hold notebooks or files of progress, and has none")
    tops = {p: _trail(p, folder)[-1].relative_to(folder) for p in paths}
    alike = Counter((top, p.suffix) for p, top in tops.items())
    named = {p: t if alike[t, p.suffix] == 1 else p.relative_to(folder) for p, t in tops.items()}
    return {p: str(a.with_suffix("") if a.suffix == p.suffix else a) for p, a in named.items()}


def _trail(path: Path, folder: Path) -> list[Path]:
    """Return a path and the folders around it, up to what stands in ``folder`` itself."""
    return [path, *(p for p in path.parents if folder in p.parents)]


def _handed_in(path: Path, *around: Path) -> bool:
    """Return whether a path is a file or a link, in no hidden folder and under no link."""
    hidden = any(p.name.startswith((".", "__MACOSX")) for p in (path, *around))
    linked = any(p.is_symlink() for p in around)
    return (path.is_symlink() or path.is_file()) and not hidden and not linked


def graded(
    problem_set: ProblemSet, plan: Path, folder: Path, limits: Limits, processes: int
) -> Iterator[Submission]:
    """Yield each submission when it is judged, so many at a time."""
    files = found_in(folder)
    books = Counter(_who(a) for p, a in files.items() if p.suffix == ".ipynb")
    seen: set[tuple[str, bytes]] = set()
    with ThreadPoolExecutor(processes) as pool:
        jobs = {}
        for path, author in files.items():
            file = str(path.relative_to(folder))
            if problem := _unread(path, _who(author), seen):
                odd = Submission(author, file, reported=path.suffix == ".json", problem=problem)
                yield _encodable(odd)
            else:
                arguments = problem_set, plan, path, author, limits
                jobs[pool.submit(JUDGES[path.suffix], *arguments)] = file
        for job in as_completed(jobs):
            found = replace(job.result(), file=jobs[job])
            several = books[_who(found.author)]
            if several > 1 and not found.reported:
                more = f"one of {several} notebooks of {_who(found.author)}"
                found = replace(found, remark="; ".join(filter(None, (found.remark, more))))
            yield _encodable(found)


def encodable(text: str) -> str:
    """Return a text that UTF-8 can hold: an answer may raise, and a name may be, what it cannot."""
    return text.encode(errors="backslashreplace").decode()


def _encodable(found: Submission) -> Submission:
    """Return a submission whose texts can all be written."""
    verdicts = (replace(v, message=tuple(map(encodable, v.message))) for v in found.verdicts)
    texts = (found.author, found.file, found.problem, found.remark)
    author, file, problem, remark = map(encodable, texts)
    return Submission(author, file, tuple(verdicts), found.variant, found.reported, problem, remark)


def _who(author: str) -> str:
    """Return the folder that an author's files stand in."""
    return author.partition("/")[0]


def _unread(path: Path, who: str, seen: set[tuple[str, bytes]]) -> str:
    """Return why a file is not read, or an empty string; ``seen`` has the files of progress."""
    if path.is_symlink() or path.suffix not in JUDGES:
        kind = "a link" if path.is_symlink() else f"a file {path.suffix or 'without an ending'}"
        return f"it is {kind}, no notebook (.ipynb); ask for that"
    if path.stat().st_size > LARGEST:
        return f"it has more than {LARGEST // 2**20} MB: neither a notebook nor progress"
    if path.suffix == ".json":
        known = (who, path.read_bytes()) in seen
        seen.add((who, path.read_bytes()))
        return "the same file of progress came twice" if known else ""
    return ""


def _judged(
    problem_set: ProblemSet, plan: Path, notebook: Path, author: str, limits: Limits
) -> Submission:
    """Judge a notebook in a process of its own, and return what it could say."""
    command = [sys.executable, "-P", "-m", "stbp_edu.teaching.judge", str(plan), str(notebook)]
    numbers = [author, f"{limits.seconds:g}", str(limits.memory)]
    longest = len(problem_set.every_task()) * (limits.seconds + PATIENCE)
    try:
        done = subprocess.run(
            [*command, *numbers], capture_output=True, timeout=longest, check=False
        )
        text = done.stdout
    except subprocess.TimeoutExpired as error:
        text = error.stdout or b""
    lines = [*_whole(text.splitlines())] or [{"problem": ENDED}]
    if "problem" in lines[0]:
        return Submission(author, "", problem=lines[0]["problem"])
    found = {
        v["task"]: Verdict(v["task"], v["state"], tuple(v["mistakes"]), tuple(v["message"]))
        for v in lines[1:]
    }
    ids = problem_set.tasks_of(lines[0]["variant"])
    verdicts = tuple(found.get(i, Verdict(i, "stopped", message=(ENDED,))) for i in ids)
    return Submission(author, "", verdicts, lines[0]["variant"], remark=lines[0]["remark"])


def _whole(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the lines of JSON that a judge could write to their end."""
    for line in lines:
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def _reported(
    problem_set: ProblemSet, plan: Path, path: Path, author: str, limits: Limits
) -> Submission:
    """Return what a file of progress says of the tasks of the problem set."""
    try:
        progress = read_progress(path)
    except (OSError, ValueError) as error:
        return Submission(author, "", reported=True, problem=str(error))
    verdicts = []
    for id_ in problem_set.every_task():
        made = progress.history.get(id_, Attempts()).mistakes
        known = tuple(m for m in sorted(made) if m in misconceptions())
        verdicts.append(Verdict(id_, progress.states.get(id_, "todo"), known))
    return Submission(author, "", tuple(verdicts), reported=True)


JUDGES = {".json": _reported, ".ipynb": _judged}
"""What is called for a file, by its ending."""
