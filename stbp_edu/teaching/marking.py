"""All submissions of a folder: notebooks, each judged by a process, and files of progress."""

import contextlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stbp_edu.practice.saved_progress import Attempts, read_progress
from stbp_edu.practice.tasks.mistakes import misconceptions
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
        variant: which one it says it is of.
        reported: whether it is a file of progress, whose states are its author's word.
        problem: why nothing of it could be judged, or an empty string.
    """

    author: str
    file: str
    verdicts: tuple[Verdict, ...] = ()
    variant: int = 1
    reported: bool = False
    problem: str = ""


def found_in(folder: Path) -> dict[Path, str]:
    """Return the submitted files with their authors; links are left out.

    Raises:
        ValueError: if there are none.
    """
    if not folder.is_dir():
        raise ValueError(f"FOLDER must be a folder of submissions, got {folder}; check the path")
    paths = [p for kind in ("ipynb", "json") for p in sorted(folder.rglob(f"*.{kind}"))]
    paths = [p for p in paths if p.is_file() and not any(map(_left_out, _trail(p, folder)))]
    if not paths:
        raise ValueError(f"{folder} must hold notebooks or files of progress, and has none")
    tops = {p: _trail(p, folder)[-1].relative_to(folder) for p in paths}
    alike = Counter((top, p.suffix) for p, top in tops.items())
    named = {p: t if alike[t, p.suffix] == 1 else p.relative_to(folder) for p, t in tops.items()}
    return {p: str(a.with_suffix("") if a.suffix == p.suffix else a) for p, a in named.items()}


def _trail(path: Path, folder: Path) -> list[Path]:
    """Return a path and the folders around it, up to what stands in ``folder`` itself."""
    return [path, *(p for p in path.parents if folder in p.parents)]


def _left_out(path: Path) -> bool:
    return path.is_symlink() or path.name.startswith(".")


def graded(
    problem_set: ProblemSet, plan: Path, folder: Path, limits: Limits, processes: int
) -> Iterator[Submission]:
    """Yield each submission when it is judged, so many at a time."""
    files = found_in(folder)
    with ThreadPoolExecutor(processes) as pool:
        judge = {".json": _reported, ".ipynb": _judged}
        jobs = {pool.submit(judge[p.suffix], problem_set, plan, p, limits): p for p in files}
        for job in as_completed(jobs):
            path = jobs[job]
            variant, verdicts, problem = job.result()
            file, reported = str(path.relative_to(folder)), path.suffix == ".json"
            yield Submission(files[path], file, tuple(verdicts), variant, reported, problem)


Found = tuple[int, list[Verdict], str]


def _judged(problem_set: ProblemSet, plan: Path, notebook: Path, limits: Limits) -> Found:
    """Judge a notebook in a process of its own, and return what it could say."""
    numbers = [f"{limits.seconds:g}", str(limits.memory)]
    command = [sys.executable, "-P", "-m", "stbp_edu.teaching.judge", str(plan), str(notebook)]
    longest = len(problem_set.every_task()) * (limits.seconds + PATIENCE)
    try:
        done = subprocess.run(
            [*command, *numbers], capture_output=True, timeout=longest, check=False
        )
        text = done.stdout
    except subprocess.TimeoutExpired as error:
        text = error.stdout or b""
    lines = [*_whole(text.splitlines())] or [{"problem": ENDED}]
    variant = lines[0].get("variant", 1)
    if "problem" in lines[0]:
        return variant, [], lines[0]["problem"]
    found = {
        v["task"]: Verdict(v["task"], v["state"], tuple(v["mistakes"]), tuple(v["message"]))
        for v in lines[1:]
    }
    ids = problem_set.tasks_of(variant)
    return variant, [found.get(i, Verdict(i, "stopped", message=(ENDED,))) for i in ids], ""


def _whole(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the lines of JSON that a judge could write to their end."""
    for line in lines:
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def _reported(problem_set: ProblemSet, plan: Path, path: Path, limits: Limits) -> Found:
    """Return what a file of progress says of the tasks of the problem set."""
    try:
        progress = read_progress(path)
    except (OSError, ValueError) as error:
        return 1, [], str(error)
    verdicts = []
    for id_ in problem_set.every_task():
        made = progress.history.get(id_, Attempts()).mistakes
        known = tuple(m for m in sorted(made) if m in misconceptions())
        verdicts.append(Verdict(id_, progress.states.get(id_, "todo"), known))
    return 1, verdicts, ""
