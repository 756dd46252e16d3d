"""The notebooks of a problem set, as they are handed out and as they come back.

They are written from one template, and so is the rubric. A student's notebook asks; the teacher's
has the solutions; for nbgrader and Otter there is the source that these tools make both from.

Of one that comes back only the code is read here, and nothing is run.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from stbp_edu import __version__
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import Exercise, Task
from stbp_edu.teaching.problem_set import ProblemSet

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, autoescape=select_autoescape(["html"]),
)  # fmt: skip
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
FLAVOURS = ("plain", "nbgrader", "otter")
CELL = re.compile(r"^%% (markdown|code|raw) (\S+) ?(.*)\n", re.M)
"""The line that begins a cell in the template: its kind, its name, and metadata as JSON."""
LARGEST = 10 * 2**20
"""Bytes in a notebook."""
PACKAGE = "stbp_edu"
LONGEST_ID = 64
"""Characters that the notebook format allows in the id of a cell."""


def filled(template: str, **names: object) -> str:
    """Return a template with its expressions evaluated."""
    return TEMPLATES.get_template(template).render(names)


def many(count: int, what: str) -> str:
    """Return a number of things.

    >>> many(1, "file"), many(3, "file")
    ('1 file', '3 files')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def encodable(text: str) -> str:
    """Return a text that UTF-8 can hold: an answer may raise, and a name may be, what it cannot."""
    return text.encode(errors="backslashreplace").decode()


TEMPLATES.globals |= {"many": many}
TEMPLATES.filters |= {"g": "{:g}".format, "said": lambda text: Markup(markup(text))}


def name_of(task: Task) -> str:
    """Return the name that an answer has in a notebook: no two tasks share one.

    >>> from stbp_edu.practice.tasks import tasks
    >>> name_of(tasks()["c3-delta-open"])
    'c3_delta_open'
    """
    return task.id.replace("-", "_")


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


def notebook(problem_set: ProblemSet, variant: int, form: str) -> str:
    """Return a notebook as text: the same bytes for the same plan.

    Args:
        problem_set: what is asked.
        variant: of which students.
        form: ``"student"``, ``"teacher"``, ``"nbgrader"`` or ``"otter"``.
    """
    library = problem_set.library(variant)
    asked = [library[id_] for id_ in problem_set.tasks_of(variant)]
    text = filled(
        "notebook.md", plan=problem_set, variant=variant, form=form, asked=asked, code=code,
        name_of=name_of, wheel=f"stbp_edu-{__version__}-py3-none-any.whl",
    )  # fmt: skip
    parts = CELL.split(text)[1:]
    cells = map(_cell, parts[::4], parts[1::4], parts[2::4], parts[3::4])
    said = {"title": problem_set.title, "variant": variant}
    book = {
        "cells": list(cells),
        "metadata": {"kernelspec": KERNEL, PACKAGE: said},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _cell(kind: str, name: str, metadata: str, source: str) -> dict[str, Any]:
    """Return a cell with an id of its own."""
    of_code: dict[str, Any] = (
        {"outputs": [], "execution_count": None} if kind == "code" else {}
    )
    head = {
        "id": name[-LONGEST_ID:],
        "cell_type": kind,
        "metadata": json.loads(metadata or "{}"),
    }
    return {**head, "source": source.strip("\n"), **of_code}


def files_of(problem_set: ProblemSet, flavour: str) -> Iterator[tuple[Path, str]]:
    """Yield what a problem set consists of: paths in its folder, and texts."""
    library = problem_set.library()
    asked = [library[id_] for id_ in problem_set.every_task()]
    yield Path("rubric.md"), filled("rubric.md", plan=problem_set, asked=asked)
    for variant in range(1, problem_set.count + 1):
        slug = (
            f"{problem_set.slug}-{variant}"
            if problem_set.count > 1
            else problem_set.slug
        )
        forms = {Path("source", slug): flavour, Path("teacher"): "teacher"}
        if flavour == "plain":
            forms = {Path("student"): "student", Path("teacher"): "teacher"}
        for folder, form in forms.items():
            yield folder / f"{slug}.ipynb", notebook(problem_set, variant, form)


def read_notebook(path: Path) -> tuple[list[str], dict[str, Any]]:
    """Return the source of a notebook's code cells, and what it says of its problem set.

    Raises:
        ValueError: if it is not a notebook.
    """
    try:
        book = json.loads(path.read_bytes())
        code = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"]
        return code, dict(book["metadata"].get(PACKAGE, {}))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise ValueError(
            "it is no notebook: not what Jupyter saves; ask for it again"
        ) from error
