"""The concept inventory: sixteen questions in two parallel forms, as sheets and as quiz files."""

import tomllib
from collections.abc import Sequence

from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks.mistakes import Mistake, misconceptions
from tools.teach.bank import Choice, Question, wrong
from tools.teach.quiz_files import shuffled
from tools.teach.weeks import CONTENT
from tools.templates import filled

FORMS = {"a": "A, before", "b": "B, after"}


def form(letter: str) -> list[Question]:
    """Return the questions of form ``"a"`` or ``"b"``; each key comes first."""
    questions = []
    items = tomllib.loads((CONTENT / "inventory.toml").read_text(encoding="utf-8"))["item"]
    for number, item in enumerate(items, start=1):
        told, wrong_ids = item[letter], item.get(f"wrong_{letter}", item["wrong"])
        key, *others = told["choices"]
        rows = [[ids] if isinstance(ids, str) else ids for ids in wrong_ids]
        named = [
            wrong(text, [Mistake(id_, text, **misconceptions()[id_]) for id_ in ids])
            for ids, text in zip(rows, others, strict=True)
        ]
        choices = (Choice(key, (), "Right."), *named)
        name = f"{letter.upper()}{number:02}"
        questions.append(Question(name, told["ask"], choices, code=False, tag=item["about"]))
    return questions


def key_letter(question: Question) -> str:
    """Return the letter under which the key is printed."""
    return "ABCD"[[not c.mistakes for c in shuffled(question)].index(True)]


def sheet(letter: str) -> str:
    """Return a form as the HTML that is printed for students."""
    return filled(
        "inventory.html", form=FORMS[letter], questions=form(letter), shuffled=shuffled, said=markup
    )


def key_and_scores() -> str:
    """Return the key of both forms and the scoring sheet, for the teacher."""
    both: Sequence[tuple[Question, Question]] = list(zip(form("a"), form("b"), strict=True))
    names = {id_: table["name"] for id_, table in misconceptions().items()}
    return filled(
        "inventory_key.html", both=both, key_letter=key_letter, shuffled=shuffled, names=names,
        said=markup,
    )  # fmt: skip
