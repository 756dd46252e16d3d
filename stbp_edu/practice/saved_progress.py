"""What is done and what comes next: states of exercises and predictions, saved in a small file.

The file is ``progress.json`` in the user's data directory (``$XDG_DATA_HOME/stbp_edu``, or
``~/.local/share/stbp_edu``); the environment variable ``STBP_EDU_PROGRESS`` names another. A page
of the site saves the states in the browser.
"""

import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from stbp_edu._support.files import Sealed, as_path, locked
from stbp_edu.practice.feedback import LABELS, markup
from stbp_edu.practice.tasks import Task, tasks

T = TypeVar("T")
VARIABLE = "STBP_EDU_PROGRESS"
STATES = ("right", "wrong")
FILE = Sealed("a file of saved progress", "move it away to start again")
UNUSABLE = (OSError, RuntimeError, ValueError)
"""What a place for the file may raise: no home directory, no right to write, a damaged file."""
MORE = "+"
"""The mark of an exercise that no notebook has."""
_told = set[str]()


def path() -> Path | None:
    """Return the file for progress; None where there is no ordinary file, such as /dev/null.

    Raises:
        RuntimeError, ValueError: if there is no home directory, or a folder in the file's place.
    """
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    default = Path(base, "stbp_edu", "progress.json")
    place = Path(os.environ.get(VARIABLE) or default.expanduser())
    if place.is_dir():
        raise ValueError(
            f"{place} is a folder, and progress needs a file; move it away"
        )
    return None if place.exists() and not place.is_file() else place


def record(exercise_id: str, state: str, mistakes: Sequence[str] = ()) -> None:
    """Save the state of an exercise, one attempt more, and the misconceptions that it showed.

    What was once right stays right. Where the file cannot be written, a warning says so once.
    """

    def add(now: Progress) -> None:
        if now.states.get(exercise_id) != "right":
            now.states[exercise_id] = state
        had = now.history.get(exercise_id, Attempts())
        counts = Counter(had.mistakes) + Counter(mistakes)
        now.history[exercise_id] = Attempts(had.attempts + 1, dict(counts))

    if state != "todo":
        _change(add)


def record_prediction(prediction_id: str, answer: str) -> None:
    """Save what the reader predicts, in place of an earlier prediction."""

    def add(now: Progress) -> None:
        now.predictions[prediction_id] = answer

    _change(add)


def _read(place: Path | None) -> dict[str, Any]:
    """Return the contents of a file; raise ValueError where it is damaged."""
    if place is None or not place.exists():
        return {}
    return FILE.read(place)


def _change(change: Callable[["Progress"], None]) -> None:
    """Change the file as it is now, while no other process does.

    A damaged one is put aside, under a name that is free.
    """
    try:
        place = path()
        if place is None:
            return
        with locked(place.with_suffix(".lock")):
            try:
                kept = _read(place)
            except ValueError:
                place.replace(_damaged(place))
                kept = {}
            now = _progress(kept)
            change(now)
            FILE.write(place, _contents(now))
    except UNUSABLE as error:
        if str(error) not in _told:
            _told.add(str(error))
            said = f"progress is not saved: {error}. {VARIABLE} can name another file."
            warnings.warn(said, stacklevel=4)


def _damaged(place: Path) -> Path:
    """Return the first free name under which a damaged file is kept."""
    names = (place.with_suffix(f".damaged{k or ''}") for k in count())
    return next(name for name in names if not name.exists())


