"""A set of questions as a file for learning platforms: Moodle XML, and QTI 1.2 as Canvas reads it.

The key stands at another place in each question, for platforms that do not shuffle.
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

from stbp_edu.practice.feedback import markup
from tools.teach.bank import Choice, Question
from tools.templates import filled

DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.S)
DATE = (1980, 1, 1, 0, 0, 0)  # the same questions give the same zip
ORDER = 29  # under which the keys of the inventory fall evenly on the letters


def shuffled(question: Question) -> list[Choice]:
    """Return the choices in an order drawn from the question's own name."""
    return Random(f"{question.id} {ORDER}").sample(question.choices, len(question.choices))


def prompt_html(prompt: str) -> str:
    r"""Return a prompt as HTML, its formulas between \( and \), which Moodle sets.

    >>> prompt_html("`h` is $h(u)$.")
    '<p><code>h</code> is <span class="arithmatex">\\(h(u)\\)</span>.</p>'
    """
    settings = {"pymdownx.arithmatex": {"generic": True}}
    return markdown(prompt, extensions=["sane_lists", *settings], extension_configs=settings)


def choice_html(question: Question, choice: Choice) -> str:
    """Return what a choice says."""
    return f"<code>{escape(choice.text)}</code>" if question.code else markup(choice.text)


def written(template: str, questions: Sequence[Question], **names: object) -> str:
    """Return the questions in the words of a template."""
    return filled(
        template, questions=questions, shuffled=shuffled, choice_html=choice_html, said=markup,
        prompt_html=prompt_html, inline=inline, **names,
    )  # fmt: skip


def inline(prompt: str) -> str:
    """Return a prompt whose displayed formulas stand in a line, which is what text2qti knows."""
    return DISPLAY.sub(lambda display: f"${' '.join(display[1].split())}$", prompt)


def qti(questions: Sequence[Question], title: str) -> bytes:
    """Return the questions as a zip that Canvas imports."""
    package = QTI(Quiz(written("canvas.txt", questions, title=title), config=Config()))
    name = package.assessment_identifier
    files = {
        "imsmanifest.xml": package.imsmanifest_xml,
        f"{name}/assessment_meta.xml": package.assessment_meta,
        f"{name}/{name}.xml": package.assessment,
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, DATE), text, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def write(questions: Sequence[Question], folder: Path, name: str, title: str) -> None:
    """Write both files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    moodle = written("moodle.xml", questions, category=title)
    (folder / f"{name}-moodle.xml").write_text(moodle, encoding="utf-8")
    (folder / f"{name}-canvas-qti.zip").write_bytes(qti(questions, title))
