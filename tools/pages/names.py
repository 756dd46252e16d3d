"""The names in the templates of ``docs/``, page by page: each page is given what it shows."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import yaml

from stbp_edu import derive
from stbp_edu.arrows import Formula, formulas, network
from stbp_edu.equations import GROUPS
from stbp_edu.files import read_json
from stbp_edu.plotting import poster
from stbp_edu.practice.bug_hunt import SYMPTOMS, Bug, bugs, evidence, hunt
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import course_table, objectives, tasks
from tools import ROOT
from tools.notebooks.numbering import PATHS_PAGE, files
from tools.pages import architecture_page, performance_page, results_page, time_page
from tools.pages.records import FOLDER, read_records
from tools.teach.weeks import plan, weeks

RECORDS = FOLDER / "trust"


def bug_hunt() -> dict[str, object]:
    """Return the bugs of the hunt, the same by what they show, and one for each place to begin."""
    first: dict[tuple[int, str], int] = {}
    for k, bug in enumerate(bugs(), start=1):
        first.setdefault((bug.case, bug.term), k)
    begin = sorted(first.values(), key=lambda k: (bugs()[k - 1].case or 6, bugs()[k - 1].line))
    names = {"bugs": bugs(), "by_symptoms": by_symptoms(), "symptoms": SYMPTOMS}
    return {**names, "begin": begin, "program": hunt(begin[0]).numbered}


def by_symptoms() -> dict[tuple[str, ...], list[Bug]]:
    """Return the bugs by all symptoms that they show, in the order in which these are listed."""
    found: dict[tuple[str, ...], list[Bug]] = {}
    for bug in sorted(bugs(), key=lambda bug: (bug.case, bug.line, bug.source)):
        found.setdefault(evidence(bug).symptoms, []).append(bug)
    order = list(SYMPTOMS)
    return dict(sorted(found.items(), key=lambda row: [order.index(name) for name in row[0]]))


def cite() -> dict[str, object]:
    """Return CITATION.cff, as it stands there and as it is read, and the licence of the code."""
    source = (ROOT / "CITATION.cff").read_text(encoding="utf-8").rstrip()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"source": source, "cff": yaml.safe_load(source), "license": project["license"]}


def trust() -> dict[str, object]:
    """Return the records of ``trust``; what has not been made yet is empty."""
    paths = {"verify": RECORDS / "verify.json", "score": RECORDS / "mutation-score.json"}
    records = {name: read_json(path) if path.exists() else {} for name, path in paths.items()}
    return {**records, "judged": judged}


def index() -> dict[str, object]:
    """Return how long the first reading path takes, and how many runs learn."""
    page = (ROOT / PATHS_PAGE).read_text(encoding="utf-8")
    evening = page.partition("**Time.** About ")[2].partition(".")[0]
    without, limited = (time_page.at_best_rate(read_records(), limit) for limit in (0.0, 1.0))
    return {"evening": evening, "without": without, "limited": limited}


def reading_paths() -> dict[str, object]:
    """Return each objective with the notebooks that have an exercise for it."""
    trained = {
        path.stem: {tasks()[id_].objective for id_ in course_table()[slug]["exercises"]}
        for slug, path in files().items()
    }
    able = {
        text: [stem for stem in trained if id_ in trained[stem]]
        for id_, text in objectives().items()
    }
    return {"able": able}


def judged(verify: Mapping[str, Any], rule: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield each equation under one rule, with the verdict of each oracle that compared it."""
    chosen = [v for v in verify["verdicts"] if v["rule"] == rule and v["equal"]]
    for id, found in groupby(chosen, lambda v: v["id"]):
        yield id, list(found)


def adjoints(text: str, learn: Sequence[str], sizes: str, **constants: float) -> list[Formula]:
    """Return the adjoints of a neuron in case 4, and the gradients of what it learns besides W."""
    neuron = derive(text, learn=learn, **constants).neuron
    known = r"\partial w_", r"\partial b_"
    return [
        found
        for found in formulas(network(sizes, neuron))
        if found.where == "t < T, n < N"
        or (found.where == "all t" and not any(name in found.left for name in known))
    ]


def teach() -> dict[str, object]:
    """Return the weeks of a class, the plan of one, and all tasks."""
    told = weeks()
    names = {"weeks": told, "plan": plan(told[2]).rstrip()}
    return {**names, "tasks": list(tasks().values()), "said": markup}


NAMES: dict[str, Callable[[], Mapping[str, object]]] = {
    "architecture.md": lambda: architecture_page.NAMES,
    "bug-hunt.md": bug_hunt,
    "cite.md": cite,
    "equations.md": lambda: {"groups": GROUPS},
    "frameworks.md": lambda: {"record": read_records()["framework-rules"]},
    "index.md": index,
    "models.md": lambda: {"adjoints": adjoints},
    "performance.md": lambda: performance_page.names(read_records()),
    "reading-paths.md": reading_paths,
    "results.md": lambda: results_page.names(read_records()),
    "sheet.md": lambda: {"groups": GROUPS, "poster": poster()._repr_html_()},
    "teach.md": teach,
    "time.md": lambda: time_page.names(read_records()),
    "trust.md": trust,
}


def names(page: str) -> Mapping[str, object]:
    """Return the names that the template of a page has for itself."""
    return NAMES[page]() if page in NAMES else {}
