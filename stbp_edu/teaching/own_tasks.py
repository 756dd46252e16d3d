"""A teacher's own tasks: a TOML file beside the plan, whose solutions are on no page.

A task is written as those of the course are; ``templates/own_tasks.toml`` is a file to begin with.
Its table ``each`` has names with several values, from which every variant draws one; a text of the
task holds such a name as ``<leak>``. The file runs as Python, like any program of the teacher's.
"""

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.equations import EQUATIONS
from stbp_edu.practice.grading import grade
from stbp_edu.practice.tasks import Exercise, Task, inputs_of, misconceptions, tasks
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
