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
    by_slug = {}
    for stem, notebook in read_notebooks().items():
        by_slug[stem.partition("_")[2]] = notebook
    told = read_toml(CONTENT / "weeks.toml")["week"]
    return [_week(number, one, by_slug) for number, one in enumerate(told, start=1)]


def _week(number: int, told: Any, by_slug: Mapping[str, Any]) -> SimpleNamespace:
    """Return one week; its minutes are those at home.

    They are those of reading, of the exercises there, and of the rest of the problem set.
    """
    slugs = list(course_table())
    choose = told.get("choose", [])
    own = [
        t for t in tasks().values() if slugs[t.notebook] in told["notebooks"] + choose
    ]
    spare = [tasks()[id_] for id_ in told.get("spare", [])]
    homework = [t for t in own if t.use == "homework" and t not in spare]
    homework += [tasks()[id_] for id_ in told.get("homework", [])]
    at_home = [s for s in told["notebooks"] if s not in told.get("in_class", [])]
    minutes = [course_table()[slug]["minutes"] for slug in at_home]
    besides = [
        t for t in homework if not t.in_course or slugs[t.notebook] not in at_home
    ]
    trained = {task.objective for task in own}
    return SimpleNamespace(
        number=number,
        told=told,
        notebooks=[by_slug[slug] for slug in told["notebooks"]],
        in_class=[by_slug[slug] for slug in told.get("in_class", [])],
        choose=[by_slug[slug] for slug in choose],
        tasks=own,
        homework=homework,
        spare=spare,
        minutes=[
            *(sum(each) for each in zip(*minutes, strict=True)),
            sum(task.minutes for task in besides),
        ],
        objectives=[text for id_, text in objectives().items() if id_ in trained],
        expected={id_: misconceptions()[id_] for id_ in told["expect"]},
    )


def plan(week: SimpleNamespace) -> str:
    """Return a week's homework as a plan that ``stbp-edu assign`` reads."""
    ids = "".join(f'  "{task.id}",\n' for task in week.homework)
    return f'title = "Week {week.number}: {week.told["title"]}"\ntasks = [\n{ids}]\n'
