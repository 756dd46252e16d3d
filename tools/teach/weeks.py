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
        reading, exercises = (
            [sum(getattr(n, part) for n in self.notebooks)] for part in ("minutes", "exercises")
        )
        return reading[0], exercises[0]

    def of_use(self, use: str) -> list[Task]:
        """Return the week's tasks of a use, such as ``"homework"``."""
        return [task for task in self.tasks if task.use == use]


def told() -> list[dict[str, Any]]:
    """Return the tables of the weeks."""
    return tomllib.loads((CONTENT / "weeks.toml").read_text(encoding="utf-8"))["week"]


@cache
def _notebook(slug: str) -> Notebook:
    return read_notebook(next(folder().glob(f"*_{slug}.ipynb")))


def weeks() -> list[Week]:
    """Return the six weeks."""
    slugs = list(course_table())
    tables = told()
    of_week = []
    for table in tables:
        numbers = {slugs.index(slug) for slug in (*table["notebooks"], *table.get("choose", []))}
        of_week.append([task for task in tasks().values() if task.notebook in numbers])
    return [
        Week(
            number,
            table,
            [_notebook(slug) for slug in table["notebooks"]],
            [_notebook(slug) for slug in table.get("choose", [])],
            group,
            [text for id_, text in objectives().items() if id_ in {t.objective for t in group}],
            [{"id": id_, **misconceptions()[id_]} for id_ in table["expect"]],
        )
        for number, (table, group) in enumerate(zip(tables, of_week, strict=True), start=1)
    ]


def plan(week: Week) -> str:
    """Return a week's homework as a plan that ``stbp-edu assign`` reads."""
    ids = "".join(f'  "{task.id}",\n' for task in week.of_use("homework"))
    return f'title = "Week {week.number}: {week.told["title"]}"\ntasks = [\n{ids}]\n'
