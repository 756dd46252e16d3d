"""The names in the templates of ``docs/``, page by page: each page is given what it shows."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import yaml

from stbp_edu import derive
from stbp_edu._support.equations import GROUPS
from stbp_edu._support.files import read_json, read_text, read_toml
from stbp_edu.arrows import Formula, formulas, network
from stbp_edu.plotting import poster
from stbp_edu.practice.bug_hunt import SYMPTOMS, Bug, bugs, evidence
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import tasks
from stbp_edu.training.measurements import measurements_folder
from tools import ROOT
from tools.pages import (
    architecture_page,
    home_page,
    paths_page,
    performance_page,
    records,
    results_page,
)
from tools.pages.records import read_records
from tools.site.generate.source_code import scan
from tools.site.render.notebook_page import folder, read_notebooks
from tools.teach.weeks import plan, weeks


def bug_hunt() -> dict[str, object]:
    """Return the bugs of the hunt, the same by what they show, and one for each place to begin."""
    first: dict[tuple[int, str], int] = {}
    for k, bug in enumerate(bugs(), start=1):
        first.setdefault((bug.case, bug.term), k)
    begin = sorted(
        first.values(), key=lambda k: (bugs()[k - 1].case or 6, bugs()[k - 1].line)
    )
    found: dict[tuple[str, ...], list[Bug]] = {}
    for bug in sorted(bugs(), key=lambda bug: (bug.case, bug.line, bug.source)):
        found.setdefault(evidence(bug).symptoms, []).append(bug)
    order = list(SYMPTOMS)  # in which those of a bug are listed
    rows = sorted(found.items(), key=lambda row: [order.index(name) for name in row[0]])
    names = {"bugs": bugs(), "by_symptoms": dict(rows), "symptoms": SYMPTOMS}
    return {**names, "begin": begin, "program": bugs()[begin[0] - 1].source}


def cite() -> dict[str, object]:
    """Return the data of CITATION.cff, and the licence of the code."""
    cff = yaml.safe_load(read_text(ROOT / "CITATION.cff"))
    code = read_toml(ROOT / "pyproject.toml")["project"]["license"]
    return {"cff": cff, "license": code}


def equations() -> dict[str, object]:
    """Return the equations, where each of them stands, and the titles of the notebooks."""
    titles = {stem: notebook.title for stem, notebook in read_notebooks().items()}
    return {"groups": GROUPS, "places": scan(folder()), "titles": titles}


def trust() -> dict[str, object]:
    """Return the records of ``trust``: a verification, and what was noticed of changes."""
    made = measurements_folder() / "trust"
    paths = {"verify": made / "verify.json", "score": made / "mutation-score.json"}
    return {name: read_json(path) for name, path in paths.items()}


def adjoints(
    text: str, learn: Sequence[str], sizes: str, **constants: float
) -> list[Formula]:
    """Return the adjoints of a neuron in case 4, and the gradients of what it learns besides W."""
    found = formulas(network(sizes, derive(text, learn=learn, **constants).neuron))
    return [
        f for f in found
        if f.where == "t < T, n < N"
        or (f.where == "all t" and not re.search(r"\\partial [wb]_", f.left))
    ]  # fmt: skip


def tasks_of_time() -> dict[str, object]:
    """Return the names in the pages on tasks of time: ``of_sign`` and ``of_time`` find rows.

    Rows of the earlier record are found by their source, rows of the sign's by a chosen rate. The
    task is delayed XOR, without changes of its settings, where no other is named.
    """
    made = read_records()
    plain = {"task": "delayed-xor", "changes": {}}
    of_sign = partial(records.find, made["sign"], **plain, fixed=False)
    of_time = partial(records.find, made["time"], **plain, **{"from": "cause"})

    def judged(line: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a prediction and whether it holds, for all runs and for as many as planned.

        None without its runs. A count of more or fewer runs than planned is held against its share.
        """
        cell = {k: line[k] for k in ("rule", "task", "changes", "lr") if k in line}
        cell["fixed"] = "lr" in line
        row = of_sign(arm=line["arm"], **cell)
        other = of_sign(arm=line.get("minus_arm", line["arm"]), **cell)
        if row is None or other is None:
            return {**line, "holds": None}
        planned = line.get("n", 20)

        def holds(seeds: int | None) -> bool:
            mine, its = ({"accuracy": r["accuracy"][:seeds]} for r in (row, other))
            kinds = {
                "between": np.mean(records.differences(mine, its)) / 100,
                "learn": records.learned(mine) * planned / len(mine["accuracy"]),
                "mean": np.mean(mine["accuracy"]),
            }
            kind = next(k for k in kinds if any(name.startswith(k) for name in line))
            ends = line.get(f"{kind}_at_least", 0), line.get(f"{kind}_at_most", np.inf)
            low, high = line.get("between", ends)
            return bool(low <= kinds[kind] <= high)

        return {**line, "holds": holds(None), "as_planned": holds(planned)}

    def alike(rule: str, along: str = "none") -> str:
        """Return the mean over exact runs of an arm of the cosine of gradients of two batches."""
        wanted = {"rule": rule, "updates": 100, "along": along}
        rows = made["sign"]["cosines"]
        return records.mean([r["cosine"] for r in rows if wanted.items() <= r.items()])

    twice = []
    for row in made["sign"]["earlier"]:
        cell = {k: row[k] for k in ("rule", "arm", "task", "changes", "fixed")}
        pairs = zip(row["accuracy"], of_sign(**cell)["accuracy"], strict=True)
        twice += [(a > records.LEARNS) != (b > records.LEARNS) for a, b in pairs]
    return {
        **vars(records), "of_sign": of_sign, "of_time": of_time, "alike": alike,
        "changed_sides": f"{sum(twice)} of {len(twice)}",
        "verdicts": [*map(judged, made["sign-predictions"]["predictions"])],
        "earlier": made["time-predictions"]["predictions"],
        "mnist": made["mnist-rules"],
    }  # fmt: skip


def teach() -> dict[str, object]:
    """Return the weeks of a class, the plan of one, and all tasks."""
    return {
        "weeks": weeks(), "plan": plan(weeks()[2]).rstrip(), "said": markup,
        "tasks": list(tasks().values()),
    }  # fmt: skip


NAMES: dict[str, Callable[[], Mapping[str, object]]] = {
    "architecture.md": lambda: architecture_page.NAMES,
    "bug-hunt.md": bug_hunt,
    "equations.md": equations,
    "exact-is-not-best.md": tasks_of_time,
    "index.md": home_page.names,
    "models.md": lambda: {"adjoints": adjoints},
    "performance.md": lambda: performance_page.names(read_records()),
    "reading-paths.md": paths_page.names,
    "results.md": lambda: results_page.names(read_records()),
    "reuse.md": cite,
    "sheet.md": lambda: {
        "groups": GROUPS,
        "poster": poster()._repr_latex_(),
    },
    "start.md": lambda: {"core": paths_page.core()},
    "teach.md": teach,
    "time.md": tasks_of_time,
    "trust.md": trust,
    "which-reset.md": lambda: {"record": read_records()["framework-rules"]},
}


def names(page: str) -> Mapping[str, object]:
    """Return the names that the template of a page has for itself."""
    return NAMES[page]() if page in NAMES else {}
