"""Every situation by name, built once."""

from __future__ import annotations

from functools import cache

from stbp_edu.practice.exercises import cells, draws
from stbp_edu.practice.exercises.situation import Builder, Situation

BUILDERS: dict[str, Builder] = {**cells.BUILDERS, **draws.BUILDERS}


@cache
def situations(name: str) -> tuple[Situation, ...]:
    """Return the situations of this name."""
    return tuple(BUILDERS[name]())
