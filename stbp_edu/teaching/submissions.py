"""What a class handed in: the files of a folder, and the verdicts on each.

A notebook is graded by a process of its own. A file of progress says what its author reports.
Where an author has several notebooks, the latest counts.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.saved_progress import Attempts, read_progress
from stbp_edu.practice.tasks import misconceptions
from stbp_edu.teaching.notebooks import LARGEST, read_notebook
from stbp_edu.teaching.problem_set import ProblemSet
from stbp_edu.teaching.roster import Student, authors_of
from stbp_edu.teaching.student_function import Limits

PATIENCE = 90.0  # seconds for the search for what is wrong, on a busy machine
ODD = re.compile(
    r"os\.(?:_exit|kill|system|fork|popen)|subprocess|ctypes|_getframe"
    r"|^def check\b|^check *=(?!=)",
    re.M,
)
"""Code that no answer needs: it may try to get out, or to pass for right."""
ENDED = "its process has ended before its time"


@dataclass(frozen=True)
class Submission:
    """What is found of one file.

    Attributes:
        author: whose it is, as the roster, its folder or its own name says.
        file: its path in the folder of submissions.
        verdicts: one for each task of its variant.
        variant: the one that its author has.
        reported: whether it is a file of progress, whose states are its author's word.
        problem: why nothing of it is graded, or an empty string.
        remark: what the teacher should look at, or an empty string.
    """

    author: str
    file: str
    verdicts: tuple[Feedback, ...] = ()
    variant: int = 1
    reported: bool = False
    problem: str = ""
    remark: str = ""


def found_in(folder: Path, roster: Sequence[Student] = ()) -> dict[Path, str]:
    """Return the submitted files with their authors; nothing is read through a link.

    The author of a file is the student of the roster whom its name fits, or else as it says.

    Raises:
        ValueError: if there are none.
    """
    if not folder.is_dir():
        raise ValueError(
            f"FOLDER must be a folder of submissions, got {folder}; check the path"
        )
    inside = []
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        is_hidden = any(part.startswith((".", "__MACOSX")) for part in place.parts)
        is_file = path.is_symlink() or path.is_file()
        if is_file and not is_hidden:
            inside.append(place)
    if not any(place.suffix in (".ipynb", ".json") for place in inside):
        raise ValueError(
            f"{folder} must hold notebooks or files of progress, and has none"
        )
    authors = authors_of(inside, roster)
    return {folder / place: authors[place] for place in inside}


def is_of_another_set(path: Path, title: str) -> bool:
    """Return whether a file is a notebook that says it is of a problem set with another title."""
    if _why_not_read(path) or path.suffix != ".ipynb":
        return False
    try:
        return read_notebook(path)[1].get("title", title) != title
    except ValueError:
        return False


def latest(files: Mapping[Path, str]) -> dict[str, Path]:
    """Return the notebook that counts of each author: the one that was changed last."""
    found: dict[str, Path] = {}
    for path, author in files.items():
        if path.suffix != ".ipynb" or path.is_symlink():
            continue
        best = found.get(author, path)
        if path.stat().st_mtime >= best.stat().st_mtime:
            found[author] = path
    return found


def odd_in(notebook: Path) -> str:
    """Return a remark on code in a notebook that no answer needs, or an empty string."""
    cells, _ = read_notebook(notebook)
    found = {match.strip() for cell in cells for match in ODD.findall(cell)}
    if not found:
        return ""
    return f"look at its code: {', '.join(sorted(found))}"


def shared_variants(
    problem_set: ProblemSet, notebooks: Mapping[str, Path]
) -> dict[str, str]:
    """Return a remark on each author whose variant others have, where there is one for each.

    Where the plan does not say who has which, one of them may have copied the other's notebook.
    """
    if not 1 < len(notebooks) <= problem_set.count:
        return {}
    authors: dict[int, list[str]] = {}
    for author, path in notebooks.items():
        try:
            variant, _ = problem_set.variant_of(author, read_notebook(path)[1])
        except (OSError, ValueError):
            continue
        authors.setdefault(variant, []).append(author)
    found = {}
    for together in authors.values():
        for author in together:
            others = [other for other in together if other != author]
            if others:
                found[author] = f"the same variant as {', '.join(others)}"
    return found


def graded(
    problem_set: ProblemSet,
    folder: Path,
    limits: Limits,
    processes: int,
    roster: Sequence[Student] = (),
) -> Iterator[Submission]:
    """Yield each submission when it is graded, so many at a time.

    Where an author has a notebook of this set, those of other sets are left out: nbgrader keeps
    all sets of a student in one folder.
    """
    every = found_in(folder, roster)
    others = {p for p in every if is_of_another_set(p, problem_set.title)}
    counts = latest({p: author for p, author in every.items() if p not in others})
    files = {p: a for p, a in every.items() if p not in others or a not in counts}
    problems = {path: _why_not_read(path) for path in files}
    seen: dict[bytes, Path] = {}
    for path in files:
        if path.suffix == ".json" and not problems[path]:
            first = seen.setdefault(path.read_bytes(), path)
            if first != path:
                same = f"{first.parent.name}/{first.name}"
                problems[path] = f"it is the same file of progress as {same}"

    shared = shared_variants(problem_set, counts)

    def one(path: Path) -> Submission:
        author, is_report = files[path], path.suffix == ".json"
        file = str(path.relative_to(folder))
        found = Submission(author, file, reported=is_report, problem=problems[path])
        counted = counts.get(author, path)
        if path.suffix == ".ipynb" and counted != path:
            newer = counted.relative_to(folder)
            return replace(found, problem=f"a newer one counts, {newer}")
        if found.problem:
            return found
        try:
            if is_report:
                return replace(found, verdicts=tuple(_reported(path, problem_set)))
            judged = _judged(found, path, problem_set, limits)
            remarks = judged.remark, shared.get(author, ""), odd_in(path)
            said = [remark for remark in remarks if remark]
            return replace(judged, remark="; ".join(said))
        except (OSError, ValueError) as error:
            return replace(found, problem=str(error))

    with ThreadPoolExecutor(processes) as pool:
        yield from pool.map(one, files)


def _why_not_read(path: Path) -> str:
    """Return why a file is not read, or an empty string."""
    if path.is_symlink():
        return "it is a link, not a notebook (.ipynb); ask for that"
    if path.suffix not in (".ipynb", ".json"):
        kind = path.suffix or "without an ending"
        return f"it is a file {kind}, not a notebook (.ipynb); ask for that"
    if path.stat().st_size > LARGEST:
        megabytes = LARGEST // 2**20
        return f"it has more than {megabytes} MB: neither a notebook nor progress"
    return ""


def _judged(
    found: Submission, notebook: Path, problem_set: ProblemSet, limits: Limits
) -> Submission:
    """Return the verdicts of a process that grades a notebook."""
    _, says = read_notebook(notebook)
    variant, remark = problem_set.variant_of(found.author, says)
    ids = problem_set.tasks_of(variant)
    command = [sys.executable, "-P", "-m", "stbp_edu.teaching.judge"]
    wall = "unsafe" if limits.unsafe else "walled"
    command += [str(notebook), f"{limits.seconds:g}", str(limits.memory), wall]
    command += [str(problem_set.own_tasks or ""), str(variant), *ids]
    longest = 2 * len(ids) * (limits.seconds + PATIENCE)
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=longest, check=False
        )
        text = done.stdout
    except subprocess.TimeoutExpired as error:
        text = error.stdout or b""
    known = {}
    for line in text.split(b"\n")[:-1]:
        id_, state, message, mistakes, together = json.loads(line)
        known[id_] = Feedback(
            id_, state, tuple(message), tuple(mistakes), together=together
        )
    verdicts = [known.get(id_, Feedback(id_, "stopped", (ENDED,))) for id_ in ids]
    return replace(found, verdicts=tuple(verdicts), variant=variant, remark=remark)


def _reported(path: Path, problem_set: ProblemSet) -> Iterator[Feedback]:
    """Yield what a file of progress says of the tasks of the problem set."""
    progress = read_progress(path)
    for id_ in problem_set.every_task():
        made = progress.history.get(id_, Attempts()).mistakes
        known = tuple(m for m in sorted(made) if m in misconceptions())
        yield Feedback(id_, progress.states.get(id_, "todo"), mistakes=known)
