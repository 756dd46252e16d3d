"""Six weeks of teaching: what stands in ``content/weeks.toml``, with what the course knows."""

from pathlib import Path
from types import SimpleNamespace

from stbp_edu.files import read_toml
from stbp_edu.practice.tasks import course_table, misconceptions, objectives, tasks
from tools.site.render.notebook_page import read_notebooks

CONTENT = Path(__file__).parent / "content"


def weeks() -> list[SimpleNamespace]:
    """Return the six weeks: what is told, read, chosen from and asked, and what follows from it."""
    known = {
        stem.partition("_")[2]: notebook for stem, notebook in read_notebooks().items()
    }
    slugs, found = list(course_table()), []
    for number, told in enumerate(read_toml(CONTENT / "weeks.toml")["week"], start=1):
        groups = told["notebooks"], told.get("choose", [])
        read, choose = ([known[slug] for slug in group] for group in groups)
        own = [
            t
            for t in tasks().values()
            if any(slugs[t.notebook] in group for group in groups)
        ]
        trained = {task.objective for task in own}
        week = SimpleNamespace(
            number=number, told=told, notebooks=read, choose=choose, tasks=own
        )
        week.minutes = [sum(n.course["minutes"][k] for n in read) for k in (0, 1)]
        week.objectives = [text for id_, text in objectives().items() if id_ in trained]
        week.expected = {id_: misconceptions()[id_] for id_ in told["expect"]}
        found.append(week)
    return found


def plan(week: SimpleNamespace) -> str:
    """Return a week's homework as a plan that ``stbp-edu assign`` reads."""
    ids = "".join(f'  "{task.id}",\n' for task in week.tasks if task.use == "homework")
    return f'title = "Week {week.number}: {week.told["title"]}"\ntasks = [\n{ids}]\n'
