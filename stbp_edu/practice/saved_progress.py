"""What is done and what comes next: states of exercises and predictions, saved in a small file.

The file is ``progress.json`` in the user's data directory (``$XDG_DATA_HOME/stbp_edu``, or
``~/.local/share/stbp_edu``); the environment variable ``STBP_EDU_PROGRESS`` names another. It is
plain JSON: each exercise with its state, and beside them ``predictions``. A page of the site saves
the same in the browser.
"""

import os
import warnings
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from stbp_edu._support.files import read_json, write_json
from stbp_edu.practice.feedback import LABELS
from stbp_edu.practice.tasks import Task, tasks

VARIABLE = "STBP_EDU_PROGRESS"
STATES = ("right", "wrong")
UNUSABLE = (OSError, RuntimeError, ValueError)
"""What a place for the file may raise: no home directory, no right to write, a damaged file."""
MORE = "+"
"""The mark of an exercise that no notebook has."""


def path() -> Path | None:
    """Return the file for progress; None where there is no ordinary file, such as /dev/null."""
    base = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    place = Path(os.environ.get(VARIABLE) or Path(base, "stbp_edu", "progress.json"))
    is_device = place.exists() and not place.is_file() and not place.is_dir()
    return None if is_device else place


@dataclass(frozen=True)
class Progress:
    """Every exercise with its state, and what was predicted by the question's id."""

    states: dict[str, str] = field(default_factory=dict)
    predictions: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    """Why the file could not be read, or an empty string."""

    @property
    def next(self) -> Task | None:
        """The first exercise of the notebooks that is not done, then of the others."""
        left = [t for t in tasks().values() if self.states.get(t.id) != "right"]
        return min(left, key=lambda task: not task.in_course, default=None)

    def __repr__(self) -> str:
        """Return the text form: one line an exercise, what comes next, and the predictions."""
        done = sum(self.states.get(id_) == "right" for id_ in tasks())
        lines = [f"{done} of {len(tasks())} exercises right."]
        for task in tasks().values():
            mark = " " if task.in_course else MORE
            label = LABELS[self.states.get(task.id, "todo")]
            place = f"{mark} notebook {task.notebook:>2}"
            lines.append(f"{place}  {label:17}  {task.id:16} {task.title}")
        following = self.next
        if following is not None:
            lines.append(f"Next: {following.id}, notebook {following.notebook}.")
        lines.append(f"{MORE} for more practice, in problem sets: not in the notebook.")
        for id_, answer in self.predictions.items():
            lines.append(f"You predicted, {id_}: {answer}.")
        return "\n".join([*lines, self.problem]).rstrip()


def read_progress(file: Path) -> Progress:
    """Return the progress in a file, such as one that the page has written.

    Raises:
        FileNotFoundError, ValueError: if there is none, or it is damaged.
    """
    kept = read_json(file)
    predictions = kept.get("predictions", {}) if isinstance(kept, dict) else None
    if not isinstance(predictions, dict):
        raise ValueError(
            f"{file} must be a file of saved progress, but holds something else; "
            "move it away to start again"
        )
    states = {id_: state for id_, state in kept.items() if state in STATES}
    return Progress(states, predictions)


def _add(new: Progress) -> None:
    """Add to the file as it is now: what is right in either is right.

    A damaged one is put aside under a name that is free. A warning says so, and also where nothing
    can be written.
    """
    try:
        place = path()
        if place is None:
            return
        now = Progress()
        if place.is_file():
            try:
                now = read_progress(place)
            except ValueError as damage:
                names = (place.with_suffix(f".damaged{k or ''}") for k in count())
                aside = place.rename(next(name for name in names if not name.exists()))
                _warn(f"{damage}. It is {aside.name} now, and progress begins anew")
        right = {id_: state for id_, state in now.states.items() if state == "right"}
        states = now.states | new.states | right
        predictions = now.predictions | new.predictions
        beside = {"predictions": predictions} if predictions else {}
        write_json(place, states | beside)
    except UNUSABLE as error:
        _warn(f"progress is not saved: {error}. {VARIABLE} can name another file")


def _warn(said: str) -> None:
    warnings.warn(f"{said}.", stacklevel=5)


def record(exercise_id: str, state: str) -> None:
    """Save the state of an exercise; what was once right stays right.

    Where the file cannot be written, a warning says so.
    """
    if state != "todo":
        _add(Progress({exercise_id: state}))


def record_prediction(prediction_id: str, answer: str) -> None:
    """Save what the reader predicts, in place of an earlier prediction."""
    _add(Progress(predictions={prediction_id: answer}))


def progress_report() -> Progress:
    """Return the exercises that are done, and the next one."""
    try:
        place = path()
        return read_progress(place) if place and place.exists() else Progress()
    except UNUSABLE as error:
        return Progress(problem=f"{error}.")
