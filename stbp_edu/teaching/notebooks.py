"""The notebooks of a problem set and its rubric, from the plan and the tables of the tasks.

A student's notebook asks; the teacher's has the solutions. For nbgrader and Otter there is the
source that these tools make both from.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from stbp_edu import __version__
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import Exercise, Task, tasks
from stbp_edu.practice.tasks.prompts import question_of
from stbp_edu.teaching.answers import PACKAGE, name_of
from stbp_edu.teaching.problem_set import ProblemSet

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
NOTATION = Path(__file__).with_name("notation.md")
WHEEL = f"stbp_edu-{__version__}-py3-none-any.whl"
INSTALL = (
    f"**Before you begin.** With Python 3.11 or later, save `{WHEEL}` from the course's page "
    f"beside this notebook, and run `python -m pip install jupyterlab ./{WHEEL}` there.\n\n"
)
HAND_IN = "**Hand in** this notebook alone, saved under your name, such as `anna.ipynb`."
RUN = (
    "When it is graded, there are only NumPy and Python's own modules; of your other cells only "
    "what an answer needs is run."
)
"""What a student's notebook says of installing, handing in and grading."""
Cells = Iterator[dict[str, Any]]


def stub(task: Task) -> str:
    """Return the code that a student fills in.

    >>> print(stub(tasks()["c1-epsilon"]))
    def c1_epsilon(delta, h):
        return ...
    >>> print(stub(tasks()["h4-formula"]))
    h4_formula = "..."
    """
    return code(task, "return ...") if isinstance(task, Exercise) else f'{name_of(task)} = "..."'


def code(task: Task, body: str | None = None) -> str:
    """Return an answer under the name that it has in a problem set; the solution where None."""
    if not isinstance(task, Exercise):
        return f'{name_of(task)} = "{body or task.solution}"'
    source = task.source(body)
    return f"def {name_of(task)}({source.partition('(')[2]}"


def check_of(task: Task) -> str:
    """Return the call that checks an answer."""
    if isinstance(task, Exercise):
        return f'check("{task.id}", {name_of(task)})'
    return f'check_formula("{task.equation}", {name_of(task)})'


def student(problem_set: ProblemSet, variant: int) -> Cells:
    """Yield the cells of the notebook that students fill in."""
    yield from _head(problem_set, variant)
    for task, text in _asked(problem_set, variant):
        yield _cell(f"{name_of(task)}-asked", "markdown", text)
        yield _cell(f"{name_of(task)}-answer", "code", stub(task))
        if problem_set.checks:
            yield _cell(f"{name_of(task)}-check", "code", check_of(task))


def teacher(problem_set: ProblemSet, variant: int) -> Cells:
    """Yield the cells of the teacher's notebook: solutions for stubs, each with its reasoning."""
    solved = {f"{name_of(task)}-answer": task for task in tasks().values()}
    for cell in student(problem_set, variant):
        if task := solved.get(cell["id"]):
            yield {**cell, "source": code(task)}
            yield _cell(f"{name_of(task)}-why", "markdown", f"**Why.** {task.reasoning}")
        else:
            yield cell


def nbgrader(problem_set: ProblemSet, variant: int) -> Cells:
    """Yield the cells of a source notebook for ``nbgrader generate_assignment``."""

    def marked(cell: dict[str, Any], grade_id: str, **what: Any) -> dict[str, Any]:
        kinds = {"grade": False, "solution": False, "locked": True, "task": False, **what}
        named = {"schema_version": 3, "grade_id": grade_id, **kinds}
        return {**cell, "metadata": {**cell["metadata"], "nbgrader": named}}

    yield from _head(problem_set, variant, always=True)
    for task, text in _asked(problem_set, variant):
        name = name_of(task)
        yield marked(_cell(f"{name}-asked", "markdown", text), f"asked-{name}")
        head, colon, body = ("", "", code(task))
        if isinstance(task, Exercise):
            head, colon, body = body.partition(":\n")
        indent = "    " * bool(head)
        marks = f"{indent}### BEGIN SOLUTION\n{body}\n{indent}### END SOLUTION"
        answer = _cell(f"{name}-answer", "code", head + colon + marks)
        yield marked(answer, f"answer-{name}", solution=True, locked=False)
        test = f"result = {check_of(task)}\nassert result.right, result"
        points = problem_set.points_of(task.id)
        yield marked(_cell(f"{name}-test", "code", test), f"test-{name}", grade=True, points=points)


