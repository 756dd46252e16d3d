"""Six weeks of teaching: what stands in ``content/weeks.toml``, with what the course knows."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from stbp_edu._support.files import read_toml
from stbp_edu.practice.tasks import course_table, misconceptions, objectives, tasks
from tools.site.render.notebook_page import read_notebooks

CONTENT = Path(__file__).parent / "content"


def weeks() -> list[SimpleNamespace]:
    """Return the six weeks: what is told, read, chosen from and asked, and what follows from it."""
    read = {stem.partition("_")[2]: book for stem, book in read_notebooks().items()}
    told = read_toml(CONTENT / "weeks.toml")["week"]
    return [_week(number, one, read) for number, one in enumerate(told, start=1)]


def _week(number: int, told: Any, read: Mapping[str, Any]) -> SimpleNamespace:
    """Return one week; its minutes are those at home.

    They are those of reading, of the exercises there, and of the rest of the problem set.
    """
    week = SimpleNamespace(number=number, told=told)
    for kind in ("notebooks", "in_class", "choose"):
        setattr(week, kind, [read[slug] for slug in told.get(kind, [])])
    course = course_table()
    slugs = list(course)
    met = told["notebooks"] + told.get("choose", [])
    own = [task for task in tasks().values() if slugs[task.notebook] in met]
    week.spare, more = (
        [tasks()[id_] for id_ in told.get(kind, [])] for kind in ("spare", "homework")
    )
    set_ = [task for task in own if task.use == "homework" and task not in week.spare]
    week.homework = set_ + more
    at_home = [s for s in told["notebooks"] if s not in told.get("in_class", [])]
    minutes = zip(*(course[slug]["minutes"] for slug in at_home), strict=True)
    rest = (
        task.minutes
        for task in week.homework
        if not (task.in_course and slugs[task.notebook] in at_home)
    )
    week.minutes = [*map(sum, minutes), sum(rest)]
    trained = {task.objective for task in own}
    week.objectives = [text for id_, text in objectives().items() if id_ in trained]
    week.expected = {id_: misconceptions()[id_] for id_ in told["expect"]}
    return week


def plan(week: SimpleNamespace) -> str:
    """Return a week's homework as a plan that ``stbp-edu assign`` reads."""
    ids = "".join(f'  "{task.id}",\n' for task in week.homework)
    return f'title = "Week {week.number}: {week.told["title"]}"\ntasks = [\n{ids}]\n'
