"""Predictions: what a reader expects of a measurement, said before it, and shown again after it.

A page of the site offers the choices as buttons; elsewhere the answer is typed.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

from stbp_edu._support import checks
from stbp_edu._support.files import read_toml
from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import CARD, TEXT, folded, markup
from stbp_edu.practice.tasks.catalogue import CONTENT


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
            saved_progress.record_prediction(asked.id, given)
    refused = "" if given else written.strip(" .") and written
    return Prediction(asked, given, measured or "", refused)


def _words(text: str) -> list[str]:
    """Return the words, numbers and signs of a text, sorted."""
    return sorted(re.findall(r"[^\W\d]+|\d+|[^\w\s,]", text.lower()))
