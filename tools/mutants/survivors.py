"""The changes that change nothing: kept by hand, each with its reason."""

import tomllib
from functools import cache
from pathlib import Path

from tools.mutants.changes import Change

EQUIVALENT = Path(__file__).with_name("equivalent.toml")


@cache
def reasons() -> dict[tuple[str, str, str, str], str]:
    """Return why a change (file, line of code, old, new) changes nothing."""
    with EQUIVALENT.open("rb") as text:
        entries = tomllib.load(text)["change"]
    return {(e["file"], e["code"], e["old"], e["new"]): e["why"] for e in entries}


def is_equivalent(path: Path, change: Change) -> bool:
    """Return whether a change is known to change nothing."""
    return (path.as_posix(), change.code, change.old, change.new) in reasons()
