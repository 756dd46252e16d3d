"""The plan of a problem set: which tasks, for how many points, and in how many variants.

It is a TOML file; ``stbp-edu assign --help`` shows one.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu._support import checks, files
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.tasks import Task, objectives
from stbp_edu.teaching.own_tasks import MOST, tasks_with

USES = ("practice", "homework", "exam")
ENTRIES = {
    "title": (str, "a text", '"Week 3"'),
    "hand_in": (str, "a text", '"Send it by Monday."'),
    "checks": (bool, "true or false", "true"),
}
"""Entries of a plan: their type, what a teacher calls it, and an example."""


@dataclass(frozen=True)
class ProblemSet:
    """What students of a class are asked; ``templates/plan.toml`` says what each entry is.

    ``count``, ``seed`` and ``authors`` are in its table of variants. A pool is how many tasks
    are drawn, and from which.
    """

    title: str
    tasks: Sequence[str]
    points: Mapping[str, float] = field(default_factory=dict)
    pools: Sequence[tuple[int, Sequence[str]]] = ()
    count: int = 1
    seed: int = 0
    checks: bool = True
    partial: float = 0.5
    slip: float = 0.75
    hand_in: str = ""
    authors: Mapping[str, int] = field(default_factory=dict)
    own_tasks: Path | None = None

    def __post_init__(self) -> None:
        """Check the entries; the pools have been."""
        for name, (kind, what, example) in ENTRIES.items():
            if not isinstance(value := getattr(self, name), kind):
                got = checks.brief(value)
                raise TypeError(
                    f"{name} must be {what}, got {got}; write {name} = {example}"
                )
        checks.count("count", self.count, at_most=MOST)
        checks.count("seed", self.seed, at_least=0)
        for author, variant in _table("authors", self.authors).items():
            checks.count(f"the variant of {author}", variant, at_most=self.count)
        for name, fraction in (("partial", self.partial), ("slip", self.slip)):
            if not 0 <= checks.number(name, fraction) <= 1:
                raise ValueError(
                    f"{name} must be from 0 to 1, got {fraction}; write 0.5 for half"
                )
        known = self.library()
        if not [*_ids("tasks", self.tasks, known), *self.pools]:
            raise ValueError(
                'the plan must ask something; write tasks = ["c3-delta", ...]'
            )
        for task, points in _table("points", self.points, self.every_task()).items():
            checks.number(f"points of {task}", points, positive=True)

    @property
    def slug(self) -> str:
        """The title as the name of a file.

        >>> ProblemSet("Problem set 2: back", ["gain"]).slug
        'problem-set-2-back'
        """
        return (
            re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")[:60]
            or "problem-set"
        )

    def tasks_of(self, variant: int = 1) -> list[str]:
        """Return the tasks of a variant, counted from 1, in the order of its students.

        Raises:
            ValueError: if there is no such variant.
        """
        if not 1 <= variant <= self.count:
            raise ValueError(f"variant must be 1 to {self.count}, got {variant}")
        rng = np.random.default_rng([self.seed, variant])
        chosen = list(self.tasks)
        for draw, pool in self.pools:
            left = [id_ for id_ in pool if id_ not in chosen]
            chosen += [left[k] for k in sorted(rng.permutation(len(left))[:draw])]
        return (
            [chosen[k] for k in rng.permutation(len(chosen))]
            if self.count > 1
            else chosen
        )

    def variant_of(self, author: str, told: Mapping[str, Any]) -> tuple[int, str]:
        """Return the variant that an author has, and what a teacher should know about it.

        Raises:
            ValueError: if the notebook, of which ``told`` says so, is of another problem set.
        """
        if (title := told.get("title", self.title)) != self.title:
            raise ValueError(f"it is of the problem set {str(title)[:80]!r}")
        own = told.get("variant", 1)
        variant = self.authors.get(author, own if type(own) is int else 1)
        if author in self.authors:
            return (
                variant,
                f"its variant is {variant}, and it says {own}"
                if own != variant
                else "",
            )
        return (
            variant,
            f"variant {variant} as the notebook itself says" if self.count > 1 else "",
        )

    def every_task(self) -> list[str]:
        """Return the tasks of all variants, each once.

        They are in the order of the notebook, or where variants have several, of the course.
        """
        if self.count == 1:
            return self.tasks_of(1)
        asked = {id_ for k in range(self.count) for id_ in self.tasks_of(k + 1)}
        return [id_ for id_ in self.library() if id_ in asked]

    def library(self, variant: int = 1) -> Mapping[str, Task]:
        """Return every task that may be asked, by id: the course's, and the teacher's own.

        Those of the teacher may have other numbers in each variant.
        """
        return tasks_with(self.own_tasks, variant)

    def points_of(self, task: str) -> float:
        """Return the points of a task."""
        return self.points.get(task, self.library()[task].minutes)

    def earned(self, verdict: Feedback) -> float:
        """Return the points for an answer.

        All for a right one, ``slip`` of them where there is only a slip of the keyboard,
        ``partial`` for one named mistake, ``partial`` twice over for two at once, and none for
        any other.
        """
        fraction = 0.0
        if verdict.state == "right":
            fraction = 1.0
        elif verdict.state == "slip":
            fraction = self.slip
        elif verdict.state == "wrong" and verdict.mistakes:
            fraction = self.partial**2 if verdict.together else self.partial
        return self.points_of(verdict.exercise) * fraction


def read_problem_set(path: Path) -> ProblemSet:
    """Return the problem set that a plan describes.

    Raises:
        FileNotFoundError, TypeError, ValueError: if there is none, or it has a mistake.
    """
    known = (
        "title",
        "tasks",
        "checks",
        "partial",
        "slip",
        "tasks_from",
        "hand_in",
        "points",
        "pools",
        "variants",
    )
    name = path.stem.encode(
        errors="backslashreplace"
    ).decode()  # one that a notebook can hold
    read = files.read_toml(path)
    try:
        table = _table("the plan", read, known)
        variants = _table(
            "variants", table.pop("variants", {}), ("count", "seed", "authors")
        )
        own = table.pop("tasks_from", None)
        own_tasks = path.parent / own if own else None
        library = tasks_with(own_tasks)
        pools = [_pool(p, library) for p in _list("pools", table.pop("pools", []))]
        given = {"title": name, "tasks": [], **table, **variants}
        return ProblemSet(**given, pools=pools, own_tasks=own_tasks)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path}: {error}") from error


def _list(name: str, value: Any) -> list[Any]:
    """Return a list in the plan."""
    if not isinstance(value, list):
        raise ValueError(
            f"{name} must be a list in [ ], got {checks.brief(value)}; add brackets"
        )
    return value


def _table(
    name: str, value: Any, known: Collection[str] | None = None
) -> dict[str, Any]:
    """Return a table in the plan, whose keys are known, or any names."""
    if not isinstance(value, dict):
        got = checks.brief(value)
        raise TypeError(
            f"{name} must be a table, got {got}; write it as {{ name = value }}"
        )
    if known is not None:
        for key in value:
            checks.choice(f"a key of {name}", key, known)
    return value


def _ids(name: str, ids: Any, known: Collection[str]) -> list[str]:
    """Return the ids of known tasks, each once."""
    for id_ in _list(name, ids):
        checks.choice(f"a task of {name}", id_, known)
    if len(set(ids)) < len(ids):
        raise ValueError(f"{name} must name each task once, got {ids}")
    return list(ids)


def _pool(table: Any, known: Mapping[str, Task]) -> tuple[int, list[str]]:
    """Return a pool: tasks by name, or all of an objective and a use."""
    part = _table("pool", table, ("draw", "tasks", "objective", "use"))
    draw = checks.count("draw", part.get("draw", 1))
    if "tasks" in part:
        ids = _ids("tasks of a pool", part["tasks"], known)
    else:
        objective = checks.choice("objective", part.get("objective"), objectives())
        use = checks.choice("use", part.get("use", "homework"), USES)
        ids = [t.id for t in known.values() if (t.objective, t.use) == (objective, use)]
    if len(ids) < draw:
        raise ValueError(
            f"a pool must have as many tasks as are drawn, got {ids} for {draw}"
        )
    return draw, ids
