"""What is done and what comes next, kept in a small file; the page keeps its own in the browser.

The file is ``progress.json`` in the user's data directory (``$XDG_DATA_HOME/stbp_edu``, or
``~/.local/share/stbp_edu``); the environment variable ``STBP_EDU_PROGRESS`` names another.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from html import escape
from pathlib import Path

from stbp_edu.practice.exercise import Exercise, catalogue

VARIABLE = "STBP_EDU_PROGRESS"
MARKS = {"right": "done", "wrong": "tried", "todo": "open"}


def path() -> Path:
    """Return the file that progress is kept in."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "stbp_edu" / "progress.json"


def record(exercise_id: str, state: str) -> None:
    """Keep the state of an exercise; what was once right stays right.

    A file that cannot be written is no reason to fail: the answer was given all the same.
    """
    states = load()
    if state == "todo" or states.get(exercise_id) in ("right", state):
        return
    states[exercise_id] = state
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        draft = path().with_suffix(".new")
        draft.write_text(json.dumps(states, indent=1, sort_keys=True), encoding="utf-8")
        draft.replace(path())
    except OSError:
        return


def load() -> dict[str, str]:
    """Return the states kept so far; empty where the file is missing or unreadable."""
    try:
        states = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(states, dict):
        return {}
    return {k: v for k, v in states.items() if isinstance(v, str) and v in MARKS}


@dataclass(frozen=True)
class Progress:
    """Every exercise with its state."""

    states: dict[str, str]

    def state(self, exercise: Exercise) -> str:
        """Return ``"right"``, ``"wrong"`` or ``"todo"``."""
        return self.states.get(exercise.id, "todo")

    @property
    def next(self) -> Exercise | None:
        """The first exercise that is not done."""
        open_ = (e for e in catalogue().values() if self.state(e) != "right")
        return next(open_, None)

    def __repr__(self) -> str:
        """Return the text form: one line an exercise, and what comes next."""
        exercises = catalogue().values()
        done = sum(self.state(e) == "right" for e in exercises)
        lines = [f"{done} of {len(exercises)} exercises done."]
        lines += [
            f"  notebook {e.notebook:2}  {MARKS[self.state(e)]:5}  {e.id:16} {e.title}"
            for e in exercises
        ]
        if self.next is not None:
            lines.append(f"Next: {self.next.id}, notebook {self.next.notebook}.")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the HTML form: a table."""
        rows = "".join(
            f"<tr><td>{e.notebook}</td><td>{escape(e.id)}</td><td>{escape(e.title)}</td>"
            f"<td>{MARKS[self.state(e)]}</td></tr>"
            for e in catalogue().values()
        )
        head = "<tr><th>Notebook</th><th>Exercise</th><th>What</th><th>State</th></tr>"
        return f'<table class="stbp-progress"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def report() -> Progress:
    """Return what is done and what comes next."""
    return Progress(load())
