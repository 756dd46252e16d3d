"""A teacher's own tasks: a TOML file beside the plan, whose solutions are on no page.

A task is written as those of the course are; ``templates/own_tasks.toml`` is a file to begin with.
Its table ``each`` has names with several values, from which every variant draws one; a text of the
task holds such a name as ``<leak>``. The file runs as Python, like any program of the teacher's.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from stbp_edu._support import checks, files
from stbp_edu._support.equations import EQUATIONS
from stbp_edu.practice.grading import grade
from stbp_edu.practice.tasks import Exercise, Task, inputs_of, misconceptions, tasks
from stbp_edu.practice.tasks.catalogue import define, source_of

NEEDED = (
    "title",
    "prompt",
    "equation",
    "minutes",
    "signature",
    "reference",
    "solution",
)
MOST = 1000
"""Variants of a problem set: a notebook for each."""
NUMBERS, LISTS = ("minutes", "calls"), ("hints", "parts", "axes")
"""Parts of a task that are not texts."""
DEFAULTS: Mapping[str, Any] = {
    "objective": "transfer",
    "use": "exam",
    "reasoning": "",
    "hints": ["There is no hint to this task."],
}
LISTED = "`stbp-edu assign --list-mistakes` lists them"


def tasks_with(own: Path | None, variant: int = 1) -> Mapping[str, Task]:
    """Return the tasks of the course and those of a teacher's file, by id.

    Raises:
        TypeError, ValueError: if the file has a mistake.
    """
    if own is None:
        return tasks()
    found = dict(tasks())
    for id_, table in files.read_toml(own).items():
        if id_ in found:
            raise ValueError(f"{own}: {id_} is a task of the course; choose another id")
        found[id_] = _task(f"{own}: {id_}", id_, table, variant)
    return MappingProxyType(found)


def _task(place: str, id_: str, table: Any, variant: int) -> Exercise:
    """Return the task that a table describes, with the numbers of a variant."""
    if not isinstance(table, dict):
        raise TypeError(f"{place} must be a table, got {checks.brief(table)}")
    missing = [name for name in NEEDED if name not in table]
    if missing:
        raise ValueError(f"{place} must have {', '.join(missing)}; add them")
    checks.choice(f"equation of {place}", table["equation"], EQUATIONS)
    drawn = _drawn(id_, table.get("each", {}), variant)
    own = _filled(table, drawn)
    own.pop("each", None)
    mistakes = own.pop("mistakes", {})
    notes = own.pop("notes", {})
    checks.instance(f"mistakes of {place}", mistakes, dict)
    for mistake in mistakes:
        checks.choice(f"a mistake of {place}", mistake, misconceptions(), LISTED)
    checks.instance(f"notes of {place}", notes, dict)
    for mistake in notes:
        checks.choice(f"a note of {place}", mistake, mistakes)
    for part in (own, mistakes, notes):
        _check_kinds(place, part)
    if not own.get("draw"):
        raise ValueError(f"{place} must have draw, which draws its inputs; add it")
    try:
        given = {**DEFAULTS, **own, "id": id_, "notes": notes}
        task = Exercise(**given, listed_mistakes=mistakes)
        inputs_of(task)
        task.function()
        define(source_of(task.signature, task.reference))
    except Exception as error:  # whatever the texts of the task raise
        kind = type(error).__name__
        raise ValueError(f"{place} must run, but {kind}: {error}; fix it") from error
    return task


def _check_kinds(place: str, parts: Mapping[str, Any]) -> None:
    """Check that each part of a task is a text, unless it is a number or a list."""
    for name, part in parts.items():
        if name in NUMBERS:
            checks.count(f"{name} of {place}", part)
        elif name in LISTS:
            checks.instance(f"{name} of {place}", part, list)
            for one in part:
                checks.instance(f"an entry of {name} of {place}", one, str)
        else:
            checks.instance(f"{name} of {place}", part, str)


def _values(id_: str, each: Any) -> dict[str, list[Any]]:
    """Return the values that may be drawn, by name."""
    for name, values in checks.instance(f"each of {id_}", each, dict).items():
        if not isinstance(values, list) or not values:
            raise ValueError(
                f"{name} in each of {id_} must list values, got {checks.brief(values)}; "
                "write for example [0.3, 0.5]"
            )
    return dict(each)


def _drawn(id_: str, each: Any, variant: int) -> dict[str, str]:
    """Return the values that a variant draws, by name, as text.

    All choices of values are numbered, and the variants take them in a random order, each once
    before one comes again.
    """
    table = _values(id_, each)
    count = math.prod(map(len, table.values()))
    rng = np.random.default_rng([*id_.encode()])
    order = rng.choice(count, size=min(count, MOST), replace=False)
    choice = int(order[(variant - 1) % len(order)])
    found = {}
    for name, values in table.items():
        choice, k = divmod(choice, len(values))
        found[f"<{name}>"] = str(values[k])
    return found


def too_few(own: Path | None, asked: Collection[str], variants: int) -> Iterator[str]:
    """Yield a sentence for each of a teacher's tasks with fewer different forms than variants."""
    if own is None:
        return
    for id_, table in files.read_toml(own).items():
        if id_ not in asked:
            continue
        each = _values(id_, table.get("each", {}))
        count = math.prod(map(len, each.values()))
        if count < variants:
            yield (
                f"{id_} has {count} different forms for {variants} variants; to give each a form "
                f"of its own, list more values in [{id_}.each]"
            )


def _filled(part: Any, drawn: Mapping[str, str]) -> Any:
    """Return a table, list or text with the drawn values in place of their names."""
    if isinstance(part, dict):
        return {name: _filled(value, drawn) for name, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, drawn) for value in part]
    if isinstance(part, str):
        for name, value in drawn.items():
            part = part.replace(name, value)
    return part


def faults(own: Path, variants: int) -> Iterator[str]:
    """Yield what is wrong with a file of tasks, tried in every variant; nothing if it is sound.

    A solution must be right, a mistake wrong, and no two mistakes may give the same.
    """
    found: dict[tuple[str, str], list[int]] = {}
    details: dict[tuple[str, str], str] = {}
    for variant in range(1, variants + 1):
        for id_, task in tasks_with(own, variant).items():
            if id_ in tasks() or not isinstance(task, Exercise):
                continue
            for fault, detail in _faults_of(task):
                key = id_, fault
                found.setdefault(key, []).append(variant)
                details.setdefault(key, detail)
    for key, where in found.items():
        id_, fault = key
        place = f"{id_}, variant {where[0]}"
        if len(where) > 1:
            place += f" and {len(where) - 1} more"
        yield f"{place}: {fault}{details[key]}"


def _faults_of(task: Exercise) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a task of one variant, each with its details."""
    said = grade(task, task.function())
    if not said.right:
        yield "the solution is not right", f": {' '.join(said.message)}"
        return
    same = set[str]()
    for mistake in task.mistakes:
        found = grade(task, task.function(mistake.body))
        if found.right:
            yield f"the mistake {mistake.id} is right", ""
        elif mistake.id not in found.mistakes:
            yield f"the mistake {mistake.id} is not recognised", ""
        elif len(found.mistakes) > 1:
            same.add(" and ".join(found.mistakes))
    for names in sorted(same):
        yield f"{names} give the same", ""
