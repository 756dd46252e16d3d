"""The plan of a problem set: which tasks, for how many points, and in how many variants.

It is a TOML file; ``stbp-edu assign --help`` shows one.

A teacher's own tasks are in a TOML file beside the plan; their solutions are on no page. A task is
written as those of the course are; ``templates/own_tasks.toml`` is a file to begin with.
Its table ``each`` has names with several values, from which every variant draws one; a text of the
task holds such a name as ``<leak>``. The file runs as Python, like any program of the teacher's.
"""

import csv
import json
import math
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu._support import checks, files
from stbp_edu._support.equations import EQUATIONS
from stbp_edu.practice.grading import grade
from stbp_edu.practice.tasks import (
    Exercise,
    Task,
    inputs_of,
    misconceptions,
    objectives,
    tasks,
)
from stbp_edu.practice.tasks.programs import define, source_of

NEEDED = [
    "title",
    "prompt",
    "equation",
    "minutes",
    "signature",
    "draw",
    "reference",
    "solution",
]
NUMBERS = ("minutes", "calls")
KINDS: Mapping[str, type[Any]] = {
    **dict.fromkeys(("each", "mistakes", "notes"), dict),
    **dict.fromkeys(("hints", "parts", "axes"), list),
}
"""The parts of a task that are neither texts nor numbers."""
DEFAULTS: Mapping[str, Any] = {
    "objective": "transfer",
    "use": "exam",
    "reasoning": "",
    "hints": ["There is no hint to this task."],
}


def tasks_with(own: str, variant: int = 1) -> Mapping[str, Task]:
    """Return the tasks of the course and those of a teacher's file, by id.

    Args:
        own: the text of the file; "" is none.
        variant: which values its tasks have.

    Raises:
        TypeError, ValueError: if the file has a mistake.
    """
    found = dict(tasks())
    try:
        tables = tomllib.loads(own)
    except ValueError as error:
        raise ValueError(f"your own tasks must be TOML, but {error}") from error
    for id_, table in tables.items():
        if id_ in found:
            raise ValueError(f"{id_} is a task of the course; choose another id")
        found[id_] = _task(id_, checks.instance(id_, table, dict), variant)
    return found


def _task(id_: str, table: dict[str, Any], variant: int) -> Exercise:
    """Return the task that a table describes, with the values of a variant."""
    for name in NEEDED:
        if name not in table:
            raise ValueError(f"the task {id_} must have {name}; add it")
    for name, part in table.items():
        place = f"{name} of {id_}"
        if name in NUMBERS:
            checks.count(place, part)
        else:
            checks.instance(place, part, KINDS.get(name, str))
    checks.choice(f"equation of {id_}", table["equation"], EQUATIONS)
    for mistake in table.get("mistakes", {}):
        checks.choice(f"a mistake of {id_}", mistake, misconceptions())
    each = table.pop("each", {})
    text = json.dumps(table, ensure_ascii=False)
    try:
        for name, value in _drawn(id_, each, variant).items():
            text = text.replace(f"<{name}>", value)
        given = {**DEFAULTS, **json.loads(text)}
        mistakes = given.pop("mistakes", {})
        task = Exercise(**given, id=id_, listed_mistakes=mistakes)
        _ = inputs_of(task), task.mistakes, task.function()
        define(source_of(task.signature, task.reference))
    except Exception as error:  # whatever the texts of the task raise
        kind = type(error).__name__
        raise ValueError(
            f"the task {id_} must run, but {kind}: {error}; fix it"
        ) from error
    return task


def _drawn(id_: str, each: Mapping[str, Any], variant: int) -> dict[str, str]:
    """Return the values that a variant draws, by name, as they stand in a text.

    All choices of values are numbered, and the variants take them in a random order, each once
    before one comes again.
    """
    count = math.prod(map(len, each.values()))
    order = np.random.default_rng([*id_.encode()]).permutation(count)
    choice = int(order[(variant - 1) % count])
    found = {}
    for name, values in each.items():
        choice, k = divmod(choice, len(values))
        found[name] = json.dumps(str(values[k]))[1:-1]
    return found


def faults(own: str, variant: int) -> Iterator[str]:
    """Yield what is wrong with a teacher's tasks in one variant; nothing if they are sound.

    A solution must be right, a mistake wrong, and no two mistakes may give the same.
    """
    for id_, task in tasks_with(own, variant).items():
        if id_ in tasks() or not isinstance(task, Exercise):
            continue
        said = grade(task, task.function())
        if not said.right:
            yield f"{id_}: the solution is not right: {' '.join(said.message)}"
            continue
        for mistake in task.mistakes:
            found = grade(task, task.function(mistake.body))
            if mistake.id not in found.mistakes:
                yield f"{id_}: the mistake {mistake.id} is not recognised"
            elif mistake.id != found.mistakes[0]:
                yield f"{id_}: {' and '.join(found.mistakes)} give the same"


MOST = 1000
"""Variants of a problem set."""
Pool = tuple[int, Sequence[str], float]
"""How many tasks are drawn, from which, and the points of each."""


@dataclass(frozen=True)
class Question:
    """One question of a variant.

    Attributes:
        cell: the name of its cells, which is the same in all variants, since the gradebook has one
            row of points for all students.
        task: what is asked.
        points: how many a right answer gets, in every variant.
    """

    cell: str
    task: Task
    points: float


