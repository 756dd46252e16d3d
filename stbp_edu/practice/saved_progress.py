"""What is done and what comes next: states of exercises and predictions, saved in a small file.

The file is ``progress.json`` in the user's data directory (``$XDG_DATA_HOME/stbp_edu``, or
``~/.local/share/stbp_edu``); the environment variable ``STBP_EDU_PROGRESS`` names another. A page
of the site saves the states in the browser.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from stbp_edu.files import Sealed, locked, read_json
from stbp_edu.practice.feedback import LABELS, markup
from stbp_edu.practice.tasks import Task, tasks

VARIABLE = "STBP_EDU_PROGRESS"
STATES = ("right", "wrong")
PREDICTIONS = "predictions"
FILE = Sealed("a file of saved progress", "move it away to begin anew", version=2)
"""Version 1 had neither a version nor a checksum, and is read as it is."""


def path() -> Path | None:
    """Return the file that progress is saved in; None where there is no place for it.

    Someone without a home directory has none. What is there and is no ordinary file, such as a
    directory or /dev/null, is left alone.
    """
    try:
        if os.environ.get(VARIABLE):
            place = Path(os.environ[VARIABLE])
        else:
            base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
            place = Path(base) / "stbp_edu" / "progress.json"
        return None if place.exists() and not place.is_file() else place
    except (OSError, RuntimeError, ValueError):
        return None


def record(exercise_id: str, state: str) -> None:
    """Save the state of an exercise; what was once right stays right.

    Where the file cannot be written, the state is not saved and nothing is raised.
    """

    def after(kept: dict[str, Any]) -> dict[str, Any]:
        known = kept.get(exercise_id) in ("right", state)
        return kept if known else {**kept, exercise_id: state}

    if state != "todo" and after(_kept()) != _kept():
        _change(after)


def record_prediction(prediction_id: str, answer: str) -> None:
    """Save what the reader predicts, in place of an earlier prediction."""

    def after(kept: dict[str, Any]) -> dict[str, Any]:
        earlier = kept.get(PREDICTIONS)
        before = earlier if isinstance(earlier, dict) else {}
        return {**kept, PREDICTIONS: {**before, prediction_id: answer}}

    _change(after)


def load() -> dict[str, str]:
    """Return the saved states by exercise; empty where the file is missing or unreadable."""
    return {k: v for k, v in _kept().items() if isinstance(v, str) and v in STATES}


def load_predictions() -> dict[str, str]:
    """Return what the reader predicted, by the question's id."""
    saved = _kept().get(PREDICTIONS)
    return {k: v for k, v in saved.items() if isinstance(v, str)} if isinstance(saved, dict) else {}


def _kept() -> dict[str, Any]:
    """Return what the file holds; empty where it is missing or damaged."""
    try:
        return _read(path())
    except (OSError, ValueError):
        return {}


def _read(place: Path | None) -> dict[str, Any]:
    """Return what a file holds; raise ValueError where it is damaged."""
    if place is None or not place.exists():
        return {}
    kept = read_json(place)
    if isinstance(kept, dict) and "format" not in kept:
        return kept  # of version 1
    return FILE.read(place)


def _change(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the file as it is now, while no other process does; nothing is raised.

    A damaged one is put aside, under another name.
    """
    place = path()
    if place is None:
        return
    try:
        with locked(place.with_suffix(".lock")):
            try:
                kept = _read(place)
            except ValueError:
                place.replace(place.with_suffix(".damaged"))
                kept = {}
            FILE.write(place, change(kept))
    except (OSError, ValueError, RecursionError):
        return


@dataclass(frozen=True)
class Progress:
    """Every exercise with its state, and what the reader predicted by the question's id."""

    states: dict[str, str]
    predictions: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    """Why the file could not be read, or an empty string."""

    def state(self, task: Task) -> str:
        """Return ``"right"``, ``"wrong"`` or ``"todo"``."""
        return self.states.get(task.id, "todo")

    @property
    def hunted(self) -> int:
        """How many bugs of the hunt are found."""
        return sum(k.startswith("hunt(") and v == "right" for k, v in self.states.items())

    @property
    def next(self) -> Task | None:
        """The first exercise of the notebooks that is not done, then of the others."""
        left = [task for task in tasks().values() if self.state(task) != "right"]
        return min(left, key=lambda task: not task.in_course, default=None)

    def __repr__(self) -> str:
        """Return the text form: one line an exercise, and what comes next."""
        lines = [
            f"  notebook {e.notebook:2}  {LABELS[self.state(e)]:17}  {e.id:16} {e.title}"
            for e in tasks().values()
        ]
        done = sum(self.state(e) == "right" for e in tasks().values())
        lines.insert(0, f"{done} of {len(lines)} exercises right.")
        if self.next is not None:
            lines.append(f"Next: {self.next.id}, notebook {self.next.notebook}.")
        if self.hunted:
            lines.append(f"Bugs found: {self.hunted}.")
        lines += [f"You predicted, {id_}: {answer}." for id_, answer in self.predictions.items()]
        lines += [self.problem] * bool(self.problem)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the HTML form: a table."""
        rows = "".join(
            f"<tr><td>{e.notebook}</td><td><code>{escape(e.id)}</code></td>"
            f"<td>{markup(e.title)}</td><td>{LABELS[self.state(e)]}</td></tr>"
            for e in tasks().values()
        )
        head = "<tr><th>Notebook</th><th>Exercise</th><th>What</th><th>State</th></tr>"
        said = "".join(
            f"<p>You predicted, <code>{escape(id_)}</code>: {escape(answer)}.</p>"
            for id_, answer in self.predictions.items()
        )
        said = f"<p>Bugs found: {self.hunted}.</p>" * bool(self.hunted) + said
        said += f"<p>{escape(self.problem)}</p>" * bool(self.problem)
        table = f"<thead>{head}</thead><tbody>{rows}</tbody>"
        return f'<table class="stbp-progress">{table}</table>{said}'


def progress_report() -> Progress:
    """Return what is done and what comes next."""
    try:
        _read(path())
    except (OSError, ValueError) as error:
        return Progress({}, {}, f"{error}.")
    return Progress(load(), load_predictions())
