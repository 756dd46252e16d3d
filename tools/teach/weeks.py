"""Six weeks of teaching: what stands in ``content/weeks.toml``, with what the course knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stbp_edu.files import read_toml
from stbp_edu.practice.tasks import Task, course_table, misconceptions, objectives, tasks
from tools.site.render.notebook_page import Notebook, read_notebooks

CONTENT = Path(__file__).parent / "content"


@dataclass(frozen=True)
class Week:
    """One week: its table in ``weeks.toml``, the notebooks to read, those of which one is chosen.

    ``tasks`` are those that belong to these notebooks.
    """

    number: int
    told: Mapping[str, Any]
    notebooks: Sequence[Notebook]
    choose: Sequence[Notebook]
    tasks: Sequence[Task]

    @property
    def minutes(self) -> list[int]:
        """How long reading takes, and the exercises in the notebooks."""
        return [sum(n.course["minutes"][k] for n in self.notebooks) for k in (0, 1)]

    @property
    def objectives(self) -> list[str]:
        """What students can do afterwards."""
        trained = {task.objective for task in self.tasks}
        return [text for id_, text in objectives().items() if id_ in trained]

    @property
    def expected(self) -> dict[str, dict[str, str]]:
        """The misconceptions that its tasks bring out, by id, each with its name and reason."""
        return {id_: misconceptions()[id_] for id_ in self.told["expect"]}


def weeks() -> list[Week]:
    """Return the six weeks."""
    known = {stem.partition("_")[2]: notebook for stem, notebook in read_notebooks().items()}
    slugs, found = list(course_table()), []
    for number, told in enumerate(read_toml(CONTENT / "weeks.toml")["week"], start=1):
        groups = told["notebooks"], told.get("choose", [])
        notebooks = [[known[slug] for slug in group] for group in groups]
        own = [t for t in tasks().values() if any(slugs[t.notebook] in group for group in groups)]
        found.append(Week(number, told, *notebooks, own))
    return found


def plan(week: Week) -> str:
    """Return a week's homework as a plan that ``stbp-edu assign`` reads."""
    ids = "".join(f'  "{task.id}",\n' for task in week.tasks if task.use == "homework")
    return f'title = "Week {week.number}: {week.told["title"]}"\ntasks = [\n{ids}]\n'
