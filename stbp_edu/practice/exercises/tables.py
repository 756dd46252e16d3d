"""The table of the course: which exercises stand in which notebook, and where each is derived."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

CONTENT = Path(__file__).parent / "content"


def read_table(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def course_table() -> dict[str, Any]:
    """Return the ids of the exercises by notebook, and the headings by exercise or equation."""
    return read_table(CONTENT / "course.toml")


def section(equation: str, exercise: str = "") -> str:
    """Return the heading under which an exercise, or else its equation, is derived."""
    sections: dict[str, str] = course_table()["sections"]
    return sections.get(exercise) or sections[equation]


def pointer(exercise: str, notebook: int, heading: str, equation: str = "") -> str:
    """Return the sentence that says where in the course to look, and how to get a hint."""
    tag = f", equation ({equation})" if equation else ""
    place = f'Look at notebook {notebook}, "{heading}"{tag}'
    return f'{place}; `hint("{exercise}")` gives a hint.'
