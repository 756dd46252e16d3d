"""The mistakes of a class, read from executed notebooks: of nbgrader, or any others."""

import json
from dataclasses import replace

import pytest

from stbp_edu.cli.main import main
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import grade
from stbp_edu.practice.tasks import tasks
from stbp_edu.teaching.marks import executed, topics, verdicts_in
from stbp_edu.teaching.notebooks import filled
from stbp_edu.teaching.problem_set import tasks_with

PAIR = "U * dO_gate * O_gate"


def cell(verdict, **marks):
    """Return a code cell that shows feedback; marks are nbgrader's."""
    data = {"text/plain": repr(verdict), "text/html": [verdict._repr_html_()]}
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}}]
    metadata = {"nbgrader": marks} if marks else {}
    return {"cell_type": "code", "metadata": metadata, "outputs": outputs, "source": ""}


def save(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))


def answers(folder):
    found = executed(folder).items()
    return [(student, v) for path, student in found for v in verdicts_in(path)]


def verdict(id_, body):
    return grade(tasks()[id_], tasks()[id_].function(body))


def test_only_cells_that_give_points_count(tmp_path, capsys):
    forged, wrong = Feedback("gain", "right"), verdict("gain", PAIR)
    course = tmp_path / "course"
    save(
        course / "autograded/anna/week3/week3.ipynb",
        cell(forged),
        cell(wrong, grade=True),
        cell(forged),
    )
    save(course / "autograded/anna/week2/week2.ipynb", cell(forged))
    save(course / "submitted/anna/week3/week3.ipynb", cell(forged))
    assert main(["mistakes", str(course), "--assignment", "week3"]) == 0
    said = capsys.readouterr().out
    assert "1 notebook\n" in said
    assert "0 of 1 right, 1 wrong, 0 without an answer\n  1 (100%): " in said
    assert "\n2. " in said  # two mistakes at once are two ideas


def test_an_answer_counts_for_the_most_frequent_of_its_mistakes(tmp_path):
    for k, body in enumerate(["delta_last", "delta_last", "delta_last + err_next"]):
        save(tmp_path / f"s{k}.ipynb", cell(verdict("c3-delta", body)))
    save(tmp_path / "s3.ipynb", cell(verdict("c3-epsilon", "delta * h")))
    first, second = topics(answers(tmp_path))
    assert (first.students, second.students) == (3, 1)
    assert [task for task, _ in first.where] == ["c3-delta", "c3-epsilon"]


NO_POINTS = json.dumps(
    {
        "cells": [
            cell(verdict("gain", "h"), grade=True, grade_id="c5-w-points"),
            cell(verdict("gain", "h"), grade_id="gain-answer"),
        ]
    }
)
NONE_EXECUTED = '{"cells": [{"cell_type": "code", "metadata": {}, "outputs": []}]}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *(
            (t, "executed notebook (")
            for t in ("{", "[]", '{"cells": [1]}', '{"cells": [{}]}')
        ),
        (NONE_EXECUTED, "holds no executed check: did its kernel stop?"),
        (NO_POINTS, "lacks the cells that give points for gain"),
    ],
)
def test_a_file_without_a_verdict_is_named_in_the_text_and_on_the_page(
    text, said, tmp_path, capsys
):
    save(tmp_path / "bo.ipynb", cell(verdict("gain", "h")))
    (tmp_path / "anna.ipynb").write_text(text)
    page = tmp_path / "mistakes.html"
    assert main(["mistakes", str(tmp_path), "--page", str(page)]) == 1
    line = f"ot read: {tmp_path / 'anna.ipynb'} "
    for shown in (capsys.readouterr().out, page.read_text()):
        assert "1 notebook" in shown
        assert line in shown
        assert said in shown


def test_the_reason_in_an_own_task_is_its_note(tmp_path, capsys):
    for k, student in enumerate(["anna", "bo"]):
        task = tasks_with(filled("own_tasks.toml"), k + 1)["my-neuron"]
        (body,) = (m.body for m in task.mistakes if m.id == "leak-for-gate")
        verdict = replace(grade(task, task.function(body)), title=task.title)
        graded = cell(verdict, grade=True)
        save(tmp_path / f"{student}.ipynb", graded)
    assert main(["mistakes", str(tmp_path)]) == 0
    report, talk = capsys.readouterr().out.split("To talk about:")
    note = "The factor of the carry is "
    assert report.count(note) == talk.count(note) == 1
    assert "  2 (100%): " in report
    assert "my-neuron: A neuron of your own, one step back\n" in report


def test_a_folder_without_notebooks_is_refused(tmp_path, capsys):
    assert main(["mistakes", str(tmp_path)]) == 2
    assert "FOLDER must hold executed notebooks" in capsys.readouterr().err
