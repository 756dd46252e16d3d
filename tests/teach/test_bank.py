"""The quiz bank: right keys, named distractors of one form, files that platforms read."""

import io
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest

from stbp_edu.practice.tasks import Task, tasks
from tests.practice.answers import feedback_on
from tools.teach import bank, quiz_files
from tools.teach.weeks import weeks

pytestmark = pytest.mark.slow  # each choice is judged
pytest.importorskip("text2qti", reason="the kit for teachers needs the group handouts")

FEW = [
    "c3-delta",
    "c4-delta-formula",
    "c1-delta-last",
    "two-paths",
    "gate-f",
    "cosine",
    "c5-w",
]
FEW += ["c3-epsilon", "fwd-u", "gain"]


@pytest.fixture(scope="module")
def questions() -> list[bank.Question]:
    return bank.bank([tasks()[id_] for id_ in FEW])


def task_of(question: bank.Question) -> Task:
    return tasks()[question.id.rpartition("-")[0]]


def test_the_key_alone_is_right_and_each_other_choice_a_named_mistake(
    questions,
) -> None:
    for question in questions:
        task = task_of(question)
        found = [feedback_on(task, choice.text).state for choice in question.choices]
        assert found == ["right", "wrong", "wrong", "wrong"], question
        known = {mistake.id for mistake in task.mistakes}
        assert all(
            c.mistakes and known >= set(c.mistakes) for c in question.choices[1:]
        )
        assert len({c.feedback for c in question.choices}) == 4
    assert (
        len({q.prompt for q in questions})
        == len({q.id for q in questions})
        == len(questions)
    )


def test_no_habit_finds_the_key_more_often_than_by_chance(
    questions: list[bank.Question],
) -> None:
    """Two standard deviations of as many guesses with a chance of one in four."""
    allowed = 0.25 + 2 * np.sqrt(0.25 * 0.75 / len(questions))
    found = bank.found_by_form(questions)
    assert max(found.values()) < allowed, found


def test_a_bank_that_gives_its_keys_away_is_noticed() -> None:
    """One key, from which the others were made by leaving something out."""
    found = bank.chances(["a + b * c - d", "a + b * c", "b * c - d", "a + b - d"])
    assert found["most characters"] == found["most likeness to the others"] == 1
    assert found["fewest characters"] == 0


def test_moodle_reads_one_right_answer_in_each_question(
    questions: list[bank.Question],
) -> None:
    """As question/format/xml/format.php asks: a name, texts, and fractions of which one is 100."""
    quiz = ElementTree.fromstring(
        quiz_files.written("moodle.xml", questions, category="a & b")
    )
    groups = quiz.findall("question[@type='category']")
    assert len(groups) == len(bank.siblings(questions))
    assert groups[0].findtext("category/text").startswith("$course$/top/a & b/")
    found = quiz.findall("question[@type='multichoice']")
    for node, question in zip(found, questions, strict=True):
        assert node.get("type") == "multichoice"
        assert node.findtext("name/text") == question.id
        assert node.findtext("questiontext/text") == quiz_files.prompt_html(
            question.prompt
        )
        assert node.findtext("single") == node.findtext("shuffleanswers") == "true"
        said = {
            a.findtext("text"): (a.get("fraction"), bool(a.findtext("feedback/text")))
            for a in node.findall("answer")
        }
        shares = ["100", "0", "0", "0"]
        texts = [
            quiz_files.choice_html(question, choice) for choice in question.choices
        ]
        assert said == {
            text: (share, True) for text, share in zip(texts, shares, strict=True)
        }
        assert len({tag.findtext("text") for tag in node.iter("tag")}) >= 3


def test_canvas_gets_the_same_questions_twice_the_same_bytes(questions) -> None:
    data = quiz_files.qti(questions, "Bank")
    assert data == quiz_files.qti(questions, "Bank")
    space = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = next(n for n in archive.namelist() if "/text2qti_assessment_" in n)
        meta = next(n for n in archive.namelist() if n.endswith("_meta.xml"))
        assert b"<quiz_type>practice_quiz<" in archive.read(meta)
        root = ElementTree.fromstring(archive.read(name))
    picks = root.findall(f".//{space}selection_number")
    pairs = [group for group in bank.siblings(questions) if len(group) == 2]
    assert [pick.text for pick in picks] == ["1"] * len(pairs)
    for item, _ in zip(root.findall(f".//{space}item"), questions, strict=True):
        labels = {x.get("ident") for x in item.findall(f".//{space}response_label")}
        key = item.find(f".//{space}respcondition[@continue='No']//{space}varequal")
        assert len(labels) == 4
        assert key is not None
        assert key.text in labels
        told = [
            x.get("ident", "").removesuffix("_fb")
            for x in item.iter(f"{space}itemfeedback")
        ]
        assert labels <= set(told)


def test_each_weeks_problem_set_brings_out_what_is_expected() -> None:
    for week in weeks():
        named = set()
        for task in week.homework:
            for mistake in task.mistakes:
                if mistake.id in set(week.expected) - named:
                    named |= set(feedback_on(task, mistake.body).mistakes)
        assert named >= set(week.expected), week.number
        assert week.objectives, week.number
        assert sum(week.minutes) <= 180, week.number  # of the three hours at home
