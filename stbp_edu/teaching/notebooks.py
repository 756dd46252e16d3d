"""The notebooks of a problem set, written from one template.

The source, for nbgrader, has the solutions and the hidden cells that give the points. What students
get is the same without these: nbgrader makes it from the source, and where each student has a
variant, it is written here, since an assignment of nbgrader's has only one source.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from stbp_edu import __version__
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import Exercise, Task, tasks
from stbp_edu.teaching.problem_set import ProblemSet, Question, name_of

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, autoescape=select_autoescape(["html"]),
)  # fmt: skip
CELL = re.compile(r"^%% (markdown|code) (\S+) ?(.*)\n", re.M)
"""The line that begins a cell in the template: its kind, its name, and metadata as JSON."""


def filled(template: str, **names: object) -> str:
    """Return a template with its expressions evaluated."""
    return TEMPLATES.get_template(template).render(names)


def many(count: int, what: str) -> str:
    """Return a number of things.

    >>> many(1, "file"), many(3, "file")
    ('1 file', '3 files')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


TEMPLATES.globals |= {"many": many}
TEMPLATES.filters |= {"g": "{:g}".format, "said": lambda text: Markup(markup(text))}


def code(task: Task, body: str | None = None) -> str:
    """Return an answer under the name that it has in a problem set; the solution where None.

    >>> from stbp_edu.practice.tasks import tasks
    >>> print(code(tasks()["c1-epsilon"], "..."))
    def c1_epsilon(delta, h):
        return ...
    >>> print(code(tasks()["h4-formula"], "..."))
    h4_formula = "..."
    """
    if not isinstance(task, Exercise):
        return f'{name_of(task)} = "{body or task.solution}"'
    source = task.source(body)
    return f"def {name_of(task)}({source.partition('(')[2]}"


def notebook(
    problem_set: ProblemSet,
    variant: int = 1,
    variants: Mapping[str, int] | None = None,
    *,
    is_source: bool = False,
) -> str:
    """Return a notebook as text: the same bytes for the same plan.

    Args:
        problem_set: what is asked.
        variant: of which students.
        variants: which variant each student has, for the hidden cells; None where there is one.
        is_source: whether it has the solutions and the hidden cells.
    """
    questions = problem_set.questions(variant)
    drawn = [problem_set.tasks_of(k + 1) for k in range(problem_set.count)]
    places = zip(questions, zip(*drawn, strict=True), strict=True)
    text = filled(
        "notebook.md",
        plan=problem_set,
        is_source=is_source,
        questions=questions,
        hidden=[_call(problem_set, *place, variants) for place in places],
        marks=_marks,
        code=code,
        name_of=name_of,
        wheel=f"stbp_edu-{__version__}-py3-none-any.whl",
    )
    parts = CELL.split(text)[1:]
    book = {
        "cells": list(map(_cell, parts[::4], parts[1::4], parts[2::4], parts[3::4])),
        "metadata": {
            "kernelspec": {
                "name": "python3",
                "display_name": "Python 3",
            }
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _call(
    problem_set: ProblemSet,
    question: Question,
    ids: Sequence[str],
    variants: Mapping[str, int] | None,
) -> str:
    """Return the call of the hidden cell that gives the points of a question.

    ``ids`` are the tasks that the variants have in its place.
    """
    said = (
        f"{[*ids]}, globals(), points={question.points}, partial={problem_set.partial}"
    )
    if variants:
        said += f",\n    variants={variants}"
    if not {*ids} <= {*tasks()}:
        said += f",\n    own_tasks={problem_set.own_tasks!r}"
    return f"mark({said})"


def _marks(name: str, points: float | None = None) -> str:
    """Return what nbgrader is told of a cell: an answer, or a cell that gives points."""
    gives = points is not None
    told = {
        "schema_version": 3,
        "grade_id": name,
        "task": False,
        "solution": not gives,
        "grade": gives,
        "locked": gives,
    }
    return json.dumps({"nbgrader": told | ({"points": points} if gives else {})})


def _cell(kind: str, name: str, metadata: str, source: str) -> dict[str, Any]:
    """Return a cell with an id of its own."""
    cell = {
        "id": name[-64:],  # which is as many as the format allows
        "cell_type": kind,
        "metadata": json.loads(metadata or "{}"),
        "source": source.strip("\n"),
    }
    if kind == "code":
        cell |= {"outputs": [], "execution_count": None}
    return cell


def files_of(
    problem_set: ProblemSet, roster: Sequence[str]
) -> Iterator[tuple[Path, str]]:
    """Yield what a problem set adds to nbgrader's folder of a course: paths in it, and texts.

    The students of a roster get the variants in turn, each a notebook with the student's name.

    Raises:
        ValueError: if there are several variants, and nobody to have them.
    """
    if problem_set.count > 1 and not roster:
        raise ValueError(
            f"a plan with {problem_set.count} variants needs a roster, which says who has "
            "which; add --roster class.csv"
        )
    name = problem_set.name
    variants = {id_: k % problem_set.count + 1 for k, id_ in enumerate(roster)}
    hidden = variants if problem_set.count > 1 else None
    source = notebook(problem_set, 1, hidden, is_source=True)
    yield Path("source", name, f"{name}.ipynb"), source
    texts = {k: notebook(problem_set, k) for k in sorted({*variants.values()})}
    for student, variant in variants.items():
        yield Path("handout", name, f"{student}.ipynb"), texts[variant]
    yield Path("nbgrader_config.py"), filled("nbgrader_config.txt")
