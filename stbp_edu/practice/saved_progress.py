"""What is done and what comes next: states of exercises and predictions, saved in a small file.

The file is ``progress.json`` in the user's data directory (``$XDG_DATA_HOME/stbp_edu``, or
``~/.local/share/stbp_edu``); the environment variable ``STBP_EDU_PROGRESS`` names another. A page
of the site saves the states in the browser.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from stbp_edu.files import Sealed, locked, read_json
from stbp_edu.practice.feedback import LABELS, markup
from stbp_edu.practice.tasks import Task, tasks

VARIABLE = "STBP_EDU_PROGRESS"
STATES = ("right", "wrong")
PREDICTIONS, HISTORY = "predictions", "history"
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


def record(exercise_id: str, state: str, mistakes: Sequence[str] = ()) -> None:
    """Save the state of an exercise, one attempt more, and the misconceptions that it showed.

    What was once right stays right. Where the file cannot be written, nothing is saved and nothing
    is raised.
    """

    def after(kept: dict[str, Any]) -> dict[str, Any]:
        known = kept.get(exercise_id) in ("right", state)
        history = _history(kept)
        one = history.get(exercise_id, Attempts())
        counted = {m: one.mistakes.get(m, 0) + 1 for m in mistakes}
        history[exercise_id] = Attempts(one.attempts + 1, {**one.mistakes, **counted})
        return {**kept, **({} if known else {exercise_id: state}), HISTORY: _plain(history)}

    if state != "todo":
        _change(after)


def record_prediction(prediction_id: str, answer: str) -> None:
    """Save what the reader predicts, in place of an earlier prediction."""

    def after(kept: dict[str, Any]) -> dict[str, Any]:
        return {**kept, PREDICTIONS: {**_table(kept, PREDICTIONS), prediction_id: answer}}

    _change(after)


def load() -> dict[str, str]:
    """Return the saved states by exercise; empty where the file is missing or unreadable."""
    return _states(_kept())


def load_predictions() -> dict[str, str]:
    """Return what the reader predicted, by the question's id."""
    return _predictions(_kept())


def _states(kept: dict[str, Any]) -> dict[str, str]:
    return {k: v for k, v in kept.items() if isinstance(v, str) and v in STATES}


def _predictions(kept: dict[str, Any]) -> dict[str, str]:
    return {k: v for k, v in _table(kept, PREDICTIONS).items() if isinstance(v, str)}


def _history(kept: dict[str, Any]) -> dict[str, "Attempts"]:
    """Return the attempts at each exercise, as far as they can be read."""
    found = {}
    for id_, one in _table(kept, HISTORY).items():
        attempts = one.get("attempts") if isinstance(one, dict) else None
        if type(attempts) is int:
            counted = {m: n for m, n in _table(one, "mistakes").items() if type(n) is int}
            found[id_] = Attempts(attempts, counted)
    return found


def _table(kept: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a table of a file that may hold anything."""
    return table if isinstance(table := kept.get(name), dict) else {}


def _plain(history: dict[str, "Attempts"]) -> dict[str, Any]:
    return {id_: asdict(one) for id_, one in history.items()}


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
        return _progress(_read(path()))
    except (OSError, ValueError) as error:
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
        ValueError: if nothing is saved yet, or what is saved is damaged.
    """
    kept = _read(path())
    if not kept:
        raise ValueError("there is no progress to export yet; check an answer first")
    FILE.write(Path(file), kept)
    return Path(file)


def import_progress(file: str | Path) -> Progress:
    """Add the progress in a file to yours, and return both: what is right in either is right.

    Raises:
        FileNotFoundError, ValueError: if there is none, or it is damaged.
    """
    new = FILE.read(Path(file))

    def after(kept: dict[str, Any]) -> dict[str, Any]:
        states, history = {**_states(new), **_states(kept)}, _history(kept)
        states |= {k: v for k, v in _states(new).items() if v == "right"}
        for id_, theirs in _history(new).items():
            ours = history.get(id_, Attempts())
            larger = {m: max(n, ours.mistakes.get(m, 0)) for m, n in theirs.mistakes.items()}
            attempts = max(ours.attempts, theirs.attempts)
            history[id_] = Attempts(attempts, {**ours.mistakes, **larger})
        predictions = {**_predictions(kept), **_predictions(new)}
        return {**kept, **states, PREDICTIONS: predictions, HISTORY: _plain(history)}

    _change(after)
    return progress_report()


def _progress(kept: dict[str, Any]) -> Progress:
    return Progress(_states(kept), _predictions(kept), _history(kept))
