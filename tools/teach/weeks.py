"""Six weeks of teaching: what stands in ``content/weeks.toml``, with what the course knows."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stbp_edu.practice.tasks import Task, course_table, objectives, tasks
from stbp_edu.practice.tasks.mistakes import misconceptions
from tools.site.render.notebook_page import Notebook, folder, read_notebook

CONTENT = Path(__file__).parent / "content"


@dataclass(frozen=True)
class Week:
    """One week.

    Attributes:
        number: from 1.
        told: its table in ``weeks.toml``.
        notebooks: those to be read.
        choose: those of which one is read besides.
        tasks: those that belong to these notebooks.
        objectives: what students can do afterwards.
        expected: the misconceptions that its tasks bring out, each with its name and reason.
    """

    number: int
    told: Mapping[str, Any]
    notebooks: Sequence[Notebook]
    choose: Sequence[Notebook]
    tasks: Sequence[Task]
    objectives: Sequence[str]
    expected: Sequence[Mapping[str, str]]

    @property
    def minutes(self) -> tuple[int, int]:
        """How long reading takes, and the exercises in the notebooks."""
        read = self.notebooks
        return sum(n.minutes for n in read), sum(n.exercises for n in read)

    def of_use(self, use: str) -> list[Task]:
        """Return the week's tasks of a use, such as ``"homework"``."""
        return [task for task in self.tasks if task.use == use]


@cache
def _notebook(slug: str) -> Notebook:
    return read_notebook(next(folder().glob(f"*_{slug}.ipynb")))


def weeks() -> list[Week]:
    """Return the six weeks."""
    tables = tomllib.loads((CONTENT / "weeks.toml").read_text(encoding="utf-8"))["week"]
    return [_week(number, table) for number, table in enumerate(tables, start=1)]


def _week(number: int, told: Mapping[str, Any]) -> Week:
    slugs = list(course_table())
    read, choose = told["notebooks"], told.get("choose", [])
    of_week = [t for t in tasks().values() if slugs[t.notebook] in (*read, *choose)]
    trained = {task.objective for task in of_week}
    return Week(
        number,
        told,
        [_notebook(slug) for slug in read],
        [_notebook(slug) for slug in choose],
        of_week,
        [text for id_, text in objectives().items() if id_ in trained],
        [{"id": id_, **misconceptions()[id_]} for id_ in told["expect"]],
    )


def plan(week: Week) -> str:
    """Return a week's homework as a plan that ``stbp-edu assign`` reads."""
    ids = "".join(f'  "{task.id}",\n' for task in week.of_use("homework"))
    return f'title = "Week {week.number}: {week.told["title"]}"\ntasks = [\n{ids}]\n'
