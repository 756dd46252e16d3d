"""A set of questions as a file for learning platforms, and the concept inventory.

The files are Moodle XML, and QTI 1.2 as Canvas reads it. The key stands at another place in each
question, for platforms that do not shuffle. The inventory has sixteen questions in two parallel
forms, as such files and as sheets.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from random import Random

from markdown import markdown
from text2qti.config import Config
from text2qti.qti import QTI
from text2qti.quiz import Quiz

from stbp_edu._support.files import read_toml, write_text
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks.catalogue import Mistake, misconceptions
from tools.teach.bank import Choice, Question, siblings, wrong
from tools.teach.weeks import CONTENT
from tools.templates import filled

DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.S)
DATE = (1980, 1, 1, 0, 0, 0)  # the same questions give the same zip
FORMS = {"a": "A", "b": "B"}
ORDER = 29  # under which the keys of the inventory fall evenly on the letters


def shuffled(question: Question) -> list[Choice]:
    """Return the choices in an order drawn from the question's own name."""
    return Random(f"{question.id} {ORDER}").sample(
        question.choices, len(question.choices)
    )


def prompt_html(prompt: str) -> str:
    r"""Return a prompt as HTML, its formulas between \( and \), which Moodle sets.

    >>> prompt_html("`h` is $h(u)$.")
    '<p><code>h</code> is <span class="arithmatex">\\(h(u)\\)</span>.</p>'
    """
    settings = {"pymdownx.arithmatex": {"generic": True}}
    return markdown(
        prompt, extensions=["sane_lists", *settings], extension_configs=settings
    )


def choice_html(question: Question, choice: Choice) -> str:
    """Return what a choice says."""
    return (
        f"<code>{escape(choice.text)}</code>" if question.code else markup(choice.text)
    )


def written(template: str, questions: Sequence[Question], **names: object) -> str:
    """Return the questions in the words of a template."""
    return filled(
        template, questions=questions, shuffled=shuffled, choice_html=choice_html, said=markup,
        prompt_html=prompt_html, groups=siblings(questions), **names,
    )  # fmt: skip


def qti(questions: Sequence[Question], title: str) -> bytes:
    """Return the questions as a zip that Canvas imports; text2qti knows no displayed formulas."""
    text = written("canvas.txt", questions, title=title)
    text = DISPLAY.sub(lambda display: f"${' '.join(display[1].split())}$", text)
    package = QTI(Quiz(text, config=Config()))
    name = package.assessment_identifier
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, text in (
            ("imsmanifest.xml", package.imsmanifest_xml),
            (f"{name}/assessment_meta.xml", practice(package.assessment_meta)),
            (f"{name}/{name}.xml", package.assessment),
        ):
            archive.writestr(zipfile.ZipInfo(path, DATE), text, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def practice(meta: str) -> str:
    """Return Canvas's description of a quiz as one for practice, which shows its feedback."""
    return meta.replace(
        "<quiz_type>assignment</quiz_type>", "<quiz_type>practice_quiz</quiz_type>"
    )


def write(questions: Sequence[Question], folder: Path, name: str, title: str) -> None:
    """Write both files into a folder."""
    moodle = written("moodle.xml", questions, category=title)
    write_text(folder / f"{name}-moodle.xml", moodle)
    (folder / f"{name}-canvas-qti.zip").write_bytes(qti(questions, title))


def form(letter: str) -> list[Question]:
    """Return the questions of form ``"a"`` or ``"b"``; each key comes first."""
    questions = []
    for number, item in enumerate(
        read_toml(CONTENT / "inventory.toml")["item"], start=1
    ):
        told, shown = item[letter], item.get(f"wrong_{letter}", item["wrong"])
        choices = [Choice(told["choices"][0], (), "Right.")]
        for text, ids in zip(told["choices"][1:], shown, strict=True):
            each = [ids] if isinstance(ids, str) else ids
            choices.append(
                wrong(text, [Mistake(i, text, **misconceptions()[i]) for i in each])
            )
        name, about = f"{letter.upper()}{number:02}", item["about"]
        questions.append(
            Question(name, told["ask"], tuple(choices), code=False, tag=about)
        )
    return questions
