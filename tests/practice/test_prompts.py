"""Every task says what is asked, what for, how long it takes and what it may be used for."""

import re

import pytest

from stbp_edu.practice.tasks import exercises, objectives, tasks
from tests.notebook_rules import prose
from tests.practice.test_notebook_exercises import PATHS, exercise_cells, notebook

MATHS = {
    "tau": r"\tau",
    "v_th": "V_{th}",
    "alpha": r"\alpha",
    "beta": r"\beta",
    "rho": r"\rho",
}
IN_NOTEBOOKS = [(path, task) for path in PATHS for task, _, _ in exercise_cells(path)]


def words(text):
    """Return a text as words: links, line breaks and a last full stop make no difference."""
    return " ".join(re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).split()).rstrip(".:")


@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.id)
def test_a_task_is_complete(task):
    assert task.prompt
    assert task.objective in objectives()
    assert task.use in ("practice", "homework", "exam")
    assert 3 <= task.minutes <= 40
    assert task.notes.keys() <= task.listed_mistakes.keys()
    question = task.question
    assert question.count("$") % 2 == 0
    assert ".ipynb" not in question
    names = task.arguments if task.id in exercises() else task.symbols
    for name in names:
        said = MATHS.get(name.rstrip("12"), name)
        assert re.search(rf"\b{name}\b", question) or said in question, name


@pytest.mark.parametrize(
    ("path", "task"), IN_NOTEBOOKS, ids=[t.id for _, t in IN_NOTEBOOKS]
)
def test_a_notebook_asks_what_the_prompt_asks(path, task):
    assert words(task.prompt) in words(prose(notebook(path))), (
        f"the prompt of {task.id} in content/ and the words of {path.name} differ; change one"
    )


@pytest.mark.parametrize("task", [t for t in tasks().values() if t.use == "homework"])
def test_no_notebook_tells_the_answer_to_homework(task):
    answer = "".join(task.solution.split("return ")[-1].split()).lower()
    one_line = "\n" not in task.solution.strip()
    for path in PATHS:
        told = "".join(
            "".join("".join(c["source"]) for c in notebook(path)["cells"]).split()
        )
        assert not (one_line and f"\\tag{{{task.equation or '-'}}}" in told), path.name
        assert not (one_line and answer in told.lower()), path.name
        assert "".join(task.solution.split()).lower() not in told.lower(), path.name
