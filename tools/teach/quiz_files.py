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
from textwrap import indent
from xml.etree import ElementTree

from markdown import markdown
from text2qti.config import Config
from text2qti.qti import QTI
from text2qti.quiz import Quiz

from stbp_edu.practice.feedback import markup
from tools.teach.bank import Choice, Question

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


def moodle(questions: Sequence[Question], category: str) -> str:
    """Return the questions as Moodle XML, in a category of its own."""
    quiz = ElementTree.Element("quiz")
    head = ElementTree.SubElement(quiz, "question", type="category")
    _text(head, "category", f"$course$/top/{category}")
    for question in questions:
        node = ElementTree.SubElement(quiz, "question", type="multichoice")
        _text(node, "name", question.id)
        _text(node, "questiontext", prompt_html(question.prompt), "html")
        _text(node, "generalfeedback", f"<p>{markup(question.general)}</p>", "html")
        facts = {"defaultgrade": "1", "penalty": "0.3333333", "hidden": "0", "single": "true"}
        for name, value in {**facts, "shuffleanswers": "true", "answernumbering": "abc"}.items():
            ElementTree.SubElement(node, name).text = value
        for choice in shuffled(question):
            fraction = "0" if choice.mistakes else "100"
            answer = ElementTree.SubElement(node, "answer", fraction=fraction, format="html")
            ElementTree.SubElement(answer, "text").text = choice_html(question, choice)
            _text(answer, "feedback", f"<p>{markup(choice.feedback)}</p>", "html")
        tags = ElementTree.SubElement(node, "tags")
        mistakes = [id_ for choice in question.choices for id_ in choice.mistakes]
        for tag in dict.fromkeys((question.tag, *mistakes)):
            _text(tags, "tag", tag)
    ElementTree.indent(quiz)
    return ElementTree.tostring(quiz, encoding="unicode", xml_declaration=True) + "\n"


def _text(parent: ElementTree.Element, name: str, text: str, form: str = "") -> None:
    node = ElementTree.SubElement(parent, name, {"format": form} if form else {})
    ElementTree.SubElement(node, "text").text = text


def qti(questions: Sequence[Question], title: str) -> bytes:
    """Return the questions as a zip that Canvas imports."""
    package = QTI(Quiz(_lines(questions, title), config=Config()))
    files = {
        "imsmanifest.xml": package.imsmanifest_xml,
        f"{package.assessment_identifier}/assessment_meta.xml": package.assessment_meta,
        f"{package.assessment_identifier}/{package.assessment_identifier}.xml": package.assessment,
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, DATE), text, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _lines(questions: Sequence[Question], title: str) -> str:
    """Return the questions in the plain text that text2qti reads."""
    parts = [f"Quiz title: {title}\nshuffle answers: true\nshow correct answers: false\n"]
    for number, question in enumerate(questions, start=1):
        mark = f"{number}. "
        prompt = indent(DISPLAY.sub(_inline, question.prompt), " " * len(mark))
        lines = [f"Title: {question.id}", mark + prompt.lstrip()]
        lines += [f"... {markup(question.general)}"] * bool(question.general)
        for letter, choice in zip("abcdef", shuffled(question), strict=False):
            star = "" if choice.mistakes else "*"
            lines.append(f"{star}{letter}) {choice_html(question, choice)}")
            lines.append(f"... {markup(choice.feedback)}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _inline(display: re.Match[str]) -> str:
    """Return a displayed formula as one in a line, which is what text2qti knows."""
    return f"${' '.join(display[1].split())}$"


def write(questions: Sequence[Question], folder: Path, name: str, title: str) -> None:
    """Write both files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}-moodle.xml").write_text(moodle(questions, title), encoding="utf-8")
    (folder / f"{name}-canvas-qti.zip").write_bytes(qti(questions, title))
