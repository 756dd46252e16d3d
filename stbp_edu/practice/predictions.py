"""Predictions: what a reader expects of a measurement, said before it, and shown again after it.

A page of the site offers the choices as buttons; elsewhere the answer is typed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape

from stbp_edu import checks
from stbp_edu.files import read_toml
from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks.catalogue import CONTENT


@dataclass(frozen=True)
class Question:
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
    """

    question: Question
    answer: str
    measured: str = ""

    @property
    def message(self) -> tuple[str, ...]:
        """The sentence on the prediction; then the question and its choices, or the lesson."""
        said = f"you predicted `{self.answer}`" if self.answer else "no prediction"
        if self.measured:
            is_right, measured = (
                self.answer == self.measured,
                f"measured: `{self.measured}`",
            )
            head = (
                f"{measured}, as you predicted." if is_right else f"{said}; {measured}."
            )
            return head, self.question.lesson
        if self.answer:
            return f"{said}.", "Now measure."
        choices = ", ".join(f"`{choice}`" for choice in self.question.choices)
        how = f"Choose one of {choices}, and run the cell again."
        return f"{said} yet.", self.question.question, how

    def __repr__(self) -> str:
        """Return the text form."""
        return "\n  ".join(
            (f"{self.question.id}: {self.message[0]}", *self.message[1:])
        )

    def _repr_html_(self) -> str:
        """Return the HTML form; the page's script makes buttons of the choices."""
        told = {
            "prediction": self.question.id,
            "answer": self.answer,
            "measured": self.measured,
        }
        told["question"] = self.question.question
        told["choices"] = json.dumps(self.question.choices, ensure_ascii=False)
        data = " ".join(
            f'data-{name}="{escape(value)}"' for name, value in told.items()
        )
        head, *others = map(markup, self.message)
        head = f"<p><strong>{escape(self.question.id)}: {head}</strong></p>"
        lines = head + "".join(f"<p>{line}</p>" for line in others)
        return (
            f'<div class="stbp-feedback" {data}><div role="status">{lines}</div></div>'
        )


@cache
def questions() -> dict[str, Question]:
    """Return every question by its id, in the order of the course."""
    tables = read_toml(CONTENT / "predictions.toml")
    return {id_: Question(id_, **table) for id_, table in tables.items()}


def predict(
    prediction_id: str, answer: object = None, *, measured: str | None = None
) -> Prediction:
    """Keep what you expect of a measurement; with ``measured``, hold it against what came out.

    Args:
        prediction_id: id of the question, such as ``"c3-holds"``.
        answer: one of the choices, whatever its spaces and capitals; None, ``...`` or ``"..."``
            for no prediction yet.
        measured: what was measured, one of the choices too.

    Raises:
        ValueError: if there is no such question, or an answer is none of its choices.

    >>> predict("c3-holds", "t = 1")
    c3-holds: you predicted `t = 1`.
      Now measure.
    >>> predict("c3-holds", "t = 1", measured="t = 2")
    c3-holds: you predicted `t = 1`; measured: `t = 2`.
      A check of the last two steps would have passed.
    """
    asked = questions()[checks.choice("prediction_id", prediction_id, questions())]
    if measured is not None:
        checks.choice("measured", measured, asked.choices)
    is_blank = answer is None or answer is Ellipsis
    letters = "" if is_blank else "".join(str(answer).lower().split())
    if letters in ("", "..."):
        return Prediction(asked, "", measured or "")
    alike = {"".join(choice.lower().split()): choice for choice in asked.choices}
    given = checks.choice("answer", alike.get(letters, answer), asked.choices)
    if measured is None:
        saved_progress.record_prediction(asked.id, given)
    return Prediction(asked, given, measured or "")
