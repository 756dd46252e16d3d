"""The state of each exercise, saved in a small file; a page of the site saves it in the browser.

The file is ``progress.json`` in the user's data directory (``$XDG_DATA_HOME/stbp_edu``, or
``~/.local/share/stbp_edu``); the environment variable ``STBP_EDU_PROGRESS`` names another.
"""

import json
import os
from pathlib import Path

VARIABLE = "STBP_EDU_PROGRESS"
STATES = ("right", "wrong")


def path() -> Path:
    """Return the file that progress is saved in."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "stbp_edu" / "progress.json"


def record(exercise_id: str, state: str) -> None:
    """Save the state of an exercise; what was once right stays right.

    Where the file cannot be written, the state is not saved and nothing is raised.
    """
    states = load()
    if state == "todo" or states.get(exercise_id) in ("right", state):
        return
    states[exercise_id] = state
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        draft = path().with_suffix(".new")
        draft.write_text(json.dumps(states, indent=1, sort_keys=True), encoding="utf-8")
        draft.replace(path())
    except OSError:
        return


def load() -> dict[str, str]:
    """Return the saved states by exercise; empty where the file is missing or unreadable."""
    try:
        states = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(states, dict):
        return {}
    return {k: v for k, v in states.items() if isinstance(v, str) and v in STATES}