@dataclass(frozen=True)
class ProblemSet:
    """What students of a class are asked; ``templates/plan.toml`` says what each entry is.

    ``name`` is that of the plan's file, and of the assignment. ``own_tasks`` is the text of the
    file of a teacher's own tasks.
    """

    name: str
    title: str
    tasks: Sequence[str]
    points: Mapping[str, float] = field(default_factory=dict)
    pools: Sequence[Pool] = ()
    count: int = 1
    seed: int = 0
    checks: bool = True
    partial: float = 0.5
    own_tasks: str = ""

    def __post_init__(self) -> None:
        """Check the entries; the pools have been."""
        checks.instance("title", self.title, str)
        checks.instance("checks", self.checks, bool)
        checks.count("count", self.count, at_most=MOST)
        checks.count("seed", self.seed, at_least=0)
        if not 0 <= checks.number("partial", self.partial) <= 1:
            raise ValueError(
                f"partial must be from 0 to 1, got {self.partial}; write 0.5 for half"
            )
        if not [*self.tasks, *self.pools]:
            raise ValueError(
                'the plan must ask something; write tasks = ["c3-delta", ...]'
            )
        for task, points in _table("points", self.points, self.tasks).items():
            checks.number(f"points of {task}", points, positive=True)

    def tasks_of(self, variant: int) -> list[str]:
        """Return the ids of a variant's tasks: those that all are asked, then those drawn."""
        rng = np.random.default_rng([self.seed, variant])
        drawn: list[str] = []
        for draw, pool, _ in self.pools:
            drawn += [pool[k] for k in sorted(rng.permutation(len(pool))[:draw])]
        return [*self.tasks, *drawn]

    def questions(self, variant: int = 1) -> list[Question]:
        """Return the questions of a variant, counted from 1."""
        library = tasks_with(self.own_tasks, variant)
        asked = [library[id_] for id_ in self.tasks_of(variant)]
        points = [self.points.get(id_, library[id_].minutes) for id_ in self.tasks]
        cells = [name_of(library[id_]) for id_ in self.tasks]
        for draw, _, each in self.pools:
            points += [each] * draw
            cells += [f"drawn_{len(cells) + k + 1}" for k in range(draw)]
        return list(map(Question, cells, asked, points))


def name_of(task: Task) -> str:
    """Return the name that an answer has in a notebook: no two tasks share one.

    >>> from stbp_edu.practice.tasks import tasks
    >>> name_of(tasks()["c3-delta-open"])
    'c3_delta_open'
    """
    return task.id.replace("-", "_")


def read_problem_set(path: Path) -> ProblemSet:
    """Return the problem set that a plan describes.

    Raises:
        FileNotFoundError, TypeError, ValueError: if there is none, or it has a mistake.
    """
    known = "title tasks checks partial tasks_from points pools variants"
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")
    read = files.read_toml(path)
    try:
        table = _table("the plan", read, known.split())
        variants = _table("variants", table.pop("variants", {}), ("count", "seed"))
        own = table.pop("tasks_from", None)
        own_tasks = files.read_text(path.parent / own) if own else ""
        library = tasks_with(own_tasks)
        asked, pools = [*_ids("tasks", table.get("tasks", []), library)], []
        for listed in checks.instance("pools", table.pop("pools", []), list):
            pools.append(_pool(listed, library, asked))
            asked += pools[-1][1]
        given = {"title": path.stem, "tasks": [], **table, **variants}
        return ProblemSet(
            name or "problem-set", **given, pools=pools, own_tasks=own_tasks
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path}: {error}") from error


def _table(name: str, value: Any, known: Collection[str]) -> dict[str, Any]:
    """Return a table in the plan, whose keys are known."""
    table: dict[str, Any] = checks.instance(name, value, dict)
    for key in table:
        checks.choice(f"a key of {name}", key, known)
    return table


def _ids(name: str, ids: Any, known: Collection[str]) -> list[str]:
    """Return the ids of known tasks, each once."""
    for id_ in checks.instance(name, ids, list):
        checks.choice(f"a task of {name}", id_, known)
    if len(set(ids)) < len(ids):
        raise ValueError(f"{name} must name each task once, got {ids}")
    return list(ids)


def _pool(table: Any, known: Mapping[str, Task], asked: Collection[str]) -> Pool:
    """Return a pool: tasks by name, or all of an objective and a use, that are not asked anyway."""
    part = _table("pool", table, ("draw", "tasks", "objective", "use", "points"))
    draw = checks.count("draw", part.get("draw", 1))
    if "tasks" in part:
        ids = _ids("tasks of a pool", part["tasks"], known)
    else:
        objective = checks.choice("objective", part.get("objective"), objectives())
        use = part.get("use", "homework")
        ids = [t.id for t in known.values() if (t.objective, t.use) == (objective, use)]
    ids = [id_ for id_ in ids if id_ not in asked]
    if len(ids) < draw:
        raise ValueError(
            f"a pool must have as many tasks as are drawn, got {ids} for {draw}"
        )
    return draw, ids, checks.number("points", part.get("points"), positive=True)


def read_roster(path: Path) -> list[str]:
    """Return the ids of the students in a table, in its order: nbgrader's own list of a class.

    Raises:
        ValueError: if the table has no column ``id``, or an id comes twice or names no file.
    """
    rows = csv.DictReader(files.read_text(path).splitlines())
    if "id" not in (rows.fieldnames or ()):
        raise ValueError(
            f"{path} must have a column id, got the columns {rows.fieldnames}; "
            "its first line could be: id,first_name,last_name,email"
        )
    ids = [row["id"].strip() for row in rows]
    for id_ in ids:
        if not re.fullmatch(r"\w[\w.@-]*", id_) or ids.count(id_) > 1:
            raise ValueError(
                f"{path}: each id must be a name of its own, of letters, digits and . @ _ -, "
                f"got {id_!r}"
            )
    if not ids:
        raise ValueError(f"{path} must list students, got none; add a line for each")
    return ids
