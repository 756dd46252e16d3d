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
        found = dict(Counter(had.mistakes) + Counter(mistakes))
        now.history[exercise_id] = Attempts(had.attempts + 1, found)

    if state != "todo":
        _change(add)


def record_prediction(prediction_id: str, answer: str) -> None:
    """Save what the reader predicts, in place of an earlier prediction."""
    _change(lambda now: now.predictions.update({prediction_id: answer}))


def _read(place: Path | None) -> dict[str, Any]:
    """Return the contents of a file; raise ValueError where it is damaged."""
    return FILE.read(place) if place is not None and place.exists() else {}


def _change(change: Callable[["Progress"], None]) -> None:
    """Change the file as it is now, while no other process does.

    A damaged one is put aside, under a name that is free.
    """
    try:
        if (place := path()) is None:
            return
        with locked(place.with_suffix(".lock")):
            try:
                kept = _read(place)
            except ValueError:
                names = (place.with_suffix(f".damaged{k or ''}") for k in count())
                place.replace(next(name for name in names if not name.exists()))
                kept = {}
            now = _progress(kept)
            change(now)
            more = {
                k: v
                for k, v in asdict(now).items()
                if v and k in ("predictions", "history")
            }
            FILE.write(place, now.states | more)
    except UNUSABLE as error:
        if str(error) not in _told:
            _told.add(str(error))
            said = f"progress is not saved: {error}. {VARIABLE} can name another file."
            warnings.warn(said, stacklevel=4)


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
        hunted = sum(
            k.startswith("hunt(") and v == "right" for k, v in self.states.items()
        )
        said = [f"{MORE} for more practice, in problem sets: not in the notebook."]
        if hunted:
            said.append(f"Bugs found: {hunted}.")
        for id_, answer in self.predictions.items():
            said.append(f"You predicted, {id_}: {answer}.")
        if self.problem:
            said.append(self.problem)
        return said

    def __repr__(self) -> str:
        """Return the text form: one line an exercise, and what comes next."""
        lines = [
            f"{' ' if e.in_course else MORE} notebook {e.notebook:2}  "
            f"{LABELS[self.state(e)]:17}  {e.id:16} {e.title}"
            for e in tasks().values()
        ]
        done = sum(self.state(e) == "right" for e in tasks().values())
        lines.insert(0, f"{done} of {len(lines)} exercises right.")
        if self.next is not None:
            lines.append(f"Next: {self.next.id}, notebook {self.next.notebook}.")
        return "\n".join((*lines, *self._said))

    def _repr_html_(self) -> str:
        """Return the HTML form: a table."""
        rows = "".join(
            f"<tr><td>{e.notebook}{'' if e.in_course else f' {MORE}'}</td>"
            f"<td><code>{escape(e.id)}</code></td>"
            f"<td>{markup(e.title)}</td><td>{LABELS[self.state(e)]}</td></tr>"
            for e in tasks().values()
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
    file, kept = as_path("file", file), _read(path())
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
        for (
            id_,
            one,
        ) in (
            new.history.items()
        ):  # the larger number: a file taken in twice counts once
            had = ours.history.get(id_, one)
            found = dict(Counter(one.mistakes) | Counter(had.mistakes))
            ours.history[id_] = Attempts(max(one.attempts, had.attempts), found)

    _change(add)
    return progress_report()


def _progress(kept: dict[str, Any]) -> Progress:
    """Return the progress in a file, as far as it can be read."""
    history = {
        id_: Attempts(attempts, _entries(one.get("mistakes"), int))
        for id_, one in _entries(kept.get("history"), dict).items()
        if type(attempts := one.get("attempts")) is int
    }
    states = {k: v for k, v in _entries(kept, str).items() if v in STATES}
    return Progress(states, _entries(kept.get("predictions"), str), history)


def _entries(table: Any, kind: type[T]) -> dict[str, T]:
    """Return the entries of a table that are of a kind; none where it is not a table."""
    return (
        {k: v for k, v in table.items() if type(v) is kind}
        if isinstance(table, dict)
        else {}
    )
