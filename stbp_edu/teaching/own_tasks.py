"""A teacher's own tasks: a TOML file beside the plan, whose solutions are on no page.

A task is written as those of the course are; ``templates/own_tasks.toml`` is a file to begin with.
Its table ``each`` has names with several values, from which every variant draws one; a text of the
task holds such a name as ``<leak>``. The file runs as Python, like any program of the teacher's.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from stbp_edu import checks, files
from stbp_edu.equations import EQUATIONS
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
NUMBERS, LISTS = ("minutes", "calls"), ("hints", "parts", "axes")
"""Parts of a task that are not texts."""
DEFAULTS: Mapping[str, Any] = {
    "objective": "transfer",
    "use": "exam",
    "reasoning": "",
    "hints": ["There is no hint to this task."],
}


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
    own = {n: part for n, part in _filled(table, drawn).items() if n != "each"}
    mistakes = own.pop("mistakes", {})
    checks.instance(f"mistakes of {place}", mistakes, dict)
    for mistake in mistakes:
        checks.choice(f"a mistake of {place}", mistake, misconceptions())
    _check_kinds(place, {**own, **mistakes})
    if not own.get("draw"):
        raise ValueError(f"{place} must have draw, which draws its inputs; add it")
    try:
        task = Exercise(**{**DEFAULTS, **own}, id=id_, listed_mistakes=mistakes)
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


def _drawn(id_: str, each: Any, variant: int) -> dict[str, str]:
    """Return the values that a variant draws, by name, as text."""
    rng = np.random.default_rng([variant, *id_.encode()])
    found = {}
    for name, values in checks.instance(f"each of {id_}", each, dict).items():
        if not isinstance(values, list) or not values:
            raise ValueError(
                f"{name} in each of {id_} must list values, got {checks.brief(values)}; "
                "write for example [0.3, 0.5]"
            )
        found[f"<{name}>"] = str(values[int(rng.integers(len(values)))])
    return found


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
    for variant in range(1, variants + 1):
        for id_, task in tasks_with(own, variant).items():
            if id_ in tasks() or not isinstance(task, Exercise):
                continue
            place = f"{id_}, variant {variant}"
            said = grade(task, task.function())
            if not said.right:
                yield f"{place}: the solution is not right: {' '.join(said.message)}"
                continue
            for mistake in task.mistakes:
                answer = task.function(mistake.body)
                found = grade(task, answer)
                if found.right:
                    yield f"{place}: the mistake {mistake.id} is right"
                elif mistake.id not in found.mistakes:
                    yield f"{place}: the mistake {mistake.id} is not recognised"
                elif len(found.mistakes) > 1:
                    same = " and ".join(found.mistakes)
                    yield f"{place}: {same} give the same"
