"""The tables in ``content/`` that are used as they are."""

from functools import cache
from pathlib import Path
from typing import Any

from stbp_edu._support.files import read_toml

CONTENT = Path(__file__).parent / "content"


@cache
def course_table() -> dict[str, Any]:
    """Return the facts of each notebook, by its slug, in the order of the course."""
    return read_toml(CONTENT / "course.toml")


@cache
def objectives() -> dict[str, str]:
    """Return the learning objectives, a sentence for each id."""
    return read_toml(CONTENT / "objectives.toml")


@cache
def misconceptions() -> dict[str, dict[str, str]]:
    """Return ``name`` and ``why`` of every misconception by id."""
    return read_toml(CONTENT / "misconceptions.toml")
