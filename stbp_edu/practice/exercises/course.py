"""Where the course has what: which exercise in which notebook, and where to look something up."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

CONTENT = Path(__file__).parent / "content"


@cache
def course() -> dict[str, Any]:
    """Return which exercises stand in which notebook, and in which section each is derived."""
    return read(CONTENT / "course.toml")


def section(equation: str, exercise: str = "") -> str:
    """Return the heading under which an exercise, or else its equation, is derived."""
    sections: dict[str, str] = course()["sections"]
    return sections.get(exercise) or sections[equation]


def pointer(task: Any, equation: str) -> str:
    """Say where in the course to look, and how to get a hint."""
    tag = f", equation ({equation})" if equation else ""
    place = f'Look at notebook {task.notebook}, "{task.section}"{tag}'
    return f'{place}; `hint("{task.id}")` gives a hint.'


def read(path: Path) -> dict[str, Any]:
    """Read one table."""
    return tomllib.loads(path.read_text(encoding="utf-8"))
