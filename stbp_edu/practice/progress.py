"""What a reader has done and predicted, and the small file that remembers both.

The file is ``progress.json`` in the user's data directory (``$XDG_DATA_HOME/stbp_edu``, or
``~/.local/share/stbp_edu``); the environment variable ``STBP_EDU_PROGRESS`` names another. It is
plain JSON: each exercise with its state, and beside them ``predictions``. A page of the site saves
the same in the browser.

A prediction is what a reader expects of a measurement, said before it, and shown again after it. A
page of the site offers the choices as buttons; elsewhere the answer is typed.
"""

import json
import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from itertools import count
from pathlib import Path
from typing import Any

from stbp_edu._support import checks
from stbp_edu._support.files import read_json, read_toml, write_json
from stbp_edu.practice.feedback import CARD, LABELS, TEXT, folded, markup
from stbp_edu.practice.tasks import Task, tasks
from stbp_edu.practice.tasks.catalogue import CONTENT

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


@dataclass(frozen=True)
class PredictionQuestion:
    """One question of ``content/predictions.toml``, with the answers to choose from."""

    id: str
    notebook: str  # slug of the notebook that asks it
    question: str
    choices: Sequence[str]
    measured: str  # the choice that the notebook measures
    lesson: str  # a sentence that is said with the measurement


@dataclass(frozen=True)
class Prediction:
    """What the reader predicted, and, once it is known, what was measured.

    Attributes:
        question: what was asked.
        answer: the reader's choice, or "".
        measured: the measured one, or "" where nothing was measured yet.
        refused: what the reader wrote, where that is not one of the choices, or "".
    """

    question: PredictionQuestion
    answer: str
    measured: str = ""
    refused: str = ""

    @property
    def message(self) -> tuple[str, ...]:
        """The sentence on the prediction; then the question and its choices, or the lesson."""
        asked = self.question
        predicted = f"you predicted `{self.answer}`"
        if self.measured:
            said = f"{predicted}; measured: `{self.measured}`."
            if not self.answer:
                said = f"no prediction; measured: `{self.measured}`."
            elif self.answer == self.measured:
                said = f"measured: `{self.measured}`, as you predicted."
            return said, asked.lesson
        if self.answer:
            return f"{predicted}.", "Now measure."
        choices = ", ".join(f"`{choice}`" for choice in asked.choices)
        how = f"Choose one of {choices}, and run the cell again."
        none = "no prediction yet."
        if self.refused:
            none = f"`{self.refused}` is not one of the choices."
        return none, asked.question, how

    def __repr__(self) -> str:
        """Return the text form."""
        first, *others = self.message
        lines = [f"{self.question.id}: {first}", *others]
        return "\n  ".join(lines)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> dict[str, str]:
        """Return HTML and text; folded where something was measured and nothing predicted."""
        if self.measured and not self.answer:
            return {"text/html": folded(self.html()), "text/plain": TEXT}
        return {"text/html": self.html(), "text/plain": repr(self)}

    def html(self) -> str:
        """Return the HTML form, a card; a page's script makes buttons of the choices."""
        told = {
            "prediction": self.question.id,
            "answer": self.answer,
            "measured": self.measured,
            "question": self.question.question,
            "choices": json.dumps(self.question.choices, ensure_ascii=False),
        }
        data = " ".join(f'data-{name}="{escape(text)}"' for name, text in told.items())
        head, *others = map(markup, self.message)
        head = f"<p><strong>{escape(self.question.id)}: {head}</strong></p>"
        lines = head + "".join(f"<p>{line}</p>" for line in others)
        return f'<div class="stbp-feedback" {data}><div role="status">{lines}</div></div>{CARD}'


_said: dict[str, str] = {}
"""What was predicted in this session, by the question's id."""


@cache
def questions() -> dict[str, PredictionQuestion]:
    """Return every question by its id, in the order of the course."""
    tables = read_toml(CONTENT / "predictions.toml")
    return {id_: PredictionQuestion(id_, **table) for id_, table in tables.items()}


def predict(
    prediction_id: str, answer: object = None, *, measured: str | None = None
) -> Prediction:
    """Keep what you expect of a measurement; with ``measured``, hold it against what came out.

    Args:
        prediction_id: id of the question, such as ``"c3-holds"``.
        answer: one of the choices, whatever its spaces and capitals and the order of its parts;
            ``...`` or ``"..."`` for no prediction yet; None for the one made earlier in this
            session.
        measured: what was measured, one of the choices too.

    Raises:
        ValueError: if there is no such question, or ``measured`` is not one of its choices.

    >>> predict("c3-holds", "t = 1")
    c3-holds: you predicted `t = 1`.
      Now measure.
    >>> predict("c3-holds", measured="t = 2")
    c3-holds: you predicted `t = 1`; measured: `t = 2`.
      A check of the last two steps would have passed.
    """
    asked = questions()[checks.choice("prediction_id", prediction_id, questions())]
    if measured is not None:
        checks.choice("measured", measured, asked.choices)
    if answer is None:
        return Prediction(asked, _said.get(asked.id, ""), measured or "")
    written = "" if answer is Ellipsis else str(answer)
    words = _words(written)
    same = (choice for choice in asked.choices if _words(choice) == words)
    given = next(same, "")
    if measured is None:
        _said[asked.id] = given
        if given:
            record_prediction(asked.id, given)
    refused = "" if given else written.strip(" .") and written
    return Prediction(asked, given, measured or "", refused)


def _words(text: str) -> list[str]:
    """Return the words, numbers and signs of a text, sorted."""
    return sorted(re.findall(r"[^\W\d]+|\d+|[^\w\s,]", text.lower()))
