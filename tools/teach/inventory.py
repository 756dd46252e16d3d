"""The concept inventory: sixteen questions in two parallel forms, as sheets and as quiz files."""

import tomllib

from stbp_edu.practice.tasks.mistakes import Mistake, misconceptions
from tools.teach.bank import Choice, Question, wrong
from tools.teach.quiz_files import written
from tools.teach.weeks import CONTENT

FORMS = {"a": "A, before", "b": "B, after"}


def form(letter: str) -> list[Question]:
    """Return the questions of form ``"a"`` or ``"b"``; each key comes first."""
    questions = []
    items = tomllib.loads((CONTENT / "inventory.toml").read_text(encoding="utf-8"))["item"]
    for number, item in enumerate(items, start=1):
        told, shown = item[letter], item.get(f"wrong_{letter}", item["wrong"])
        choices = [Choice(told["choices"][0], (), "Right.")]
        for text, ids in zip(told["choices"][1:], shown, strict=True):
            each = [ids] if isinstance(ids, str) else ids
            choices.append(wrong(text, [Mistake(i, text, **misconceptions()[i]) for i in each]))
        name = f"{letter.upper()}{number:02}"
        asked = Question(name, told["ask"], tuple(choices), code=False, tag=item["about"])
        questions.append(asked)
    return questions


def sheet(letter: str) -> str:
    """Return a form for students."""
    return written("inventory.html", form(letter), form=FORMS[letter])


def key_and_scores() -> str:
    """Return the key of both forms and the scoring sheet, for the teacher."""
    both = list(zip(form("a"), form("b"), strict=True))
    return written("inventory_key.html", [], both=both, library=misconceptions())