@dataclass(frozen=True)
class Attempts:
    """How often an exercise was tried, and how often each misconception was found in it."""

    attempts: int = 0
    mistakes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """Every exercise with its state and attempts, and what was predicted by the question's id."""

    states: dict[str, str]
    predictions: dict[str, str] = field(default_factory=dict)
    history: dict[str, Attempts] = field(default_factory=dict)
    problem: str = ""
    """Why the file could not be read, or an empty string."""

    def state(self, task: Task) -> str:
        """Return ``"right"``, ``"wrong"`` or ``"todo"``."""
        return self.states.get(task.id, "todo")

    @property
    def next(self) -> Task | None:
        """The first exercise of the notebooks that is not done, then of the others."""
        left = [task for task in tasks().values() if self.state(task) != "right"]
        return min(left, key=lambda task: not task.in_course, default=None)

    @property
    def _said(self) -> list[str]:
        """What is said below the exercises, a line each."""
        right = [id_ for id_, state in self.states.items() if state == "right"]
        hunted = [id_ for id_ in right if id_.startswith("hunt(")]
        said = [f"{MORE} for more practice, in problem sets: not in the notebook."]
        if hunted:
            said.append(f"Bugs found: {len(hunted)}.")
        for id_, answer in self.predictions.items():
            said.append(f"You predicted, {id_}: {answer}.")
        if self.problem:
            said.append(self.problem)
        return said

    def __repr__(self) -> str:
        """Return the text form: one line an exercise, and what comes next."""
        rows = []
        done = 0
        for task in tasks().values():
            mark = " " if task.in_course else MORE
            state = self.state(task)
            done += state == "right"
            rows.append(
                f"{mark} notebook {task.notebook:2}  {LABELS[state]:17}  "
                f"{task.id:16} {task.title}"
            )
        lines = [f"{done} of {len(rows)} exercises right.", *rows]
        following = self.next
        if following is not None:
            lines.append(f"Next: {following.id}, notebook {following.notebook}.")
        return "\n".join([*lines, *self._said])

    def _repr_html_(self) -> str:
        """Return the HTML form: a table."""
        rows = ""
        for task in tasks().values():
            mark = "" if task.in_course else f" {MORE}"
            label = LABELS[self.state(task)]
            rows += (
                f"<tr><td>{task.notebook}{mark}</td><td><code>{escape(task.id)}</code></td>"
                f"<td>{markup(task.title)}</td><td>{label}</td></tr>"
            )
        head = "<tr><th>Notebook</th><th>Exercise</th><th>What</th><th>State</th></tr>"
        said = "".join(f"<p>{escape(line)}</p>" for line in self._said)
        table = f"<thead>{head}</thead><tbody>{rows}</tbody>"
        return f'<table class="stbp-progress">{table}</table>{said}'


def progress_report() -> Progress:
    """Return the exercises that are done, and the next one."""
    try:
        return _progress(_read(path()))
    except UNUSABLE as error:
        return Progress({}, problem=f"{error}.")


def read_progress(file: Path) -> Progress:
    """Return the progress in a file that :func:`export_progress` or the page has written.

    Raises:
        FileNotFoundError, ValueError: if there is none, or it is damaged.
    """
    return _progress(FILE.read(file))


def export_progress(file: str | Path) -> Path:
    """Write your progress to a file of its own, to hand in or to take to another machine.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if nothing is saved yet, what is saved is damaged, or ``file`` is not a file.
    """
    file = as_path("file", file)
    kept = _read(path())
    if not kept:
        raise ValueError("there is no progress to export yet; check an answer first")
    if not file.parent.is_dir():
        raise FileNotFoundError(
            f"{file} must be in a folder that exists; make {file.parent} first"
        )
    FILE.write(file, kept)
    return file


def import_progress(file: str | Path) -> Progress:
    """Add the progress in a file to yours, and return both: what is right in either is right.

    Raises:
        FileNotFoundError, ValueError: if there is none, or it is damaged.
    """
    new = read_progress(as_path("file", file))

    def add(ours: Progress) -> None:
        right = {id_: state for id_, state in ours.states.items() if state == "right"}
        ours.states.update(new.states | right)
        ours.predictions.update(new.predictions)
        for id_, one in new.history.items():
            # The larger number: a file taken in twice counts once.
            had = ours.history.get(id_, one)
            attempts = max(one.attempts, had.attempts)
            mistakes = Counter(one.mistakes) | Counter(had.mistakes)
            ours.history[id_] = Attempts(attempts, dict(mistakes))

    _change(add)
    return progress_report()


def _progress(kept: dict[str, Any]) -> Progress:
    """Return the progress in a file, as far as it can be read."""
    texts = _entries(kept, str)
    states = {id_: state for id_, state in texts.items() if state in STATES}
    predictions = _entries(kept.get("predictions"), str)
    history = {}
    for id_, one in _entries(kept.get("history"), dict).items():
        attempts = one.get("attempts")
        if type(attempts) is int:
            mistakes = _entries(one.get("mistakes"), int)
            history[id_] = Attempts(attempts, mistakes)
    return Progress(states, predictions, history)


def _contents(progress: Progress) -> dict[str, Any]:
    """Return the contents of a file: the states, and predictions and history if any."""
    contents: dict[str, Any] = dict(progress.states)
    if progress.predictions:
        contents["predictions"] = progress.predictions
    if progress.history:
        contents["history"] = asdict(progress)["history"]
    return contents


def _entries(table: Any, kind: type[T]) -> dict[str, T]:
    """Return the entries of a table that are of a kind; none where it is not a table."""
    if not isinstance(table, dict):
        return {}
    return {name: value for name, value in table.items() if type(value) is kind}