def otter(problem_set: ProblemSet, variant: int) -> Cells:
    """Yield the cells of a source notebook for ``otter assign``."""

    def raw(name: str, *lines: str) -> dict[str, Any]:
        return _cell(name, "raw", "\n".join(lines))

    hidden = "" if problem_set.checks else "# HIDDEN\n"
    yield raw("config", "# ASSIGNMENT CONFIG", "export_cell: false")
    yield from _head(problem_set, variant, always=True)
    for task, text in _asked(problem_set, variant):
        name, points = name_of(task), problem_set.points_of(task.id)
        yield raw(f"{name}-begin", "# BEGIN QUESTION", f"name: {name}", f"points: {points:g}")
        yield _cell(f"{name}-asked", "markdown", text)
        yield raw(f"{name}-solution", "# BEGIN SOLUTION")
        prompt = f'""" # BEGIN PROMPT\n{stub(task)}\n""" # END PROMPT'
        solution = f"# BEGIN SOLUTION NO PROMPT\n{code(task)}\n# END SOLUTION"
        yield _cell(f"{name}-answer", "code", f"{solution}\n{prompt}")
        yield raw(f"{name}-solved", "# END SOLUTION")
        yield raw(f"{name}-tests", "# BEGIN TESTS")
        yield _cell(f"{name}-test", "code", f"{hidden}assert {check_of(task)}.right")
        yield raw(f"{name}-tested", "# END TESTS")
        yield raw(f"{name}-end", "# END QUESTION")


FLAVOURS: dict[str, dict[str, Callable[[ProblemSet, int], Cells]]] = {
    "plain": {"student": student, "teacher": teacher},
    "nbgrader": {"source": nbgrader, "teacher": teacher},
    "otter": {"source": otter, "teacher": teacher},
}
"""The notebooks that are written for each flavour, by the folder that they go into."""


def rubric(problem_set: ProblemSet) -> str:
    """Return the rubric in Markdown: for each task the points, and the mistakes to look for."""
    lines = [f"# {problem_set.title}: rubric", ""]
    lines += ["All points for an answer that is right, in any form; `stbp-edu grade` says so."]
    lines += [
        f"{problem_set.partial:.0%} of them for a wrong answer that is one named mistake.",
        "",
    ]
    for id_ in problem_set.every_task():
        task, points = tasks()[id_], problem_set.points_of(id_)
        lines += [f"## {markup(task.title)}", ""]
        lines += [f"`{id_}`, {points:g} points, {task.minutes} minutes.", ""]
        lines += [f"Right: {task.reasoning}", ""]
        named = {m.id: f"- **{m.name}** (`{m.id}`). {m.why}" for m in task.mistakes}
        lines += [*named.values(), ""]
    return "\n".join(lines)


def as_notebook(problem_set: ProblemSet, variant: int, cells: Cells) -> str:
    """Return a notebook as text: the same bytes for the same plan."""
    book = {
        "cells": list(cells),
        "metadata": {
            "kernelspec": KERNEL,
            PACKAGE: {"title": problem_set.title, "variant": variant},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _asked(problem_set: ProblemSet, variant: int) -> Iterator[tuple[Task, str]]:
    """Yield the tasks of a variant, each with the text that asks it."""
    for k, id_ in enumerate(problem_set.tasks_of(variant), 1):
        task = tasks()[id_]
        points = problem_set.points_of(id_)
        line = f"*{points:g} points, about {task.minutes} minutes.*"
        yield task, f"## {k}. {markup(task.title)}\n\n{line}\n\n{question_of(task)}"


def _head(problem_set: ProblemSet, variant: int, always: bool = False) -> Cells:
    """Yield the title, the notation and the imports."""
    which = f", variant {variant}" if problem_set.count > 1 else ""
    minutes = sum(tasks()[id_].minutes for id_ in problem_set.tasks_of(variant))
    about = (
        f"# {problem_set.title}{which}\n\nAbout {minutes} minutes. Fill in each answer where "
        "`...` stands, and leave its name as it is. A function gets its arguments as NumPy "
        "arrays, and must not use files, the network or `stbp_edu`; a formula stands between "
        "quotation marks, with `*`, `/`, `**` and brackets. Any right form is right."
    )
    yield _cell("title", "markdown", about)
    hand_in = problem_set.hand_in or HAND_IN
    yield _cell("hand-in", "markdown", f"{INSTALL if problem_set.checks else ''}{hand_in} {RUN}")
    yield _cell("notation", "markdown", NOTATION.read_text(encoding="utf-8").strip())
    lines = ["import numpy as np"]
    if problem_set.checks or always:
        lines += ["from stbp_edu.practice import check, check_formula, hint"]
    yield _cell("imports", "code", "\n".join(lines))


def _cell(name: str, kind: str, source: str) -> dict[str, Any]:
    """Return a cell with an id of its own."""
    more: dict[str, Any] = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"id": name[-64:], "cell_type": kind, "metadata": {}, "source": source, **more}


def files_of(problem_set: ProblemSet, flavour: str) -> Sequence[tuple[Path, str]]:
    """Return what a problem set consists of: paths in its folder, and texts."""
    found = [(Path("rubric.md"), rubric(problem_set))]
    for variant in range(1, problem_set.count + 1):
        slug = f"{problem_set.slug}-{variant}" if problem_set.count > 1 else problem_set.slug
        for folder, cells in FLAVOURS[flavour].items():
            inside = Path(folder, slug) if folder == "source" else Path(folder)
            text = as_notebook(problem_set, variant, cells(problem_set, variant))
            found.append((inside / f"{slug}.ipynb", text))
    return found
